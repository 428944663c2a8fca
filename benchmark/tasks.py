"""Groups of tasks that share one target tensor and one loss."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from auxilearn.method import TaskKind

UNLABELLED = -1
"""Class index of a sample without a label; regression targets use NaN."""


class TaskGroup(Protocol):
    """Tasks of one kind whose targets lie in one tensor, (N, tasks); (N, channels, H, W) where each pixel has one."""

    kind: ClassVar[TaskKind]

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each task."""
        ...

    @property
    def outputs(self) -> int:
        """Number of network outputs the group needs."""
        ...

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample and task, (B, tasks), or pixel, (B, tasks, H, W); 0 where unlabelled."""
        ...

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which samples or pixels carry a label, of the shape of their losses."""
        ...


@dataclass(frozen=True)
class Classification:
    """Classification tasks, each with its own number of classes; cross-entropy.

    Of samples, or of pixels: outputs (B, outputs, H, W) and targets (B, tasks, H, W) are segmentation, and points
    are pixels of an image one pixel wide. Targets may be of any integer type that holds -1.
    """

    classes: dict[str, int]
    kind: ClassVar[TaskKind] = "classification"

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each task."""
        return tuple(self.classes)

    @property
    def outputs(self) -> int:
        """Number of logits of all tasks together."""
        return sum(self.classes.values())

    def split(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of each task, (B, classes, ...), from those of all, (B, outputs, ...)."""
        return outputs.split(list(self.classes.values()), dim=1)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each sample and task, (B, tasks, ...), 0 where it is unlabelled."""
        losses = [
            functional.cross_entropy(logits, target.long(), ignore_index=UNLABELLED, reduction="none")
            for logits, target in zip(self.split(outputs), targets.unbind(1), strict=True)
        ]
        return torch.stack(losses, dim=1)

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which samples carry a label, (B, tasks, ...)."""
        return targets != UNLABELLED


@dataclass(frozen=True)
class Binary:
    """Attributes that are present or absent; binary cross-entropy, scaled."""

    names: tuple[str, ...]
    scale: float = 1.0
    kind: ClassVar[TaskKind] = "classification"

    @property
    def outputs(self) -> int:
        """Number of logits, one a task."""
        return len(self.names)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the scaled cross-entropy of each sample and task, (B, tasks), 0 where the target is NaN."""
        known = self.labelled(targets)
        present = torch.where(known, targets, 0.0)
        losses = functional.softplus(outputs) - present * outputs
        return torch.where(known, self.scale * losses, 0.0)

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which samples carry a label, (B, tasks)."""
        return ~targets.isnan()


@dataclass(frozen=True)
class Regression:
    """Regression tasks with one output each; squared error."""

    names: tuple[str, ...]
    kind: ClassVar[TaskKind] = "regression"

    @property
    def outputs(self) -> int:
        """Number of outputs, one a task."""
        return len(self.names)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the squared error of each sample and task, (B, tasks), 0 where it is unlabelled."""
        known = self.labelled(targets)
        return (torch.where(known, outputs, 0.0) - torch.where(known, targets, 0.0)).square()

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which samples carry a label, (B, tasks)."""
        return ~targets.isnan()
