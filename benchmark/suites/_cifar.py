"""What the CIFAR suites share."""

from typing import ClassVar

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

from benchmark.models.vgg import vgg16
from benchmark.suites._few_labels import FewLabels


class FewCIFAR(FewLabels):
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
    origins = {
        "label shares, validation share": "preprint",
        "network": "preprint",
        "auxiliary share": "recalled",
        "optimiser, learning rates, schedule, epochs": "recalled",
        "steps between two outer steps": "recalled",
        "weight decays": "table",
        "batch size": "ours",
        "augmentation": "ours",
    }
    momentum: ClassVar[float] = 0.9

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return VGG-16 for 32 pixels."""
        return vgg16()

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return SGD with momentum."""
        return torch.optim.SGD(model.parameters(), lr=lr, momentum=self.momentum, weight_decay=weight_decay)

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler:
        """Return half a cosine down to zero."""
        return CosineAnnealingLR(optimizer, epochs)
