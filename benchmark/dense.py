"""Task groups with a target for each pixel or point; segmentation is `Classification` with targets (N, tasks, H, W)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from auxilearn.method import TaskKind


def depth_known(targets: Tensor) -> Tensor:
    """Return which pixels have a depth or disparity: those above 0."""
    return targets > 0


def normals_known(targets: Tensor) -> Tensor:
    """Return which pixels have a normal, (B, 1, H, W), from normals (B, 3, H, W): those whose vector is not 0."""
    return targets.abs().sum(1, keepdim=True) > 0


@dataclass(frozen=True)
class Depth:
    """Depth or disparity, one channel a task, 0 where it is unknown; absolute error (L1)."""

    names: tuple[str, ...] = ("depth",)
    kind: ClassVar[TaskKind] = "regression"

    @property
    def outputs(self) -> int:
        """Number of output channels, one a task."""
        return len(self.names)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the absolute error of each pixel and task, (B, tasks, H, W), 0 where the target is unknown."""
        return torch.where(self.labelled(targets), (outputs - targets).abs(), 0.0)

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which pixels have a target, (B, tasks, H, W)."""
        return depth_known(targets)


@dataclass(frozen=True)
class Normals:
    """Surface normals, three channels, the vector 0 where unknown; 1 - cosine of the angle to the predicted vector.

    The predicted vectors may have any length.
    """

    names: tuple[str] = ("normals",)
    kind: ClassVar[TaskKind] = "regression"

    @property
    def outputs(self) -> int:
        """Number of output channels: the components of a vector."""
        return 3

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return 1 - cosine of each pixel, (B, 1, H, W), 0 where the target is unknown."""
        known = self.labelled(targets)
        cosine = functional.cosine_similarity(outputs, torch.where(known, targets, 0.0).to(outputs.dtype), dim=1)
        return torch.where(known, 1 - cosine[:, None], 0.0)

    def labelled(self, targets: Tensor) -> Tensor:
        """Return which pixels have a normal, (B, 1, H, W)."""
        return normals_known(targets)
