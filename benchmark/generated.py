"""A main task and an auxiliary one with generated labels as the `Problem` that methods train."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from auxilearn import soft_target_loss, stateless_call
from auxilearn.method import Parameters, TaskKind
from benchmark.data import Batch
from benchmark.models.multitask import MultiTask

SUBCLASSES = 5
"""psi, the number of generated sub-classes of each main class, in all of the paper."""


class GeneratedLabelProblem:
    """A main classification and an auxiliary one into generated sub-classes, on one network.

    Where each point of a sample has a label, the loss of the sample is the mean over its points: the sample is what
    methods weigh, and points without an order are no image.

    Args:
        model: Network whose outputs are the logits of the main classes and those of all sub-classes.
        classes: Number of main classes.
        make_generator: Makes a fresh network from inputs to logits, (B, classes x psi, ...).
        focus: Exponent gamma of the focal loss of both tasks; 0 is cross-entropy.
        scale: Factor of the auxiliary loss.
    """

    task_kinds: tuple[TaskKind, ...] = ("classification", "classification")
    task_names = ("main", "generated")
    task_groups = (0, 1)
    n_tasks = 2
    loss_images = False

    def __init__(
        self,
        model: MultiTask,
        *,
        classes: int,
        make_generator: Callable[[], nn.Module],
        focus: float,
        scale: float,
    ) -> None:
        self.model: nn.Module = model
        self._trunk = model.trunk
        self.last_shared_layer: nn.Module = model.last_shared_layer
        self.subclasses: Sequence[int] = (SUBCLASSES,) * classes
        self.make_generator = make_generator
        self._focus, self._scale = focus, scale

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the trunk's parameters."""
        return list(self._trunk.parameters())

    def inputs_and_labels(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the network's input and the main labels, (B,) of samples or (B, ...) of points."""
        return batch.inputs, batch.targets[0][:, 0].long()

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        """Return the losses of both tasks, (B, 2); the auxiliary one is 0 without `targets` (B, classes x psi, ...)."""
        main, auxiliary = stateless_call(self.model, params, batch.inputs)
        _, labels = self.inputs_and_labels(batch)
        own = functional.one_hot(labels, len(self.subclasses)).to(main.dtype).movedim(-1, 1)
        first = _of_samples(soft_target_loss(main, own, focus=self._focus))
        if targets is None:
            return torch.stack([first, torch.zeros_like(first)], 1)
        second = soft_target_loss(auxiliary, targets, focus=self._focus, scale=self._scale)
        return torch.stack([first, _of_samples(second)], 1)


def _of_samples(losses: Tensor) -> Tensor:
    """Return the mean loss of each sample, (B,), from losses of samples (B,) or of their points (B, ...)."""
    return losses if losses.dim() == 1 else losses.flatten(1).mean(1)
