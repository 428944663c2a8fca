"""How far MAXL's generator looks ahead, other than by its own rule."""

from typing import Any, Literal

import torch
from torch import Tensor

from auxilearn.gradients import Randomness, repeatable_means
from auxilearn.method import Batch, trainable

LookAhead = Literal["own", "none", "as long as the last step"]
"""How far MAXL's generator looks ahead.

"own" is a step of plain gradient descent with the network's rate. With "none" the main loss says nothing of the labels:
the generator learns from their entropy, and its weight decay, alone. The last is a step of plain gradient descent as
long as the network's last step, by its own optimiser; before the first one it is none.
"""


class AsLong:
    """The rate at which a step of plain gradient descent is as long as the last one that the network has made.

    It is asked before every step.
    """

    def __init__(self, method: Any) -> None:
        self._method = method
        self._before = self._place()

    def __call__(self, train: Batch) -> float:
        """Return the rate for a step on a batch, by the loss that the network is trained with; 0 before any step."""
        method, place = self._method, self._place()
        params, randomness = dict(trainable(method.problem.model)), Randomness()
        with randomness.replayed():
            labels = method.targets(train).detach()
        loss = repeatable_means(method.problem, train, randomness, labels)(params).sum()
        gradient = torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(params.values()))])
        length = (place - self._before).norm()
        self._before = place
        return float(length / gradient.norm())

    def _place(self) -> Tensor:
        return torch.cat([value.detach().flatten() for _, value in trainable(self._method.problem.model)])
