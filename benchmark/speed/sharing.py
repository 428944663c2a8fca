"""What processes that share a GPU train together: steps a second by their number, as `--workers-per-gpu` has it."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from auxilearn.precision import without_tf32
from benchmark.errors import UserError
from benchmark.plan import Options, arms_of
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement
from benchmark.speed.timing import seconds_of
from benchmark.stand_in import full_size
from benchmark.train import Training

FILE = Path("speed") / "sharing.csv"
"""Where in the folder of results the measurements are."""

SUITE = "cub"
METHODS = ("equal", "auxilearn-nonlinear")
"""A method with ordinary steps alone, and one with outer steps, which fill a device better."""

WARM_UP = 2
"""Steps before anything is timed."""


def report(
    processes: Sequence[int], *, methods: Sequence[str], steps: int, repeats: int, device: str, path: Path
) -> None:
    """Measure, put the rates into a file and print them.

    Args:
        processes: Numbers of processes.
        methods: Names of methods of suite `cub`.
        steps: Steps of each process that are timed at once.
        repeats: Turns in which all numbers of processes are timed.
        device: A device as of the command line, one GPU.
        path: The file; measurements of other machines stay in it.

    Raises:
        UserError: The device is no GPU, or the file holds something else.
    """
    if lack := lacking(check_device(device)):
        raise UserError(lack)
    rows.read(path, Measurement)  # a file of something else is refused before the work
    torch.set_num_threads(1)  # as in each of the processes
    found: list[Measurement] = []
    for method in methods:
        found += measure(method, processes, steps=steps, repeats=repeats, device=device)
    conclude(found, path, device=torch.device(device))


def lacking(device: str) -> str | None:
    """Return why a device cannot be measured, or None."""
    return None if device.startswith("cuda") else "processes that share a GPU are measured; give --device cuda"


def measure(method: str, processes: Sequence[int], *, steps: int, repeats: int, device: str) -> Iterator[Measurement]:
    """Yield steps a second of all processes together, and their ratio to the smallest number of processes.

    Args:
        method: Name of a method of suite `cub`.
        processes: Numbers of processes.
        steps: Steps of each process that are timed at once, an outer step among them where one is due.
        repeats: Turns.
        device: The device that they share.
    """
    load, counts = load_average(), sorted(processes)
    with workers(max(counts), method, device) as there:
        rates: dict[int, list[float]] = {count: [] for count in counts}
        for turn in range(repeats + 1):
            for count in counts if turn % 2 else reversed(counts):
                taken = together(there[:count], steps)
                if turn:
                    rates[count].append(count * steps / taken)
    detail = f"suite {SUITE}, {method}, {steps} steps a turn of each process"
    where = torch.device(device)
    for count, found in rates.items():
        yield measurement(f"steps/s, {method}, {_named(count)}", found, detail, load=load, device=where)
    first = counts[0]
    for count in counts[1:]:
        ratios = [many / one for many, one in zip(rates[count], rates[first], strict=True)]
        what = f"ratio of {_named(count)} to {first}, {method}"
        yield measurement(what, ratios, "of steps/s in the same turn", load=load, device=where)


def _named(count: int) -> str:
    return f"{count} process{'es' * (count != 1)}"


def together(there: Sequence[Connection], steps: int) -> float:
    """Return the seconds until all processes have made their steps."""
    started = time.perf_counter()
    for each in there:
        each.send(steps)
    for each in there:
        each.recv()
    return time.perf_counter() - started


@contextmanager
def workers(count: int, method: str, device: str) -> Iterator[list[Connection]]:
    """Start processes that train a number of steps whenever they are sent one, and end them with the block."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ours: list[Connection] = []
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_train, args=(method, device, there), daemon=True)
            process.start()
            there.close()  # so that the death of a process is the end of its pipe
            stack.callback(process.join)
            stack.callback(here.close)
            ours.append(here)
        for each in ours:
            each.recv()
        yield ours


def _train(method: str, device: str, orders: Connection) -> None:
    """Train as many steps as come through the pipe until it is closed."""
    where = torch.device(device)
    with without_tf32():
        training = started(method, where)
        orders.send(None)
        while True:
            try:
                steps = orders.recv()
            except EOFError:
                return
            orders.send(seconds_of(lambda steps=steps: training.advance(steps), where))


def started(method: str, device: torch.device) -> Training:
    """Return a run of suite `cub` in its first setting on stand-ins for its data, warm, before an outer step."""
    suite = full_size(SUITE)
    if suite is None:
        raise TypeError(f"{SUITE} has no data set of its own")
    (arm,) = arms_of(suite, Options(SUITE, settings=suite.settings[:1], methods=(method,)))
    torch.set_num_threads(1)
    training = Training(suite, arm.spec(arm.points()[0]), device)
    training.advance(WARM_UP)
    training.step = 0
    return training
