"""What a step of each method takes on each suite's network and batches of full size; no data set is needed."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from benchmark.plan import Arm, Options, arms_of
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.measurement import rounded
from benchmark.speed.suite_costs import SuiteCost
from benchmark.speed.timing import origin, provenance, seconds_of
from benchmark.stand_in import full_size
from benchmark.terminal import console
from benchmark.train import Training

LONG_SEC = 4.0
"""A step that takes longer is timed once, without a warm-up, which is then a small part of it."""

AT_ONCE = 20
"""Ordinary steps that are timed together on a GPU, which the host would else wait for after each of them."""

FIRST_EVALUATED = 16
"""Samples of the first timed evaluation; four times as many follow until it takes long enough to be timed well."""


def report(names: Sequence[str], *, steps: int, device: str, path: Path) -> None:
    """Measure the default methods of suites, put their seconds into a file and print them.

    Args:
        names: Names of suites.
        steps: Number of timed steps.
        device: A device as of the command line.
        path: The file; seconds of other suites and devices stay in it.
    """
    where = torch.device(check_device(device))
    rows.read(path, SuiteCost)  # a file of something else is refused before the work
    out = console()
    for name in names:
        arms = first_arms(name)
        if not arms:
            out.print(f"{name}: not measured; its network and batches depend on the user's data")
        for arm in arms:
            cost = measure(arm, steps=steps, device=where)
            rows.add(path, [cost], SuiteCost)
            text = f"{name}, {cost.method}: step {cost.step_sec:.4g} s, outer step {cost.outer_step_sec:.4g} s"
            out.print(f"{text}, evaluation {1e3 * cost.evaluation_sec:.4g} ms a sample", soft_wrap=True)
    out.print(f"{provenance(where)}\nWritten to {path}.", soft_wrap=True)


def first_arms(name: str) -> list[Arm]:
    """Return the default methods that serve a suite in its first setting, on stand-ins for its data."""
    suite = full_size(name)
    if suite is None:
        return []
    arms = arms_of(suite, Options(name, settings=suite.settings[:1]))
    return [arm for arm in arms if not arm.declined]


def measure(arm: Arm, *, steps: int, device: torch.device) -> SuiteCost:
    """Return the seconds of one method, timed in the training loop itself.

    Args:
        arm: The method on a suite of full size.
        steps: Number of timed steps.
        device: Where to measure.
    """
    torch.set_num_threads(arm.suite.threads)
    training = Training(arm.suite, arm.spec(arm.points()[0]), device)
    every = training.method.outer_every

    def step(number: int, count: int = 1) -> float:
        training.step = number
        return seconds(lambda: training.advance(count), device) / count

    first = step(0)  # an outer step is due in it; where one is due in every step, it counts as part of the step
    waits = device.type == "cuda"  # its first steps find or make kernels, however long the others are
    hasty = first > LONG_SEC and not waits
    many = min(AT_ONCE, every - 1 if every > 1 else AT_ONCE) if waits else 1  # without an outer step among them
    ordinary = [first] if hasty and not every else [step(1, many) for _ in range(1 if hasty else steps)]
    both = [first] if hasty or not every else [step(0) for _ in range(steps)]
    taken = statistics.median(ordinary)
    return SuiteCost(
        suite=arm.suite.name,
        setting=arm.setting,
        kind=device.type,
        method=arm.method,
        step_sec=rounded(taken),
        outer_step_sec=rounded(max(statistics.median(both) - taken, 0.0) if every > 1 else 0.0),
        outer_every=every,
        evaluation_sec=rounded(evaluation(training, device)),
        steps=len(ordinary),
        **origin(device),
    )


def evaluation(training: Training, device: torch.device) -> float:
    """Return the seconds that evaluation takes a sample of the validation set, once kernels are there."""
    index = training.data.validation
    for count in _counts(len(index)):
        taken = min(seconds(lambda part=index[:count]: training.measure(part), device) for _ in range(2))
        if taken > LONG_SEC / 10 or count == len(index):
            return taken / count
    raise AssertionError("there are no validation samples")


def _counts(most: int) -> Iterator[int]:
    count = FIRST_EVALUATED
    while count < most:
        yield count
        count *= 4
    yield most


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that work takes; on one thread those of the processor, which other processes move little."""
    if device.type != "cpu" or torch.get_num_threads() > 1:
        return seconds_of(work, device)
    started = time.process_time()
    work()
    return time.process_time() - started
