"""Stored point clouds as network inputs: scaled and shifted per sample, a batch at a time on their device."""

import torch
from torch import Tensor


class Points:
    """Reads batches of inputs (B, 3, P) from stored points (N, 3, P).

    Training samples are scaled by a factor of their own and shifted along each axis, by draws from a CPU generator,
    so that every device sees the same ones.

    Args:
        generator: Draws factors and shifts.
        scales: Least and largest factor.
        shift: Largest shift along an axis.
    """

    def __init__(self, generator: torch.Generator, *, scales: tuple[float, float], shift: float) -> None:
        self.generator = generator
        self._scales, self._shift = scales, shift

    def training(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the points at `index` (B,) as training inputs, (B, 3, P)."""
        low, high = self._scales
        scales = low + (high - low) * torch.rand(len(index), 1, 1, generator=self.generator)
        shifts = self._shift * (2 * torch.rand(len(index), 3, 1, generator=self.generator) - 1)
        return stored[index] * scales.to(stored.device) + shifts.to(stored.device)

    def evaluation(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the points at `index` (B,) as they are stored, (B, 3, P)."""
        return stored[index]
