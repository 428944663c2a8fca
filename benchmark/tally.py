"""What a run keeps while it trains: times, losses, diagnostics, the selected epoch."""

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from auxilearn import task_means
from benchmark.suite import Metric


@dataclass
class Clock:
    """Seconds spent on training steps and on evaluation."""

    train_sec: float = 0.0
    evaluation_sec: float = 0.0
    steps: int = 0

    def times(self) -> dict[str, float]:
        """Return the totals and the mean of a step, in seconds."""
        return {
            "step_sec": self.train_sec / max(self.steps, 1),
            "train_sec": self.train_sec,
            "evaluation_sec": self.evaluation_sec,
        }


@dataclass
class Selected:
    """The epoch that validation selects, the earliest of equals, and the model's state then."""

    metric: Metric
    last: bool
    row: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, epoch: int, validation: dict[str, float], model: torch.nn.Module) -> None:
        """Keep this epoch if its score beats all earlier ones, or if the last one counts."""
        score, name = validation[self.metric.name], self.metric.name
        held = self.row["validation"][name] if self.row else None
        if self.last or self.metric.improves(score, held):
            self.row = {"epoch": epoch, "validation": validation}
            self.state = copy.deepcopy(model.state_dict())


class Losses:
    """The losses of an epoch's batches, all of one size: every sample's, (B, T), or the means of images."""

    def __init__(self) -> None:
        self.steps = 0
        self._kept: list[Tensor] = []
        self._means: list[Tensor] = []

    def add(self, losses: Tensor) -> None:
        """Take the losses of one step."""
        self.steps += 1
        if losses.dim() > 2:
            self._means.append(task_means(losses))
            self._kept.clear()
        self._kept.append(losses)

    def samples(self) -> Tensor:
        """Return the losses of all samples, (N, T), or of the last batch where they are images."""
        return torch.cat(self._kept)

    def means(self) -> Tensor:
        """Return the mean loss of each task over the batches that hold a label of it, (T,)."""
        means = torch.stack(self._means) if self._means else self.samples().unflatten(0, (self.steps, -1)).mean(1)
        return means.sum(0) / (means != 0).sum(0).clamp(min=1)


class Means:
    """Means of named 0-dimensional tensors, kept on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: dict[str, Tensor]) -> None:
        """Take one set of values."""
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def values(self) -> dict[str, float]:
        """Return the mean of each name."""
        return {name: float(value) / self._counts[name] for name, value in self._sums.items()}
