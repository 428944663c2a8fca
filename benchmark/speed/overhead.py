"""What the harness costs: an epoch through it against a bare loop doing the same steps."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from benchmark.data import Data
from benchmark.plan import Options, make_plan
from benchmark.speed import rows
from benchmark.speed.measurement import CPU, Measurement, conclude, load_average, measurement
from benchmark.speed.timing import seconds_in_turns
from benchmark.tasks import Classification, TaskGroup
from benchmark.train import Training

FILE = Path("speed") / "overhead.csv"
"""Where in the folder of results the measurements are."""


def report(*, repeats: int, path: Path) -> None:
    """Measure an epoch's time, harness against bare loop, the two timed in turns; put it into a file and print it.

    Args:
        repeats: Pairs of epochs to time.
        path: The file; measurements of other machines stay in it.
    """
    rows.read(path, Measurement)  # a file of something else is refused before the work
    load = load_average()
    (arm,) = make_plan(Options("digits", settings=("5-shot",), methods=("equal",)))
    torch.set_num_threads(arm.suite.threads)
    spec = arm.spec(arm.points()[0])
    training = Training(arm.suite, spec, CPU)
    bare = BareLoop(Training(arm.suite, spec, CPU), arm.suite.groups_of(arm.setting)[0])
    work = {"harness": lambda: training.epoch(1), "bare": bare.epoch}
    seconds = seconds_in_turns(work, repeats=repeats, device=CPU)
    check_same_result(training.problem.model, bare.model)
    detail = f"an epoch of digits 5-shot, method equal, {len(training.batches)} steps and a validation pass"
    conclude(measurements(seconds, detail, load=load), path)


def measurements(seconds: Mapping[str, Sequence[float]], detail: str, *, load: float) -> list[Measurement]:
    """Return the milliseconds of both ways and the quartiles of their ratio in the same turn."""
    harness, bare = ([1e3 * taken for taken in seconds[name]] for name in ("harness", "bare"))
    ratios = sorted(ours / plain for ours, plain in zip(harness, bare, strict=True))
    quarter = len(ratios) // 4
    found = partial(measurement, detail=detail, load=load)
    return [
        found("harness, ms", harness),
        found("bare loop, ms", bare),
        found("ratio of harness to bare loop", ratios),
        found("ratio of harness to bare loop, lower quartile", ratios, value=ratios[quarter]),
        found("ratio of harness to bare loop, upper quartile", ratios, value=ratios[-1 - quarter]),
    ]


def check_same_result(harness: nn.Module, bare: nn.Module) -> None:
    """Refuse to compare loops that did not do the same steps.

    Raises:
        RuntimeError: The trained parameters differ by more than rounding.
    """
    for ours, theirs in zip(harness.parameters(), bare.parameters(), strict=True):
        if not torch.allclose(ours, theirs, rtol=1e-2, atol=1e-3):
            raise RuntimeError("the bare loop and the harness trained different networks")


class BareLoop:
    """What a careful user would write by hand for equal weighting on these tasks."""

    def __init__(self, like: Training, group: TaskGroup) -> None:
        self.model, self.optimizer = like.problem.model, like.optimizer
        self.data: Data = like.data
        self.batches = like.batches
        self.sizes = list(group.classes.values()) if isinstance(group, Classification) else []

    def epoch(self) -> float:
        """Train one epoch and return the validation accuracy."""
        self.model.train()
        inputs, (labels,) = self.data.samples
        total = 0.0
        for index in self.batches.epoch():
            x, y = inputs[index], labels[index]
            self.optimizer.zero_grad()
            outputs = self.model(x)[0].split(self.sizes, dim=1)
            losses = [
                functional.cross_entropy(output, target, ignore_index=-1, reduction="none")
                for output, target in zip(outputs, y.unbind(1), strict=True)
            ]
            known = (y[:, 0] != -1).sum().clamp(min=1)
            loss = losses[0].sum() / known + torch.stack(losses[1:]).mean(1).sum()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        self.model.eval()
        with torch.no_grad():
            x, y = inputs[self.data.validation], labels[self.data.validation]
            return (self.model(x)[0][:, : self.sizes[0]].argmax(1) == y[:, 0]).float().mean().item()
