"""MNIST with few labels and a generated auxiliary task: the table of the paper's first preprint."""

from typing import ClassVar

from torch import nn

from benchmark.models.convnet import TWO_LAYERS, convnet
from benchmark.suites._few_labels import FewLabels


class MNIST(FewLabels):
    """2-layer ConvNet; the preprint gives neither its widths nor grid and budget: those here are named defaults.

    Attributes:
        widths: Channels of the two layers.
    """

    citation = "LeCun et al., 1998; Navon et al., arXiv:2007.02693v1, Table 3"
    datasets = ("mnist",)
    main_task = "ten digits, labels for 5, 10 or 15 % of the training images"
    official_size = 60_000
    mean, std = (0.1307,), (0.3081,)
    grid = {"lr": (1e-2, 1e-3, 1e-4), "weight_decay": (5e-4, 5e-5)}
    defaults = {"auxilearn.outer_every": 15, "auxilearn.auxiliary_weight_decay": 1e-5}
    origins = {
        "label shares, validation share": "preprint",
        "network of two convolutional layers": "preprint",
        "its widths": "ours",
        "auxiliary share": "recalled",
        "optimiser, grid, epochs, batch size": "ours",
        "steps between two outer steps": "ours",
    }
    epochs = 20
    sample_epochs = 20
    batch_size = 128
    widths: ClassVar[tuple[int, int]] = TWO_LAYERS

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return two convolutional layers."""
        return convnet(1, self.widths, pixels=28)
