"""Methods whose weights follow from the inner products of the tasks' gradients."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from auxilearn.averages import EpochMean
from auxilearn.devices import on_device
from auxilearn.generators import labels_are_generated
from auxilearn.method import Batch, Method, Problem, task_means
from auxilearn.precision import autocast_type, without_autocast
from auxilearn.task_gradients import (
    Output,
    Partition,
    add_gradients,
    gramian,
    jacobian,
    memberships,
    recorded_outputs,
    split_parameters,
    without_rounding,
)

Space = Literal["parameters", "representation"]

LARGEST_JACOBIAN = 2**33
"""Bytes of per-task gradients on all shared parameters above which a method says no."""


class Parts(NamedTuple):
    """What a rule sees of the parts that have a gradient in the batch, K of them, on the CPU in float64.

    Attributes:
        gramian: Inner products of their gradients, (K, K), positive semidefinite; the first row is the main task's
            unless it has no gradient.
        losses: Their losses, (K,).
        present: Which of all parts they are, a mask of those.
        resolution: Squared length below which a combination of unit gradients is rounding.
    """

    gramian: Tensor
    losses: Tensor
    present: Tensor
    resolution: float


class GradientWeighting(Method):
    """Base of methods whose weights w follow from the inner products G_ij = <g_i, g_j> of the tasks' gradients.

    Shared parameters follow sum_i w_i g_i, heads their own tasks alone. A part without a label in the batch has
    no gradient: the rule does not see it. Subclasses define `rule`.

    Under autocast gradients carry the rounding of the network's passes; inner products are as exact as without it,
    and the resolution that a rule sees grows accordingly.

    Args:
        problem: The model and its losses.
        space: Where the gradients of the rule are taken: on all shared `parameters`, exactly, at the cost of a
            backward pass a part, or on the shared `representation`, the last shared layer's output, at the cost of
            one through the heads. What goes past that layer, as a residual connection does, is then not compared.
        partition: What counts as one task, see `memberships`; the losses of a part are summed.
    """

    waits: ClassVar[str] = "its weights are solved for on the host, from the inner products of gradients"

    def __init__(self, problem: Problem, *, space: Space = "parameters", partition: Partition = "groups") -> None:
        super().__init__(problem)
        for name, value, allowed in (("space", space, Space), ("partition", partition, Partition)):
            if value not in get_args(allowed):
                raise ValueError(f"unknown {name} {value!r}; choose one of: {', '.join(get_args(allowed))}")
        self.space = space
        self.rounding = 0.0
        self.register_buffer("members", memberships(problem, partition), persistent=False)
        self.noted = EpochMean(torch.ones(problem.n_tasks))
        if space == "parameters":
            _check_memory(problem, parts=len(self.get_buffer("members")))

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline single tasks, auxiliary tasks without labels and models that share no trained parameter."""
        if problem.n_tasks < 2:
            return "it needs at least one auxiliary task"
        if labels_are_generated(problem):
            return "its auxiliary labels are generated, not given"
        shared = any(parameter.requires_grad for parameter in problem.shared_parameters())
        return None if shared else "the tasks share no trained parameter"

    def rule(self, parts: Parts) -> Tensor:
        """Return the weight of each part that has a gradient, (K,)."""
        raise NotImplementedError

    def backward(self, batch: Batch) -> Tensor:
        """Give each head its own task's gradient and the shared parameters the weighted sum."""
        with self.recorded() as outputs:
            losses = self.problem.losses(batch, targets=self.targets(batch))
        reduced = autocast_type(losses.device)
        self.rounding = torch.finfo(reduced).eps ** 2 if reduced else 0.0
        # backward passes and small products, too, would run in the precision of an autocast around them
        with without_autocast(losses.device):
            means = task_means(losses)
            shared, heads = split_parameters(self.problem)
            if heads:
                # a head is reached by its own task alone, so the sum's gradient is its own; stops at the heads
                means.sum().backward(inputs=heads, retain_graph=True)
            weights, found = self.direction(self.values(means), shared, outputs)
            add_gradients(shared, found)
            self.noted.note(weights.to(self.get_buffer("members")) @ self.get_buffer("members"))
        return losses.detach()

    def recorded(self) -> AbstractContextManager[list[Output]]:
        """Record, within the block, what `rows` needs of a forward pass."""
        on_parameters = self.space == "parameters"
        return nullcontext([]) if on_parameters else recorded_outputs(self.problem.last_shared_layer)

    def values(self, means: Tensor) -> Tensor:
        """Return the loss of each part, (parts,), from the mean loss of each task, (T,)."""
        return self.get_buffer("members").to(means.dtype) @ means

    def direction(
        self, values: Tensor, shared: Sequence[Tensor], outputs: Sequence[Output]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the weight of each part, (parts,), and the weighted sum of gradients on the shared parameters.

        Args:
            values: The loss of each part, (parts,), with its graph.
            shared: The shared parameters.
            outputs: What was recorded of the forward pass.
        """
        rows = self.rows(values, shared, outputs)
        parts = self.parts(values, rows, rounding=self.rounding)
        weights = torch.zeros(len(values), dtype=values.dtype)
        if parts.present.any():
            weights[parts.present] = self.rule(parts).to(weights)
        weights = on_device(weights, values.device)
        if self.space == "parameters":
            return weights, [torch.tensordot(weights, part, dims=1) for part in rows]
        return weights, list(torch.autograd.grad(weights @ values, shared, materialize_grads=True))

    def rows(self, values: Tensor, shared: Sequence[Tensor], outputs: Sequence[Output]) -> list[Tensor]:
        """Return the parts' gradients in the rule's space, one tensor (parts, ...) for each of that space's."""
        if self.space == "parameters":
            return jacobian(values, shared, size=sum(parameter.numel() for parameter in shared))
        return jacobian(values, [output.edge for output in outputs], size=sum(output.size for output in outputs))

    def parts(self, values: Tensor, rows: Sequence[Tensor], *, rounding: float = 0.0) -> Parts:
        """Return what the rule sees of the parts, from their losses (parts,) and their gradients.

        Args:
            values: The losses.
            rows: The gradients, see `rows`.
            rounding: Squared length of the error of a unit gradient where that is more than the losses' rounding.
        """
        products = gramian(rows)
        # one that is not finite gets the weight 0, which makes the sum NaN all the same
        present = (products.diagonal() > 0) & products.diagonal().isfinite()
        resolution = len(values) * max(torch.finfo(values.dtype).eps, rounding)
        chosen = without_rounding(products[present][:, present], resolution=resolution)
        return Parts(chosen, values.detach().cpu().double()[present], present, resolution)

    def end_epoch(self, task_losses: Tensor) -> None:
        """Note the epoch's mean weights and start a new mean."""
        self.noted.end_epoch()

    def weights(self, losses: Tensor) -> Tensor:
        """Return each task's mean weight over the epoch so far; before its first step, the last epoch's."""
        return self.noted.value()


def _check_memory(problem: Problem, *, parts: int) -> None:
    shared, _ = split_parameters(problem)
    needed = parts * sum(parameter.numel() * parameter.element_size() for parameter in shared)
    if needed > LARGEST_JACOBIAN:
        raise ValueError(
            f"the gradients of {parts} tasks on all shared parameters take {needed / 2**30:.0f} GiB; "
            "choose space=representation or partition=sum"
        )
