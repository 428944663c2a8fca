"""Gradients, and products with the Hessian, of scalar losses of a network's parameters by name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

Parameters = Mapping[str, Tensor]
Objective = Callable[[Parameters], Tensor]
"""A scalar loss as a function of the parameters by name, the same at each call (its dropout masks included)."""

Product = Callable[[Tensor], Tensor]
"""Multiplies a symmetric matrix (n, n) with a vector (n,); the caller may overwrite the result."""

HessianKind = Literal["exact", "difference"]


def value_and_gradient(objectives: Sequence[Objective], params: Parameters) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the mean of the objectives, 0-dim, and its gradient by name, zeros where nothing depends on it.

    Done one objective after the other: memory is that of one.
    """
    leaves = as_leaves(params)
    values, total = [], None
    for objective in objectives:
        value = objective(leaves)
        part = gradients(value, leaves)
        values.append(value.detach())
        # not in place: autograd may return one tensor for two parameters
        total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    if total is None:
        raise ValueError("no objective: pass at least one batch")
    if len(values) > 1:
        total = [part / len(values) for part in total]
    return torch.stack(values).mean(), dict(zip(params, total, strict=True))


def hessian_product(objectives: Sequence[Objective], params: Parameters, *, kind: HessianKind) -> Product:
    """Return the product with the Hessian of the objectives' mean; what all products share is done at the first.

    Args:
        objectives: Scalar losses, averaged.
        params: Where the Hessian is taken.
        kind: "exact" differentiates the gradient once more (reverse over reverse). "difference" takes the
            difference of two gradients: half the time and no graph to keep, but no more than two digits in
            float32, and none with ReLU, where the kinks between the two points outweigh the curvature.
    """
    make = {"exact": _exact_product, "difference": _difference_product}[kind]
    made: list[Product] = []

    def product(vector: Tensor) -> Tensor:
        if not made:
            made.append(make(objectives, params))
        return made[0](vector)

    return product


def flatten(tensors: Iterable[Tensor]) -> Tensor:
    """Return all entries as one vector, (n,)."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(vector: Tensor, params: Parameters) -> dict[str, Tensor]:
    """Return the entries of `vector` (n,) in the shapes of `params`, without a copy."""
    parts = vector.split([value.numel() for value in params.values()])
    return {name: part.view(params[name].shape) for name, part in zip(params, parts, strict=True)}


def as_leaves(params: Parameters) -> dict[str, Tensor]:
    """Return the same values as leaves of a new graph."""
    return {name: value.detach().requires_grad_() for name, value in params.items()}


def gradients(value: Tensor, leaves: Parameters, *, create_graph: bool = False) -> Sequence[Tensor]:
    """Return the gradient of `value` in each leaf, zeros where it does not depend on one."""
    return torch.autograd.grad(
        value, tuple(leaves.values()), create_graph=create_graph, allow_unused=True, materialize_grads=True
    )


def _exact_product(objectives: Sequence[Objective], params: Parameters) -> Product:
    leaves = as_leaves(params)
    graphs = [gradients(objective(leaves), leaves, create_graph=True) for objective in objectives]

    def pull_back(graph: Sequence[Tensor], parts: Iterable[Tensor]) -> Tensor:
        # a gradient without a graph is constant: its row of the Hessian is zero
        pairs = [pair for pair in zip(graph, parts, strict=True) if pair[0].requires_grad]
        outputs, cotangents = zip(*pairs, strict=True) if pairs else ((), ())
        return flatten(
            torch.autograd.grad(
                outputs,
                tuple(leaves.values()),
                cotangents,
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
        )

    def product(vector: Tensor) -> Tensor:
        parts = unflatten(vector, params)
        return _mean(pull_back(graph, parts.values()) for graph in graphs)

    return product


def _difference_product(objectives: Sequence[Objective], params: Parameters) -> Product:
    base = flatten(value_and_gradient(objectives, params)[1].values())
    point = flatten(value.detach() for value in params.values())
    smallest = torch.finfo(point.dtype).eps
    scale = smallest**0.5 * (1 + point.norm())

    def product(vector: Tensor) -> Tensor:
        step = scale / vector.norm().clamp(min=smallest)
        moved = unflatten(point.addcmul(vector, step), params)
        return flatten(value_and_gradient(objectives, moved)[1].values()).sub_(base).div_(step)

    return product


def _mean(vectors: Iterator[Tensor]) -> Tensor:
    # in the memory of the first: vectors as long as a network are dear to allocate
    total, count = next(vectors), 1
    for vector in vectors:
        total += vector
        count += 1
    return total.div_(count) if count > 1 else total
