"""What a device can do: the rate of a large matrix product, and the operations that a training step needs."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.data import Batch
from benchmark.spec import Precision

SIDES = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices, by type of device: large enough for its full rate."""

PRODUCTS = {"cpu": 4, "cuda": 50}
"""Products that are timed at once, by type of device."""


class Product:
    """Products of square matrices of random numbers.

    Args:
        device: Where they are multiplied.
        precision: In which type.
    """

    def __init__(self, device: torch.device, precision: Precision) -> None:
        self.side, self.count = SIDES[device.type], PRODUCTS[device.type]
        shape = (self.side, self.side)
        self._left, self._right, self._out = (
            torch.randn(shape, device=device, dtype=getattr(torch, precision)) for _ in range(3)
        )

    def __call__(self) -> None:
        """Multiply `count` times."""
        for _ in range(self.count):
            torch.matmul(self._left, self._right, out=self._out)

    @property
    def flop(self) -> int:
        """Floating-point operations of one call, a multiplication and an addition counted as two."""
        return 2 * self.side**3 * self.count


def step_flop(model: nn.Module, loss: Callable[[nn.Module, Batch], Tensor], batch: Batch) -> int:
    """Return the floating-point operations of the matrix products and convolutions of a pass forward and back.

    Nothing is computed: the network and the batch are without values.

    Args:
        model: The network.
        loss: What is differentiated.
        batch: A batch of full size.
    """
    empty = copy.deepcopy(model).to("meta").train()
    targets = tuple(target.to("meta") for target in batch.targets)
    with FlopCounterMode(display=False) as counter:
        loss(empty, Batch(batch.inputs.to("meta"), targets)).backward()
    return counter.get_total_flops()
