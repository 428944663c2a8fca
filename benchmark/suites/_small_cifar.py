"""What the CIFAR suites for machines without a GPU share."""

from torch import nn

from benchmark.models.convnet import FOUR_NARROW, convnet
from benchmark.suites._cifar import FewCIFAR


class SmallCIFAR:
    """A ConvNet of four layers in place of VGG-16 and 30 epochs instead of 200, to be named before the full suite.

    Nothing of it is comparable with the published numbers, which are the full suite's, and none are shown beside it.
    AuxiLearn's outer steps follow after 5 steps, since there are a seventh as many; the grid is a part of the full one.
    """

    grid = {"lr": (1e-1, 1e-2), "weight_decay": (5e-4,)}
    defaults = {**FewCIFAR.defaults, "auxilearn.outer_every": 5}
    epochs = 30
    precision = "float32"
    origins = {
        "label shares, validation share": "preprint",
        "auxiliary share": "recalled",
        "optimiser": "recalled",
        "network, epochs, grid, steps between outer steps, batch size, augmentation": "ours",
    }

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return four convolutional layers."""
        return convnet(3, FOUR_NARROW, pixels=32)
