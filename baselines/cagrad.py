"""CAGrad: near the mean gradient, the direction along which the slowest task falls fastest."""

from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor

from auxilearn import GradientWeighting, Parts, Problem
from baselines._torchjd import torchjd_weights

Rescale = Literal["none", "1+c", "1+c^2"]


def conflict_averse_weights(gramian: Tensor, *, c: float) -> Tensor:
    """Return the weights (K,) of argmax_d min_i <g_i, d> over |d - g_0| <= c |g_0|, with g_0 the mean gradient.

    Args:
        gramian: Inner products of the gradients, (K, K).
        c: Radius of the ball, in units of |g_0|.
    """
    weights = torchjd_weights("CAGradWeighting", gramian, c=c)
    if c < 1 and not weights.any():
        return torch.full_like(weights, 1 / len(weights))
    return weights


class CAGrad(GradientWeighting):
    """Conflict-averse gradient descent (Liu, Liu, Jin, Stone and Liu, NeurIPS 2021, algorithm 1).

    d = g_0 + c |g_0| g_w / |g_w|, with g_0 the mean gradient and w on the simplex the minimiser of
    <g_w, g_0> + c |g_0| |g_w|; c = 0 follows the mean. The scale is that of a mean of losses: weights are at least
    1 / K each, and larger in sum than 1. torchjd finds w, by an interior-point solver.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation; and some ten milliseconds for the solver.

    Departures: `rescale` divides by 1 + c or, as the authors' code does by default, by 1 + c^2, which the paper does
    not and which the learning rate can make up for; where g_w vanishes and c < 1, so that its direction is rounding,
    the mean is followed, which is in the ball, where torchjd returns 0, which is not. torchjd takes g_w for vanished
    below a length of 1e-4 relative to the gradients', which gradients whose lengths differ by 1e4 reach too.

    Args:
        problem: The model and its losses.
        c: Radius of the ball around the mean gradient, in units of its norm.
        rescale: What the direction is divided by.
        **settings: See `GradientWeighting`.
    """

    citation = "Liu, Liu, Jin, Stone and Liu, NeurIPS 2021, arXiv:2110.14048"
    needs = ("per-task gradients",)
    search_space: ClassVar = {"c": (0.2, 0.4, 0.6)}

    def __init__(self, problem: Problem, *, c: float = 0.4, rescale: Rescale = "none", **settings: Any) -> None:
        super().__init__(problem, **settings)
        if c < 0:
            raise ValueError(f"c must not be negative; found {c}")
        if rescale not in get_args(Rescale):
            raise ValueError(f"unknown rescale {rescale!r}; choose one of: {', '.join(get_args(Rescale))}")
        self.c = c
        self.divisor = {"none": 1.0, "1+c": 1 + c, "1+c^2": 1 + c**2}[rescale]

    def rule(self, parts: Parts) -> Tensor:
        """Return the weights of the conflict-averse direction."""
        return conflict_averse_weights(parts.gramian, c=self.c) / self.divisor
