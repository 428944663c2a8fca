"""What the layout of images in memory is worth: steps and evaluation as runs make them against channels first.

Runs on a CPU also evaluate fewer images at once than a suite says, for the same reason: to stay in its cache.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from auxilearn.precision import without_tf32
from benchmark import layout
from benchmark.errors import UserError
from benchmark.plan import Options, arms_of
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement
from benchmark.speed.timing import seconds_in_turns
from benchmark.stand_in import full_size
from benchmark.train import Training

FILE = Path("speed") / "layout.csv"
"""Where in the folder of results the measurements are."""

SUITES = ("mnist", "cifar100-coarse", "svhn", "cifar10")
"""From two convolutional layers to VGG-16, none of which needs its data here."""

EVALUATED = 1000
"""Samples that are evaluated in a turn, at most."""


def report(names: Sequence[str] = SUITES, *, repeats: int, device: str, path: Path) -> None:
    """Time steps and evaluation in both layouts in turns, put the ratios into a file and print them.

    Args:
        names: Names of suites of images.
        repeats: Turns.
        device: A device as of the command line.
        path: The file; measurements of other machines and suites stay in it.

    Raises:
        UserError: A suite has no images, or only those of the user.
    """
    where = torch.device(check_device(device))
    rows.read(path, Measurement)  # a file of something else is refused before the work
    if other := [name for name in names if not _of_images(name)]:
        raise UserError(f"{', '.join(other)}: no suite of images whose size is known without them")
    load = load_average()
    found: list[Measurement] = []
    for name in names:
        with without_tf32():
            found += measure(name, repeats=repeats, device=where, load=load)
    conclude(found, path, device=where)


def measure(name: str, *, repeats: int, device: torch.device, load: float) -> list[Measurement]:
    """Return what channels first take to channels last in a suite, in a step, and in evaluation as runs make it.

    Args:
        name: A suite of images.
        repeats: Turns.
        device: Where to measure.
        load: The machine's load average before it.
    """
    last, first = run(name, device, last=True), run(name, device, last=False)
    index = last.data.validation[:EVALUATED]
    found = partial(measurement, load=load, device=device)
    kept: list[Measurement] = []
    for work, ways, detail in (
        (
            "a step",
            {"last": lambda: last.advance(1), "first": lambda: first.advance(1)},
            f"{last.batches.batch_size} samples, {last.precision}",
        ),
        (
            "evaluation",
            {"last": lambda: last.measure(index), "first": lambda: first.measure(index)},
            f"{len(index)} samples, {at_once(last, index)} at once against {at_once(first, index)}",
        ),
    ):
        seconds = seconds_in_turns(ways, repeats=repeats, device=device)
        ratios = [plain / ours for plain, ours in zip(seconds["first"], seconds["last"], strict=True)]
        kept.append(found(f"channels first to last, {work} of {name}", ratios, detail))
    return kept


def _of_images(name: str) -> bool:
    suite = full_size(name)
    return suite is not None and suite.data(suite.settings[0], 0).samples.inputs.dim() == 4


def at_once(training: Training, index: torch.Tensor) -> int:
    """Return how many samples a run evaluates at once."""
    return min(training.evaluated, len(index))


def run(name: str, device: torch.device, *, last: bool) -> Training:
    """Return a run of a suite's single task on stand-ins for its data, at its first step, in one of the layouts.

    With channels first it evaluates as many samples at once as the suite says, with channels last as runs do.
    """
    suite = full_size(name)
    if suite is None:
        raise TypeError(f"{name} has no data set of its own")
    (arm,) = arms_of(suite, Options(name, settings=suite.settings[:1], methods=("stl",)))
    torch.set_num_threads(suite.threads)
    found = Training(suite, arm.spec(arm.points()[0]), device)
    found.channels_last = last
    layout.arrange(found.problem.model, last=last)
    if not last:
        found.evaluated = suite.evaluation_batch_size
    return found
