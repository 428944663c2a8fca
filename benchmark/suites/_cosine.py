"""The optimiser that several suites of the paper's Table 3 share."""

from typing import ClassVar

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler


class CosineSGD:
    """SGD with momentum and a cosine schedule, to be named before the suite that is to have it.

    Attributes:
        momentum: Momentum of SGD.
    """

    momentum: ClassVar[float] = 0.9

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return SGD with momentum."""
        return torch.optim.SGD(model.parameters(), lr=lr, momentum=self.momentum, weight_decay=weight_decay)

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler:
        """Return half a cosine down to zero."""
        return CosineAnnealingLR(optimizer, epochs)
