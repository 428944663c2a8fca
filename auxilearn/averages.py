"""Running means over the steps of an epoch."""

import torch
from torch import Tensor, nn


class EpochMean(nn.Module):
    """Mean of a vector (T,) over the steps of the epoch so far; before the first step, over the last epoch's.

    Args:
        initial: The value before anything was noted, (T,).
    """

    totals: Tensor
    steps: Tensor
    last: Tensor

    def __init__(self, initial: Tensor) -> None:
        super().__init__()
        self.register_buffer("totals", torch.zeros_like(initial))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("last", initial.clone())

    def note(self, values: Tensor) -> None:
        """Add the values of one step, (T,)."""
        self.totals += values
        self.steps += 1

    def end_epoch(self) -> None:
        """Keep the epoch's mean and start a new one; an epoch without a step keeps the one before."""
        self.last.copy_(self.value())
        self.totals.zero_()
        self.steps.zero_()

    def value(self) -> Tensor:
        """Return the mean, (T,)."""
        return torch.where(self.steps > 0, self.totals / self.steps.clamp(min=1), self.last)
