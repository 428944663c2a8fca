"""MAXL-F: auxiliary labels of a generator that is never trained."""

from auxilearn import LabelMethod, LabelProblem


class MAXLF(LabelMethod):
    """Train on the labels of a generator frozen at random (Navon et al., ICLR 2021, Table 3; MAXL: Liu et al. 2019).

    The control that says what of MAXL's gain is due to learning the labels: each main class is divided into
    sub-classes by a fixed random function of the input, and main plus auxiliary loss is minimised.

    Cost: an equal-weighting step and a pass through the generator.

    Departures: none. The generator's BatchNorm, if it has one, normalises by the batch, as while MAXL trains it.

    Args:
        problem: The model, its losses and the backbone of the generator.
    """

    citation = "Navon, Achituve, Maron, Chechik and Fetaya, ICLR 2021, arXiv:2007.02693"

    def __init__(self, problem: LabelProblem) -> None:
        super().__init__(problem)
        self.generator.requires_grad_(False)
