"""What a run keeps while it trains: times, losses, diagnostics, the selected epoch."""

import copy
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import torch
from torch import Tensor

from auxilearn import task_means
from benchmark.suite import Metric


@dataclass
class Clock:
    """Seconds of a run, over all processes that took part in it: each lap belongs to one part of the work."""

    train_sec: float = 0.0
    evaluation_sec: float = 0.0
    checkpoint_sec: float = 0.0
    earlier_sec: float = 0.0
    """Time of the run before this process took it over, up to the checkpoint."""
    steps: int = 0
    resumed: int = 0
    """How often a process took the run over from a checkpoint."""

    def __post_init__(self) -> None:
        self._started = self._lap = time.perf_counter()

    def total_sec(self) -> float:
        """Return the time since the run began, without what lies between two processes."""
        return self.earlier_sec + time.perf_counter() - self._started

    def begin(self) -> None:
        """Begin a lap; what came before it belongs to no part."""
        self._lap = time.perf_counter()

    def end(self, part: Literal["train_sec", "evaluation_sec", "checkpoint_sec"]) -> None:
        """Add the present lap to a part and begin the next one."""
        before, self._lap = self._lap, time.perf_counter()
        setattr(self, part, getattr(self, part) + self._lap - before)

    def times(self) -> dict[str, float]:
        """Return the totals and the mean of a step, in seconds, and how often the run was taken over."""
        return {
            "step_sec": self.train_sec / max(self.steps, 1),
            "train_sec": self.train_sec,
            "evaluation_sec": self.evaluation_sec,
            "checkpoint_sec": self.checkpoint_sec,
            "resumed": self.resumed,
        }

    def state_dict(self) -> dict[str, float]:
        """Return what a later process counts on from."""
        return {**asdict(self), "earlier_sec": self.total_sec()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Count on from there, once more taken over."""
        for part in fields(self):
            setattr(self, part.name, state[part.name])
        self.resumed += 1


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

    def state_dict(self) -> dict[str, Any]:
        """Return what is selected so far."""
        return {"row": self.row, "state": dict(self.state)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` returned."""
        self.row, self.state = state["row"], state["state"]


class Losses:
    """The losses of an epoch's batches, all of one size: every sample's, (B, T), or the means of images."""

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device
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

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept of the epoch so far."""
        kept = self.samples() if self._kept else None
        return {"steps": self.steps, "kept": kept, "means": torch.stack(self._means) if self._means else None}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` returned."""
        kept, means = state["kept"], state["means"]
        self.steps = state["steps"]
        self._kept = [] if kept is None else [kept.to(self._device)]
        self._means = [] if means is None else list(means.to(self._device).unbind())


class Means:
    """Means of named 0-dimensional tensors, kept on the device."""

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device
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

    def state_dict(self) -> dict[str, Any]:
        """Return the sums so far."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` returned."""
        self._sums = {name: value.to(self._device) for name, value in state["sums"].items()}
        self._counts = dict(state["counts"])
