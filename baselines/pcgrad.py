"""PCGrad: project each task's gradient off those that it conflicts with."""

from torch import Tensor

from auxilearn import GradientWeighting
from baselines._torchjd import torchjd_weights


class PCGrad(GradientWeighting):
    """Gradient surgery (Yu, Kumar, Gupta, Levine, Hausman and Finn, NeurIPS 2020, algorithm 1).

    Each task's gradient loses, for the other tasks in a random order, its component along theirs where the two
    conflict; shared parameters follow the sum. All of it happens in the span of the gradients, so that inner
    products suffice; torchjd computes it.

    Departures: none.
    """

    citation = "Yu, Kumar, Gupta, Levine, Hausman and Finn, NeurIPS 2020, arXiv:2001.06782"
    needs = ("per-task gradients",)

    def rule(self, gramian: Tensor) -> Tensor:
        """Return the weights of the sum of projected gradients."""
        return torchjd_weights("PCGradWeighting", gramian)
