"""The bargaining solution of Nash: weights a > 0 of the tasks' gradients with G a = p / a."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from auxilearn.gradient_weighting import GradientWeighting, Parts
from auxilearn.method import Problem
from auxilearn.task_gradients import Output

FINEST_RESOLUTION = 1e-9
"""Least resolution, for each gradient, that the solver works with in float64."""

_MOST_STEPS = 200


class Agreement(NamedTuple):
    """A solution of G a = p / a.

    Attributes:
        weights: a, (K,), positive.
        gramian: The G that they solve, (K, K): the one that was given, or that with a ridge.
    """

    weights: Tensor
    gramian: Tensor


def agreement(gramian: Tensor, preferences: Tensor, *, resolution: float = 0.0) -> Agreement:
    """Return the weights a > 0 with G a = p / a, by damped Newton on the convex a^T G a / 2 - sum_i p_i log a_i.

    Its length is fixed: a^T G a = sum p. It is solved for unit gradients, u_i with weights b_i = a_i |g_i|, so that
    neither the result's direction nor its precision depends on the scales of the losses.

    Where a combination of gradients with weights >= 0 vanishes (the point is Pareto stationary) there is no solution:
    b grows without bound. Solutions with |b|^2 > sum p / resolution, whose combination b / |b| of unit gradients is
    shorter than the gradients' rounding, count as none, and the unit gradients' G gets that resolution added to its
    diagonal. Tasks that cancel then add next to nothing to the direction, which follows the others if there are any.

    Args:
        gramian: G, inner products of gradients that are not 0, (K, K), positive semidefinite, float64.
        preferences: p > 0, (K,), float64.
        resolution: Squared length below which a combination of unit gradients is rounding.
    """
    norms = gramian.diagonal().sqrt()
    cosines = gramian / (norms[:, None] * norms)
    resolution = max(resolution, FINEST_RESOLUTION * len(norms))
    scaled = _descend(cosines, preferences, longest=float(preferences.sum()) / resolution)
    if scaled is None:
        ridge = resolution * torch.eye(len(norms), dtype=norms.dtype)
        scaled = _descend(cosines + ridge, preferences, longest=torch.inf)
        gramian = gramian + ridge * norms.square()
    if scaled is None:
        raise ValueError("the inner products of the gradients are not positive semidefinite")
    return Agreement(scaled / norms, gramian)


def preference_gradient(agreed: Agreement, preferences: Tensor, weight_gradient: Tensor) -> Tensor:
    """Return dL/dp, (K,), from dL/da, (K,).

    Differentiating G a = p / a gives (G + diag(p / a^2)) da = dp / a (Shamsian et al., ICML 2023, Proposition 4.2).

    Args:
        agreed: a and its G.
        preferences: p, (K,).
        weight_gradient: dL/da, (K,).
    """
    norms = agreed.gramian.diagonal().sqrt()
    scaled = agreed.weights * norms
    curvature = agreed.gramian / (norms[:, None] * norms) + (preferences / scaled.square()).diag()
    return torch.linalg.solve(curvature, weight_gradient / norms) / scaled


class Bargaining(GradientWeighting):
    """Base of methods whose weights are a bargaining solution, G a = p / a.

    Args:
        problem: The model and its losses.
        max_norm: Largest norm of the gradient on the shared parameters; 0 does not clip.
        update_every: Steps from one solution to the next; those between reuse its weights and cost no more than
            equal weighting. A part without a gradient at a solution keeps the weight it had.
        **settings: See `GradientWeighting`.
    """

    kept: Tensor

    def __init__(self, problem: Problem, *, max_norm: float = 1.0, update_every: int = 1, **settings: Any) -> None:
        super().__init__(problem, **settings)
        if max_norm < 0:
            raise ValueError(f"max_norm must not be negative; found {max_norm}")
        if update_every < 1:
            raise ValueError(f"update_every must be at least 1; found {update_every}")
        self.max_norm, self.update_every, self.steps = max_norm, update_every, 0
        self.register_buffer("kept", torch.ones(len(self.get_buffer("members"))))

    def get_extra_state(self) -> dict[str, Any]:
        """Return the number of steps, on the host, where `update_every` asks for it."""
        return {**super().get_extra_state(), "steps": self.steps}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        super().set_extra_state(state)
        self.steps = state["steps"]

    def preferences_of(self, parts: Parts) -> Tensor:
        """Return p of the parts that have a gradient, (K,), in float64 on the CPU: 1 for each."""
        return torch.ones_like(parts.losses)

    def rule(self, parts: Parts) -> Tensor:
        """Return the bargaining solution."""
        return agreement(parts.gramian, self.preferences_of(parts), resolution=parts.resolution).weights

    def direction(
        self, values: Tensor, shared: Sequence[Tensor], outputs: Sequence[Output]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return weights and their sum of gradients, by a new solution where one is due, clipped."""
        if self.steps % self.update_every == 0:
            weights, found = super().direction(values, shared, outputs)
            self.kept.copy_(torch.where(weights > 0, weights, self.kept))
        else:
            weights = self.kept.to(values)
            found = list(torch.autograd.grad(weights @ values, shared, materialize_grads=True))
        self.steps += 1
        if not self.max_norm:
            return weights, found
        norm = torch.stack([part.norm() for part in found]).norm()
        factor = (self.max_norm / norm).clamp(max=1)
        return factor * weights, [factor * part for part in found]


def _descend(matrix: Tensor, preferences: Tensor, *, longest: float) -> Tensor | None:
    """Return the minimiser b of b^T M b / 2 - sum_i p_i log b_i, or None once |b|^2 exceeds `longest`."""
    point, close = preferences.sqrt(), 0
    for _ in range(_MOST_STEPS):
        gradient = matrix @ point - preferences / point
        factor, failed = torch.linalg.cholesky_ex(matrix + (preferences / point.square()).diag())
        if failed or point @ point > longest:
            return None
        step = -torch.cholesky_solve(gradient[:, None], factor)[:, 0]
        slope = gradient @ step
        if (-slope < 1e-6 * preferences).all():  # so near that each step squares the error
            point, close = point + step, close + 1
            if close == 3:
                return point
        else:
            point = point + _damping(matrix, preferences, point, step, slope=float(slope)) * step
    return None


def _damping(matrix: Tensor, preferences: Tensor, point: Tensor, step: Tensor, *, slope: float) -> float:
    """Return how much of a Newton step keeps b positive and lowers the objective as it should (Armijo)."""

    def objective(at: Tensor) -> float:
        return float(at @ matrix @ at / 2 - preferences @ at.log())

    start = objective(point)
    share = min(1.0, 0.9 / float((-step / point).max().clamp(min=0.1)))
    while objective(point + share * step) > start + share * slope / 4 and share > 1e-9:
        share /= 2
    return share
