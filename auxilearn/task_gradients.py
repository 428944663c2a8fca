"""The gradient of every task apart, and methods whose weights follow from their inner products."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from auxilearn.averages import EpochMean
from auxilearn.method import Batch, Method, Problem, task_means

Space = Literal["parameters", "representation"]
Partition = Literal["groups", "tasks", "sum"]

CHUNK_BYTES = 2**28
"""Bytes of per-task gradients that one batched backward pass makes at most."""

LARGEST_JACOBIAN = 2**33
"""Bytes of per-task gradients on all shared parameters above which a method says no."""


def split_parameters(problem: Problem) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the trained parameters that tasks share and those that they do not, the heads."""
    shared = [parameter for parameter in problem.shared_parameters() if parameter.requires_grad]
    known = {id(parameter) for parameter in shared}
    trained = (parameter for parameter in problem.model.parameters() if parameter.requires_grad)
    return shared, [parameter for parameter in trained if id(parameter) not in known]


def memberships(problem: Problem, partition: Partition) -> Tensor:
    """Return which tasks (T,) each part holds, as ones in a matrix (parts, T); the first part is the main task.

    Args:
        problem: Says how many tasks there are and which belong together.
        partition: `tasks` keeps every task apart, `groups` joins those of one of the problem's task groups, and
            `sum` joins all auxiliaries.
    """
    numbers = torch.tensor(
        {
            "groups": list(problem.task_groups),
            "tasks": list(range(problem.n_tasks)),
            "sum": [min(task, 1) for task in range(problem.n_tasks)],
        }[partition]
    )
    return (numbers == torch.arange(int(numbers.max()) + 1)[:, None]).float()


def jacobian(values: Tensor, wanted: Sequence[Tensor | GradientEdge], *, size: int) -> list[Tensor]:
    """Return the gradient of every value, one tensor (K, ...) for each of `wanted`; the graph is kept.

    Batched backward passes over chunks of values. What no value reaches gets zeros.

    Args:
        values: Scalars of one graph, (K,).
        wanted: Leaves, or places in the graph.
        size: Elements of one value's gradient, which decide the chunks.
    """
    rows = max(1, CHUNK_BYTES // max(1, size * values.element_size()))
    chunks = [
        torch.autograd.grad(values, wanted, chosen, retain_graph=True, is_grads_batched=True, materialize_grads=True)
        for chosen in torch.eye(len(values)).to(values).split(rows)
    ]
    return [torch.cat(parts) for parts in zip(*chunks, strict=True)]


def gramian(rows: Sequence[Tensor]) -> Tensor:
    """Return the inner products of gradients, (K, K), in float64, from `jacobian`'s tensors (K, ...)."""
    flat = [part.flatten(1) for part in rows]
    return torch.stack([(part @ part.mT).double() for part in flat]).sum(0)


class Output(NamedTuple):
    """Number of elements that a call of a layer returned, and the place in the graph where their gradient arrives."""

    size: int
    edge: GradientEdge


@contextmanager
def recorded_outputs(layer: nn.Module) -> Iterator[list[Output]]:
    """Record, within the block, what each call of `layer` returns."""
    outputs: list[Output] = []

    def note(_layer: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        # the edge, not the tensor: an activation in place would rewrite the tensor's own history
        outputs.append(Output(output.numel(), get_gradient_edge(output)))

    handle = layer.register_forward_hook(note)
    try:
        yield outputs
    finally:
        handle.remove()


class GradientWeighting(Method):
    """Base of methods whose weights w follow from the inner products G_ij = <g_i, g_j> of the tasks' gradients.

    Shared parameters follow sum_i w_i g_i, heads their own tasks alone. A part without a label in the batch has
    no gradient: the rule does not see it. Subclasses define `rule`.

    Args:
        problem: The model and its losses.
        space: Where the gradients of the rule are taken: on all shared `parameters`, exactly, at the cost of a
            backward pass a part, or on the shared `representation`, the last shared layer's output, at the cost of
            one through the heads.
        partition: What counts as one task, see `memberships`; the losses of a part are summed.
    """

    def __init__(self, problem: Problem, *, space: Space = "parameters", partition: Partition = "groups") -> None:
        super().__init__(problem)
        for name, value, allowed in (("space", space, Space), ("partition", partition, Partition)):
            if value not in get_args(allowed):
                raise ValueError(f"unknown {name} {value!r}; choose one of: {', '.join(get_args(allowed))}")
        self.space = space
        self.register_buffer("members", memberships(problem, partition), persistent=False)
        self.noted = EpochMean(torch.ones(problem.n_tasks))
        if space == "parameters":
            _check_memory(problem, parts=len(self.get_buffer("members")))

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline models that share no trained parameter, and single tasks."""
        if problem.n_tasks < 2:
            return "it needs at least one auxiliary task"
        shared = any(parameter.requires_grad for parameter in problem.shared_parameters())
        return None if shared else "the tasks share no trained parameter"

    def rule(self, gramian: Tensor) -> Tensor:
        """Return the weight of each part, (K,), from the inner products of their gradients, (K, K) in float64.

        Parts without a gradient are left out; the first row is the main task's unless it has none.
        """
        raise NotImplementedError

    def backward(self, batch: Batch) -> Tensor:
        """Give each head its own task's gradient and the shared parameters the weighted sum."""
        with recorded_outputs(self.problem.last_shared_layer) as outputs:
            losses = self.problem.losses(batch, targets=self.targets(batch))
        means = task_means(losses)
        shared, heads = split_parameters(self.problem)
        if heads:
            # a head is reached by its own task alone, so the sum's gradient is its own; stops at the heads
            means.sum().backward(inputs=heads, retain_graph=True)
        members = self.get_buffer("members").to(means.dtype)
        values = members @ means
        on_parameters = self.space == "parameters"
        if on_parameters:
            rows = jacobian(values, shared, size=sum(parameter.numel() for parameter in shared))
        else:
            rows = jacobian(values, [output.edge for output in outputs], size=sum(output.size for output in outputs))
        weights = self._weights_of_parts(gramian(rows)).to(means.dtype)
        if on_parameters:
            for parameter, part in zip(shared, rows, strict=True):
                found = torch.tensordot(weights, part, dims=1)
                parameter.grad = found if parameter.grad is None else parameter.grad + found
        else:
            (weights @ values).backward(inputs=shared)
        self.noted.note(weights.to(members.dtype) @ members)
        return losses.detach()

    def _weights_of_parts(self, products: Tensor) -> Tensor:
        """Return the rule's weights, (K,), 0 for parts without a gradient."""
        present = products.diagonal() > 0
        weights = torch.zeros_like(products.diagonal())
        if present.any():
            weights[present] = self.rule(products[present][:, present])
        return weights

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
