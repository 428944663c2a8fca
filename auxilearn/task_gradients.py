"""The gradient of every task apart, and their inner products."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from auxilearn.method import Problem
from auxilearn.precision import full_precision

Partition = Literal["groups", "tasks", "sum"]

CHUNK_BYTES = 2**18
"""Bytes of gradients that one batched backward pass makes on the CPU, where batching helps small ones alone."""

CHUNK_ROWS = 16
"""Most values of one such pass, which makes what lies between a value and its parameters once for each."""

ACCELERATOR_CHUNK_BYTES = 2**28
"""The same elsewhere, where starting an operation costs more than doing it."""


class Output(NamedTuple):
    """Number of elements that a call of a layer returned, and the place in the graph where their gradient arrives."""

    size: int
    edge: GradientEdge


def split_parameters(problem: Problem) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the trained parameters that tasks share and those that they do not, the heads."""
    shared = [parameter for parameter in problem.shared_parameters() if parameter.requires_grad]
    known = {id(parameter) for parameter in shared}
    trained = (parameter for parameter in problem.model.parameters() if parameter.requires_grad)
    return shared, [parameter for parameter in trained if id(parameter) not in known]


def add_gradients(parameters: Sequence[nn.Parameter], found: Sequence[Tensor]) -> None:
    """Add gradients to `.grad`."""
    for parameter, gradient in zip(parameters, found, strict=True):
        parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


def memberships(problem: Problem, partition: Partition) -> Tensor:
    """Return which tasks (T,) each part holds, as ones in a matrix (parts, T); the first part is the main task.

    Args:
        problem: Says how many tasks there are and which belong together.
        partition: `tasks` keeps every task apart, `groups` joins those of one of the problem's task groups, and
            `sum` joins all auxiliaries.
    """
    numbers = {
        "groups": list(problem.task_groups),
        "tasks": list(range(problem.n_tasks)),
        "sum": [min(task, 1) for task in range(problem.n_tasks)],
    }[partition]
    return (torch.tensor(numbers) == torch.arange(max(numbers) + 1)[:, None]).float()


def jacobian(values: Tensor, wanted: Sequence[Tensor] | Sequence[GradientEdge], *, size: int) -> list[Tensor]:
    """Return the gradient of every value, one tensor (K, ...) for each of `wanted`; the graph is kept.

    Backward passes for one value after another, or batched for chunks of them where their gradients are small.
    What no value reaches gets zeros, of no elements where its shape is not known.

    Args:
        values: Scalars of one graph, (K,).
        wanted: Leaves, or places in the graph.
        size: Elements of one value's gradient, which decide the chunks.
    """
    row = max(1, size * values.element_size())
    rows = min(CHUNK_BYTES // row, CHUNK_ROWS) if values.device.type == "cpu" else ACCELERATOR_CHUNK_BYTES // row
    rows = max(1, rows)
    found: list[Tensor] = []
    start = 0
    for chosen in torch.eye(len(values), dtype=values.dtype, device=values.device).split(rows):
        batched = len(chosen) > 1
        parts = torch.autograd.grad(
            values,
            wanted,
            chosen if batched else chosen[0],
            retain_graph=True,
            is_grads_batched=batched,
            allow_unused=True,
        )
        found = found or [_room(part, place, len(values), batched) for part, place in zip(parts, wanted, strict=True)]
        for whole, part in zip(found, parts, strict=True):
            if part is not None:
                whole[start : start + len(chosen)] = part
        start += len(chosen)
    return found


def gramian(rows: Sequence[Tensor]) -> Tensor:
    """Return the inner products of gradients, (K, K), in float64 on the CPU, from `jacobian`'s tensors (K, ...)."""
    flat = [part.unsqueeze(-1).flatten(1) for part in rows]  # scalars have no second dimension
    with full_precision(flat[0].device):
        products = torch.stack([part @ part.mT for part in flat])
    return products.cpu().double().sum(0)


def without_rounding(products: Tensor, *, resolution: float) -> Tensor:
    """Return inner products (K, K) whose cosines have no eigenvalue between 0 and the resolution, nor below 0.

    So gradients that depend on one another but for rounding do so exactly.
    """
    norms = products.diagonal().sqrt()
    scale = norms[:, None] * norms
    eigenvalues, vectors = torch.linalg.eigh(products / scale)
    if (eigenvalues >= resolution).all():
        return products
    kept = vectors * torch.where(eigenvalues < resolution, 0, eigenvalues).sqrt()
    return kept @ kept.mT * scale


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


def _room(part: Tensor | None, place: Tensor | GradientEdge, count: int, batched: bool) -> Tensor:
    """Return where the gradients of `count` values go, from one or a batch of them, or zeros in place of None."""
    if part is not None:
        return part.new_empty(count, *part.shape[batched:])
    return place.new_zeros(count, *place.shape) if isinstance(place, Tensor) else torch.zeros(count, 0)
