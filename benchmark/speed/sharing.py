"""What processes that share a GPU train together: steps a second by their number, as `--workers-per-gpu` has it."""

import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from auxilearn.precision import without_tf32
from benchmark.errors import UserError
from benchmark.failures import reason_of
from benchmark.plan import Arm, Options, arms_of
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement
from benchmark.speed.timing import seconds_of
from benchmark.stand_in import full_size
from benchmark.train import Training

FILE = Path("speed") / "sharing.csv"
"""Where in the folder of results the measurements are."""

ENDED = "a process that shares the device ended"

WARM_UP = 2
"""Steps before anything is timed."""


def report(
    processes: Sequence[int],
    *,
    suite: str,
    methods: Sequence[str],
    steps: int,
    repeats: int,
    device: str,
    path: Path,
) -> None:
    """Measure, put the rates into a file after each method and print them.

    Args:
        processes: Numbers of processes.
        suite: Name of the suite, on stand-ins for its data.
        methods: Names of its methods.
        steps: Steps of each process that are timed at once.
        repeats: Turns in which all numbers of processes are timed.
        device: A device as of the command line, one GPU.
        path: The file; measurements of other machines stay in it.

    Raises:
        UserError: The device is no GPU, the suite is of the user's data or declines a method, or the file holds
            something else.
    """
    if lack := lacking(check_device(device)):
        raise UserError(lack)
    rows.read(path, Measurement)  # a file of something else is refused before the work
    torch.set_num_threads(1)  # as in each of the processes
    for method in methods:
        arm_of(suite, method)  # one that is declined is refused before the work
    for method in methods:
        found = list(measure(suite, method, processes, steps=steps, repeats=repeats, device=device))
        conclude(found, path, device=torch.device(device))


def lacking(device: str) -> str | None:
    """Return why a device cannot be measured, or None."""
    return None if device.startswith("cuda") else "processes that share a GPU are measured; give --device cuda"


def measure(
    suite: str, method: str, processes: Sequence[int], *, steps: int, repeats: int, device: str
) -> Iterator[Measurement]:
    """Yield steps a second of all processes together, and their ratio to the smallest number of processes.

    Args:
        suite: Name of a suite.
        method: Name of one of its methods.
        processes: Numbers of processes.
        steps: Steps of each process that are timed at once, an outer step among them where one is due.
        repeats: Turns.
        device: The device that they share.
    """
    load, counts = load_average(), sorted(processes)
    with workers(max(counts), suite, method, device) as there:
        rates: dict[int, list[float]] = {count: [] for count in counts}
        for turn in range(repeats + 1):
            for count in counts if turn % 2 else reversed(counts):
                taken = together(there[:count], steps)
                if turn:
                    rates[count].append(count * steps / taken)
    detail = f"{steps} steps a turn of each process"
    where = torch.device(device)
    for count, found in rates.items():
        yield measurement(f"steps/s, {suite}, {method}, {_named(count)}", found, detail, load=load, device=where)
    first = counts[0]
    for count in counts[1:]:
        ratios = [many / one for many, one in zip(rates[count], rates[first], strict=True)]
        what = f"ratio of {_named(count)} to {first}, {suite}, {method}"
        yield measurement(what, ratios, "of steps/s in the same turn", load=load, device=where)


def _named(count: int) -> str:
    return f"{count} process{'es' * (count != 1)}"


def together(there: Sequence[Connection], steps: int) -> float:
    """Return the seconds until all processes have made their steps.

    Raises:
        UserError: One of them ended.
    """
    started = time.perf_counter()
    with _alive():
        for each in there:
            each.send(steps)
    for each in there:
        _answer(each)
    return time.perf_counter() - started


def _answer(process: Connection) -> None:
    """Wait for a process; the reason why it ended is an error of the user's, most often too little memory."""
    with _alive():
        reason = process.recv()
    if reason:
        raise UserError(f"{ENDED}: {reason}")


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise UserError(f"{ENDED} without a word; it may have been killed") from None


@contextmanager
def workers(count: int, suite: str, method: str, device: str) -> Iterator[list[Connection]]:
    """Start processes that train a number of steps whenever they are sent one, and end them with the block."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ours: list[Connection] = []
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_train, args=(suite, method, device, there), daemon=True)
            process.start()
            there.close()  # so that the death of a process is the end of its pipe
            stack.callback(process.join)
            stack.callback(process.terminate)
            stack.callback(here.close)
            ours.append(here)
        for each in ours:
            _answer(each)
        yield ours


def _train(suite: str, method: str, device: str, orders: Connection) -> None:
    """Train as many steps as come through the pipe until it is closed; say nothing, or why that is not possible."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all, and the one that started this one ends it
    where = torch.device(device)
    try:
        with without_tf32():
            training = started(arm_of(suite, method), where)
            orders.send("")
            while True:
                steps = orders.recv()
                training.step = 0  # so that outer steps fall into every turn alike
                seconds_of(lambda steps=steps: training.advance(steps), where)
                orders.send("")
    except EOFError:
        return
    except Exception as error:
        with suppress(OSError):  # of a pipe that nobody reads any more
            orders.send(reason_of(error, where))


def arm_of(suite: str, method: str) -> Arm:
    """Return a method in a suite's first setting, on stand-ins for its data.

    Raises:
        UserError: The suite's sizes are those of the user's data, or it declines the method.
    """
    made = full_size(suite)
    if made is None:
        raise UserError(f"{suite} cannot be measured: its network and batches depend on the user's data")
    (arm,) = arms_of(made, Options(suite, settings=made.settings[:1], methods=(method,)))
    if arm.declined:
        raise UserError(f"{suite} declines {method}: {arm.declined}")
    return arm


def started(arm: Arm, device: torch.device) -> Training:
    """Return a run that is warm, before its first outer step."""
    torch.set_num_threads(1)
    training = Training(arm.suite, arm.spec(arm.points()[0]), device)
    training.advance(WARM_UP)
    training.step = 0
    return training
