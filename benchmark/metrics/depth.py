"""Depth and disparity: absolute and relative error."""

from torch import Tensor

from benchmark.dense import depth_known


class DepthScore:
    """`<name>_absolute_error` in the target's unit and `<name>_relative_error`, |error| / target, by torchmetrics.

    Both are over all pixels of the data set whose target is known.

    Args:
        name: What is measured, the first task of its group.
    """

    def __init__(self, name: str = "depth") -> None:
        from torchmetrics.regression import (  # takes seconds, which a plan does not need
            MeanAbsoluteError,
            MeanAbsolutePercentageError,
        )

        self._metrics = {
            f"{name}_absolute_error": MeanAbsoluteError(),
            f"{name}_relative_error": MeanAbsolutePercentageError(),
        }

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take outputs and targets, (B, tasks, H, W)."""
        known = depth_known(targets[:, 0])
        found, target = (values[:, 0][known].float() for values in (outputs, targets))
        for metric in self._metrics.values():
            metric.to(outputs.device).update(found, target)

    def compute(self) -> dict[str, float]:
        """Return the metrics by name."""
        return {name: float(metric.compute()) for name, metric in self._metrics.items()}
