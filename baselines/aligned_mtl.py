"""Aligned-MTL: give the system of the tasks' gradients equal principal components."""

from typing import Any, ClassVar, Literal, get_args

from torch import Tensor

from auxilearn import GradientWeighting, Parts, Problem
from baselines._torchjd import torchjd_weights

ScaleMode = Literal["min", "median", "rmse"]


def aligned_weights(gramian: Tensor, *, scale_mode: ScaleMode) -> Tensor:
    """Return the weights (K,) of the mean of the aligned gradients.

    With the singular value decomposition G = U S V^T of the gradients, aligned ones are s U V^T: of all matrices
    whose singular values are equal, the nearest.

    Args:
        gramian: Inner products of the gradients, (K, K).
        scale_mode: s^2: the smallest eigenvalue of the Gramian that is not 0, the median of those or their mean.
    """
    return torchjd_weights("AlignedMTLWeighting", gramian, scale_mode=scale_mode)


class AlignedMTL(GradientWeighting):
    """Independent component alignment (Senushkin, Patakin, Kuznetsov and Konushin, CVPR 2023, algorithm 1).

    The gradients are replaced by the nearest system whose singular values are equal, so that its condition number is
    1, and their mean is followed. `space="representation"` is the paper's Aligned-MTL-UB. Weights sum to no fixed
    number, and may be negative: with `scale_mode="min"`, as in the paper, the step is as short as the smallest
    singular value.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation.

    Departures: the mean of the aligned gradients, where the authors' code sums them, which the learning rate can make
    up for; `median` and `rmse` are variants of their code. A gradient some 1e7 times shorter than the longest counts as
    rounding, and with `min` the scale then jumps to the next one's.

    Args:
        problem: The model and its losses.
        scale_mode: Which singular value all are set to, see `aligned_weights`.
        **settings: See `GradientWeighting`.
    """

    citation = "Senushkin, Patakin, Kuznetsov and Konushin, CVPR 2023, arXiv:2305.19000"
    needs = ("per-task gradients",)
    search_space: ClassVar = {"scale_mode": ("min", "median", "rmse")}

    def __init__(self, problem: Problem, *, scale_mode: ScaleMode = "min", **settings: Any) -> None:
        super().__init__(problem, **settings)
        if scale_mode not in get_args(ScaleMode):
            raise ValueError(f"unknown scale_mode {scale_mode!r}; choose one of: {', '.join(get_args(ScaleMode))}")
        self.scale_mode: ScaleMode = scale_mode

    def rule(self, parts: Parts) -> Tensor:
        """Return the weights of the mean of the aligned gradients."""
        return aligned_weights(parts.gramian, scale_mode=self.scale_mode)
