"""The implicit hypergradient: - grad L_A^T H^-1 d^2 L_T / dW dphi, with H the Hessian of L_T in W."""

import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from auxilearn.gradients import dual_level
from auxilearn.hessian import (
    HessianKind,
    Objective,
    Parameters,
    Product,
    as_leaves,
    flatten,
    gradients,
    hessian_product,
    unflatten,
    value_and_gradient,
)
from auxilearn.solvers import Solution, inner, length


class Hypergradient(NamedTuple):
    """The hypergradient and what was met on the way.

    Attributes:
        gradients: dL_A / dphi, one tensor for each of phi.
        held_out_loss: L_A, 0-dim.
        cosine: Between H^-1 grad L_A and grad L_A, 0-dim: one where the curvature had no effect.
        residual: |b - H x| / |b| as the solver says, 0-dim; NaN where it does not know it, see `Solution`.
        stopped: Whether the solver gave up early, see `Solution`.
    """

    gradients: list[Tensor]
    held_out_loss: Tensor
    cosine: Tensor
    residual: Tensor
    stopped: bool


def hypergradient(
    train: Sequence[Objective],
    held_out: Sequence[Objective],
    params: Parameters,
    phi: Sequence[Tensor],
    *,
    solve: Callable[[Product, Tensor], Solution] | None = None,
    hessian: HessianKind = "exact",
) -> Hypergradient:
    """Return the implicit hypergradient of L_A, of which phi is no direct argument (the paper, Eq. 4).

    Nothing is changed: neither parameters nor any `.grad`.

    Args:
        train: L_T, one objective a batch, averaged; it uses the tensors of `phi`.
        held_out: L_A, one objective a batch, averaged.
        params: W by name.
        phi: The outer parameters, which require grad.
        solve: A solver with its settings: from products with H and grad L_A (n,) to H^-1 grad L_A. None takes H
            for the identity (Luketina et al. 2016), without a product.
        hessian: How products with H are made, see `hessian_product`.
    """
    loss, direction = value_and_gradient(held_out, params)
    cosine, residual, stopped = torch.ones_like(loss), torch.full_like(loss, torch.nan), False
    if solve is not None:
        gradient = flatten(direction.values())
        solution, residual, stopped = solve(hessian_product(train, params, kind=hessian), gradient)
        cosine = inner(solution, gradient) / (length(solution) * length(gradient))
        direction = unflatten(solution, params)
    found = [-part for part in mixed_partial(train, params, direction, phi)]
    return Hypergradient(found, loss, cosine, residual, stopped)


def mixed_partial(
    objectives: Sequence[Objective], params: Parameters, direction: Parameters, phi: Sequence[Tensor]
) -> list[Tensor]:
    """Return v^T d^2 L / dW dphi, one tensor for each of phi.

    By one forward-mode pass along v: the network's losses z come with J_z v, nothing of the network is recorded
    for reverse mode, and <dL/dz(z; phi), J_z v> is back-propagated through the small network of phi only. Where
    an operator has no forward mode, by double backward, with a warning that names it.

    Args:
        objectives: Scalar losses, averaged.
        params: W by name.
        direction: v by name.
        phi: Tensors that require grad and that the objectives use.
    """
    try:
        slopes = [_slope_forward(objective, params, direction) for objective in objectives]
    except (NotImplementedError, RuntimeError) as error:
        if "forward AD" not in str(error) and "forward mode AD" not in str(error):
            raise
        warnings.warn(f"no forward mode, so the slower double backward: {error} {_origin(error)}", stacklevel=2)
        slopes = [_slope_backward(objective, params, direction) for objective in objectives]
    slope = torch.stack(slopes).mean()
    if not slope.requires_grad:
        return [torch.zeros_like(tensor) for tensor in phi]
    return list(torch.autograd.grad(slope, phi, allow_unused=True, materialize_grads=True))


def _origin(error: Exception) -> str:
    # torch names its own operators, but not a custom autograd.Function
    frames = traceback.extract_tb(error.__traceback__)
    inside = str(Path(torch.__file__).parent)
    frame = [frame for frame in frames if not frame.filename.startswith(inside)][-1]
    return f"(at {frame.filename}:{frame.lineno}: {frame.line})"


def _slope_forward(objective: Objective, params: Parameters, direction: Parameters) -> Tensor:
    """Return the derivative along `direction`, 0-dim, differentiable in phi alone."""
    with dual_level():
        duals = {name: forward_ad.make_dual(value.detach(), direction[name].detach()) for name, value in params.items()}
        value, slope = forward_ad.unpack_dual(objective(duals))
        return torch.zeros_like(value) if slope is None else slope


def _slope_backward(objective: Objective, params: Parameters, direction: Parameters) -> Tensor:
    leaves = as_leaves(params)
    parts = gradients(objective(leaves), leaves, create_graph=True)
    return torch.stack([(part * direction[name]).sum() for name, part in zip(leaves, parts, strict=True)]).sum()
