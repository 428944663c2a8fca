"""Generated auxiliary labels: soft labels over sub-classes of the main classes, and their loss.

A label belongs to a sample, (B,), or to each of its points or pixels, (B, ...); classes are the axis after the first.
"""

from collections.abc import Sequence
from typing import Protocol, TypeGuard, cast, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxilearn.method import Batch, Method, Problem, task_means
from auxilearn.precision import without_autocast


@runtime_checkable
class LabelSource(Protocol):
    """What a problem offers to have labels generated for its single auxiliary task."""

    @property
    def subclasses(self) -> Sequence[int]:
        """Number of sub-classes psi of each main class; the auxiliary head has their sum of outputs."""
        ...

    def inputs_and_labels(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what the generator sees: the network's input and the main labels, (B, ...)."""
        ...

    def make_generator(self) -> nn.Module:
        """Return a fresh backbone from inputs to logits (B, sum(subclasses), ...)."""
        ...


class LabelProblem(Problem, LabelSource, Protocol):
    """A problem whose single auxiliary task is to predict generated labels."""


class LabelGenerator(nn.Module):
    """g(x; phi): soft labels (B, C, ...) over all C sub-classes, their mass on those of the label's own class.

    Args:
        backbone: Any network from inputs to logits (B, C, ...).
        subclasses: Number of sub-classes psi of each main class.
    """

    def __init__(self, backbone: nn.Module, subclasses: Sequence[int]) -> None:
        super().__init__()
        self.backbone = backbone
        owner = torch.arange(len(subclasses)).repeat_interleave(torch.tensor(subclasses))
        self.register_buffer("owner", owner, persistent=False)

    def forward(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Return the soft labels (B, C, ...) where the main classes are `labels` (B, ...)."""
        logits = self.backbone(inputs)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # whatever autocast made of them
        owner = self.get_buffer("owner").view(-1, *(1,) * (labels.dim() - 1))
        return masked_softmax(logits, owner == labels[:, None])


def labels_are_generated(problem: Problem) -> TypeGuard[LabelProblem]:
    """Return whether the labels of the auxiliary task have to be generated."""
    return isinstance(problem, LabelSource) and bool(problem.subclasses)


class LabelMethod(Method):
    """Base of methods that generate the auxiliary labels and minimise the sum of both losses, labels held constant.

    Args:
        problem: The model, its losses and the backbone of the generator.
    """

    generates_labels = True

    def __init__(self, problem: LabelProblem) -> None:
        super().__init__(problem)
        self.generator = LabelGenerator(problem.make_generator(), problem.subclasses)

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Return a reason if the problem has no generated auxiliary task."""
        return None if labels_are_generated(problem) else "it generates auxiliary labels, and here these are given"

    def targets(self, batch: Batch) -> Tensor:
        """Return the generated labels (B, C, ...) of a batch."""
        return self.generator(*cast(LabelProblem, self.problem).inputs_and_labels(batch))

    def combine(self, losses: Tensor) -> Tensor:
        """Return the sum of the task means."""
        return task_means(losses).sum()

    def backward(self, batch: Batch) -> Tensor:
        """Add the training gradient to the model's `.grad`, the generator held constant; return the losses."""
        with torch.no_grad():
            targets = self.targets(batch)
        losses = self.problem.losses(batch, targets=targets)
        with without_autocast(losses.device):
            self.combined(losses).backward()
        return losses.detach()


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax over those classes (B, C, ...) that the mask (B, C, ...) keeps; zero elsewhere."""
    return logits.masked_fill(~mask, -torch.inf).softmax(1)


def soft_target_loss(logits: Tensor, targets: Tensor, *, focus: float = 2.0, scale: float = 1.0) -> Tensor:
    """Return the focal loss, (B, ...), on soft targets t (B, C, ...).

    - scale sum_c t_c (1 - p_c)^focus log p_c, p the softmax of `logits` (B, C, ...). With `focus` zero it is
    cross-entropy. The paper takes a focus of 2 and, for the auxiliary task, a scale of 0.25.
    """
    log_probabilities = F.log_softmax(logits, 1)
    if not focus:
        return -scale * (targets * log_probabilities).sum(1)
    # expm1 keeps digits, and a finite power's derivative, where p is close to one
    rest = (-torch.expm1(log_probabilities)).clamp(min=torch.finfo(logits.dtype).tiny)
    return -scale * (targets * rest**focus * log_probabilities).sum(1)
