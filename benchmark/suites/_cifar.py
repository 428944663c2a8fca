"""What the CIFAR suites share."""

from torch import nn

from benchmark.models.vgg import vgg16
from benchmark.suites._cosine import CosineSGD
from benchmark.suites._few_labels import FewLabels


class FewCIFAR(CosineSGD, FewLabels):
    """VGG-16, SGD with momentum and a cosine schedule.

    Read in the preprint: network, label shares and validation share. Recalled, so named defaults: learning rates,
    200 epochs, the steps between two outer steps, the auxiliary share. Not known: the batch size, the weight decays,
    which are the paper's general ones, and the augmentation, which is the usual one.
    """

    official_size = 50_000
    padding, flip = 4, True
    grid = {"lr": (1e-1, 1e-2), "weight_decay": (5e-3, 5e-4, 5e-5)}
    defaults = {"auxilearn.outer_every": (5, 15, 25), "auxilearn.auxiliary_weight_decay": 1e-5}
    epochs = 200
    batch_size = 128
    evaluation_batch_size = 1000
    precision = "bfloat16"
    origins = {
        "label shares, validation share": "preprint",
        "network": "preprint",
        "auxiliary share": "recalled",
        "optimiser, learning rates, schedule, epochs": "recalled",
        "steps between two outer steps": "recalled",
        "weight decays": "summary",
        "batch size": "ours",
        "augmentation": "ours",
    }

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return VGG-16 for 32 pixels."""
        return vgg16()
