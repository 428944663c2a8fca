"""What the harness costs: an epoch through it against a bare loop doing the same steps."""

import statistics

import torch
from torch import nn
from torch.nn import functional

from benchmark.data import Data
from benchmark.plan import Options, make_plan
from benchmark.speed.timing import provenance, seconds_in_turns
from benchmark.tasks import Classification, TaskGroup
from benchmark.terminal import console
from benchmark.train import Training


def report(*, repeats: int) -> None:
    """Print the median ratio of an epoch's time, harness to bare loop, the two timed in turns."""
    (arm,) = make_plan(Options("digits", settings=("5-shot",), methods=("equal",)))
    torch.set_num_threads(arm.suite.threads)
    spec = arm.spec(arm.points()[0])
    training = Training(arm.suite, spec, torch.device("cpu"))
    bare = BareLoop(Training(arm.suite, spec, torch.device("cpu")), arm.suite.groups_of(arm.setting)[0])
    work = {"harness": lambda: training.epoch(1), "bare": bare.epoch}
    seconds = seconds_in_turns(work, repeats=repeats, device=torch.device("cpu"))
    check_same_result(training.problem.model, bare.model)
    ratios = sorted(harness / plain for harness, plain in zip(seconds["harness"], seconds["bare"], strict=True))
    quarter = len(ratios) // 4
    console().print(
        f"an epoch of digits 5-shot, method equal, {len(training.batches)} steps and a validation pass:\n"
        f"harness {1e3 * statistics.median(seconds['harness']):.2f} ms, "
        f"bare loop {1e3 * statistics.median(seconds['bare']):.2f} ms, "
        f"median ratio {statistics.median(ratios):.3f} "
        f"(quartiles {ratios[quarter]:.3f} and {ratios[-1 - quarter]:.3f}, {repeats} pairs)\n"
        f"{provenance(torch.device('cpu'))}",
        soft_wrap=True,
    )


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
