"""IMTL-G: the direction whose projections onto all tasks' gradients are equal."""

import torch
from torch import Tensor

from auxilearn import GradientWeighting, Parts
from baselines._torchjd import torchjd_weights


def impartial_weights(gramian: Tensor) -> Tensor:
    """Return the weights (K,), of sum 1, for which <d, g_i> / |g_i| is the same for all i.

    Solved for unit gradients, so that those of very different scale are as well told apart as others.

    Args:
        gramian: Inner products of gradients that are not 0, (K, K); where they depend on one another the
            pseudo-inverse takes the place of the inverse.
    """
    norms = gramian.diagonal().sqrt()
    weights = torchjd_weights("IMTLGWeighting", gramian / norms.outer(norms)) / norms
    total = weights.sum()
    return torch.where(total == 0, 0, weights / total)


class IMTLG(GradientWeighting):
    """Impartial multi-task learning, the gradient part (Liu, Li, Kuang, Xue, Chen, Yang, Liao and Zhang, ICLR 2021).

    Weights are such that the direction's projections onto all unit gradients are equal (Section 3.1), with sum 1.
    They may be negative; where they are before they are scaled to sum 1, so that their sum is negative, the published
    rule, followed here, climbs all losses, which more than two tasks of very different gradient norms can cause.
    `space="representation"` is the paper's own choice of gradients.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation.

    Departures: where gradients depend on one another, the pseudo-inverse of the inner products of unit gradients, as
    Quinton and Rey generalise the rule (2024); without the paper's loss part, IMTL-L. Where the weights
    nearly cancel before they are scaled to sum 1, the direction is many times as long as the longest gradient; of
    independent gradients of one length it never is longer.
    """

    citation = "Liu, Li, Kuang, Xue, Chen, Yang, Liao and Zhang, ICLR 2021, openreview:IMPnRXEWpvr"
    needs = ("per-task gradients",)

    def rule(self, parts: Parts) -> Tensor:
        """Return the weights of the impartial direction."""
        return impartial_weights(parts.gramian)
