"""The one file that knows torchjd: its weightings as rules on inner products of gradients."""

from typing import Any

from torch import Tensor


def torchjd_weights(weighting: str, gramian: Tensor, **settings: Any) -> Tensor:
    """Return the weights (K,) that a weighting of torchjd gives to gradients with these inner products (K, K).

    All gradients are scaled alike to a mean squared norm of 1 first: torchjd takes small ones for 0.

    Args:
        weighting: Name of a class in `torchjd.aggregation` that takes a Gramian and whose weights depend on no common
            scale of the gradients.
        gramian: Inner products of the gradients, not all of them 0.
        settings: Arguments of the class.
    """
    from torchjd import aggregation  # takes a moment, which listing the methods does not need

    return getattr(aggregation, weighting)(**settings)(gramian / gramian.diagonal().mean())
