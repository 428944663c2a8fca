"""SVHN with few labels and a generated auxiliary task: Table 3 of the paper."""

from torch import nn

from benchmark.models.convnet import FOUR_LAYERS, convnet
from benchmark.suites._cosine import CosineSGD
from benchmark.suites._few_labels import FewLabels


class SVHN(CosineSGD, FewLabels):
    """Digits of house numbers, labels for 5 % of the training images; a ConvNet of four layers.

    Read in the table: the share of labels; in the preprint: the share that validates. Recalled, so named defaults:
    network, optimiser, learning rate and schedule, epochs. Ours: widths of the layers, batch size, no augmentation,
    the auxiliary share, the steps between two outer steps; the weight decays are the paper's general ones.
    """

    citation = "Netzer et al., 2011; Navon et al., ICLR 2021, Table 3"
    datasets = ("svhn",)
    settings = ("5%",)
    main_task = "ten digits of house numbers of 32 x 32 pixels, labels for 5 % of the training images"
    official_size = 73_257
    mean, std = (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)
    grid = {"lr": (1e-1,), "weight_decay": (5e-3, 5e-4, 5e-5)}
    defaults = {"auxilearn.outer_every": 15, "auxilearn.auxiliary_weight_decay": 1e-5}
    epochs = 50
    batch_size = 128
    evaluation_batch_size = 1000
    origins = {
        "settings": "table",
        "share that validates": "preprint",
        "network": "recalled",
        "optimiser and schedule": "recalled",
        "learning rate": "recalled",
        "epochs": "recalled",
        "weight decays": "summary",
        "widths of the layers": "ours",
        "batch size": "ours",
        "augmentation": "ours",
        "auxiliary share": "ours",
        "steps between outer steps": "ours",
    }

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return four convolutional layers."""
        return convnet(3, FOUR_LAYERS, pixels=32)
