"""MGDA: the shortest gradient in the convex hull of the tasks' gradients."""

from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor

from auxilearn import GradientWeighting, Parts, Problem

Normalise = Literal["none", "l2", "loss", "loss+"]

_TOLERANCE = 1e-12
"""Cosine below which the result does not conflict with a gradient."""


def min_norm_weights(gramian: Tensor) -> Tensor:
    """Return the weights (K,) of the shortest point d in the convex hull of gradients: w >= 0, of sum 1.

    By Wolfe's algorithm (Mathematical Programming 1976), exact but for rounding: <d, g_i> >= |d|^2 for all i.

    Args:
        gramian: Inner products of the gradients, none of which is 0, (K, K).
    """
    norms = gramian.diagonal().sqrt()
    cosines = gramian / norms.outer(norms)
    norms = norms / norms.max()
    weights = torch.zeros_like(norms)
    weights[norms.argmin()] = 1
    squared = torch.inf
    while True:
        slopes = norms * (cosines @ (norms * weights))
        excess = (slopes - weights @ slopes) / (norms * (norms @ weights))
        entering = int(excess.argmin())
        previous, squared = squared, float(weights @ slopes)
        if not (excess[entering] < -_TOLERANCE and squared < previous):  # shorter until rounding has the last word
            return weights
        corral = weights > 0
        corral[entering] = True
        weights = _shortest(cosines, norms, weights, corral)


def normalisers(gramian: Tensor, losses: Tensor, variant: Normalise) -> Tensor:
    """Return what each gradient is divided by first, (K,).

    Args:
        gramian: Inner products of the gradients, (K, K).
        losses: (K,), of which `loss` and `loss+` take the size.
        variant: `none` is 1, `l2` the gradient's norm, `loss` the loss and `loss+` the product of both.
    """
    scale = torch.ones_like(losses)
    if variant in ("loss", "loss+"):
        scale = scale * losses.abs().clamp(min=torch.finfo(torch.float32).tiny)
    return scale * gramian.diagonal().sqrt() if variant in ("l2", "loss+") else scale


class MGDA(GradientWeighting):
    """Multiple-gradient descent (Sener and Koltun, NeurIPS 2018, algorithm 2; Desideri, 2012).

    The direction is the shortest point d of the convex hull of the tasks' gradients. It conflicts with none,
    <d, g_i> >= |d|^2, and is 0 at a Pareto stationary point, but see below. `space="representation"` is the paper's
    MGDA-UB.

    Gradients of different size make all the difference: the shortest of them decides. `normalise` divides each by
    n_i first, as the authors' public code can: `none` by 1, `l2` by its norm, `loss` by its task's loss, `loss+` by
    both. Weights are w_i / n_i, with w of sum 1: without normalisation the direction is no longer than the shortest
    gradient.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation.

    Departures: solved exactly, by Wolfe's algorithm, where the paper's Frank-Wolfe is still off by a thousandth
    after 100 iterations with as few as seven tasks; normalised gradients are followed as they were compared, where
    the public code weights the losses that are not normalised by w alone; a gradient that is exactly 0, as that of a
    task without a label in the batch, is left out, while one that is nearly 0 makes d as short where gradients are not
    divided by their lengths.

    Args:
        problem: The model and its losses.
        normalise: What gradients are divided by before they are compared.
        **settings: See `GradientWeighting`.
    """

    citation = "Sener and Koltun, NeurIPS 2018, arXiv:1810.04650"
    needs = ("per-task gradients",)
    search_space: ClassVar = {"normalise": ("none", "l2", "loss", "loss+")}

    def __init__(self, problem: Problem, *, normalise: Normalise = "none", **settings: Any) -> None:
        super().__init__(problem, **settings)
        if normalise not in get_args(Normalise):
            raise ValueError(f"unknown normalise {normalise!r}; choose one of: {', '.join(get_args(Normalise))}")
        self.normalise: Normalise = normalise

    def rule(self, parts: Parts) -> Tensor:
        """Return the weights of the shortest point of the hull of the normalised gradients."""
        scale = normalisers(parts.gramian, parts.losses, self.normalise)
        return min_norm_weights(parts.gramian / (scale[:, None] * scale)) / scale


def _shortest(cosines: Tensor, norms: Tensor, weights: Tensor, corral: Tensor) -> Tensor:
    """Return the weights of the shortest point of the hull of a corral of gradients that holds the present one.

    Wolfe's minor cycle: towards the shortest point of the affine hull, and where that leaves the convex hull, to its
    edge, without the gradient whose weight is the first to reach 0.
    """
    while True:
        chosen = corral.nonzero()[:, 0]
        shares = norms.min() / norms[chosen]
        # <x, y> + c has the same shortest point in an affine hull, and is regular where the points are independent
        found, singular = torch.linalg.solve_ex(cosines[chosen][:, chosen] + shares.outer(shares), shares)
        if singular:  # dependent within rounding: the present point is as short as can be told
            return weights
        affine = shares * found
        target = torch.zeros_like(weights)
        target[chosen] = affine / affine.sum()
        leaving = chosen[target[chosen] <= 0]
        if not len(leaving):
            return target
        ratios = weights[leaving] / (weights[leaving] - target[leaving])
        weights = weights + ratios.min().clamp(0, 1) * (target - weights)
        out = leaving[ratios.argmin()]
        weights[out], corral[out] = 0, False
