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

    Args:
        model: Network whose outputs are the logits of the main classes and those of all sub-classes.
        classes: Number of main classes.
        make_generator: Makes a fresh network from inputs to logits, (B, classes x psi).
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
        """Return images (B, C, H, W) and main labels (B,)."""
        return batch.inputs, batch.targets[0][:, 0]

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        """Return the losses of both tasks, (B, 2); the auxiliary one is 0 without `targets` (B, classes x psi)."""
        outputs = stateless_call(self.model, params, batch.inputs)
        main, auxiliary = (output.to(torch.promote_types(output.dtype, torch.float32)) for output in outputs)
        _, labels = self.inputs_and_labels(batch)
        own = functional.one_hot(labels, len(self.subclasses)).to(main.dtype)
        first = soft_target_loss(main, own, focus=self._focus)
        if targets is None:
            return torch.stack([first, torch.zeros_like(first)], 1)
        return torch.stack([first, soft_target_loss(auxiliary, targets, focus=self._focus, scale=self._scale)], 1)
