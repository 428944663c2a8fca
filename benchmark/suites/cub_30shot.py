"""CUB-200-2011 with 30 images a class and a generated auxiliary task: Table 3 of the paper."""

from torch import Tensor

from benchmark.cache import Split
from benchmark.suites._few_shots import FewShots
from benchmark.suites._photographs import halves, of_split


class CUB30Shot(FewShots):
    """200 kinds of birds, all training images, validation and test set of the suite `cub`.

    Recalled, so named defaults: the sizes of the sets, Adam and its learning rate, the steps between two outer steps;
    see `FewShots` for all else.
    """

    citation = "Wah et al., 2011; Navon et al., ICLR 2021, Table 3"
    datasets = ("cub",)
    main_task = "200 kinds of birds, 30 images a class"
    defaults = {**FewShots.defaults, "auxilearn.outer_every": (30, 60)}

    def pools(self, labels: Tensor, official: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the official training set, and half of the official test set for each of validation and test."""
        return of_split(official, Split.TRAIN), *halves(labels, official)
