"""The one file that knows torchjd: its weightings as rules on inner products of gradients."""

from typing import Any

from torch import Tensor


def torchjd_weights(weighting: str, gramian: Tensor, **settings: Any) -> Tensor:
    """Return the weights (K,) that a weighting of torchjd gives to gradients with these inner products (K, K).

    Args:
        weighting: Name of a class in `torchjd.aggregation` that takes a Gramian.
        gramian: Inner products of the gradients.
        settings: Arguments of the class.
    """
    from torchjd import aggregation  # takes a moment, which listing the methods does not need

    return getattr(aggregation, weighting)(**settings)(gramian)
