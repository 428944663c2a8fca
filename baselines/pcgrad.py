"""PCGrad: project each task's gradient off those that it conflicts with."""

from torch import Tensor

from auxilearn import GradientWeighting, Parts
from baselines._torchjd import torchjd_weights


def projected_weights(gramian: Tensor) -> Tensor:
    """Return the weights (K,) of the sum of projected gradients, from inner products (K, K).

    Draws the order of the projections from torch's global generator.
    """
    return torchjd_weights("PCGradWeighting", gramian)


class PCGrad(GradientWeighting):
    """Gradient surgery (Yu, Kumar, Gupta, Levine, Hausman and Finn, NeurIPS 2020, algorithm 1).

    Each task's gradient loses, for the other tasks in a random order, its component along theirs where the two
    conflict; shared parameters follow the sum. All of it happens in the span of the gradients, so that inner
    products suffice; torchjd computes it. Weights are at least 1 each, and 1 where nothing conflicts: the scale is
    that of a sum of losses.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation, with tens of groups: torchjd's projections take a time of their own that grows
    with the square of their number, some steps' worth for hundreds.

    Departures: none. The order comes from torch's global generator, so dropout masks differ from other methods'.
    """

    citation = "Yu, Kumar, Gupta, Levine, Hausman and Finn, NeurIPS 2020, arXiv:2001.06782"
    needs = ("per-task gradients",)

    def rule(self, parts: Parts) -> Tensor:
        """Return the weights of the sum of projected gradients."""
        return projected_weights(parts.gramian)
