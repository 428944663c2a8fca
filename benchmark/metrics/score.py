"""Metrics that accumulate over batches, in memory that does not grow with their number."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from torch import Tensor, nn

from benchmark.data import Batch


class Score(Protocol):
    """Metrics of one task group; a metric of nothing, such as of images without a label, is NaN."""

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take the network's outputs and the targets of one batch."""
        ...

    def compute(self) -> dict[str, float]:
        """Return each metric by name."""
        ...


def evaluate(model: nn.Module, batches: Iterable[Batch], scores: Sequence[Score | None]) -> dict[str, float]:
    """Return all metrics over `batches`, with one pass of the model.

    Args:
        model: Network with one output a task group.
        batches: Inputs and targets.
        scores: Fresh score of each task group; None, or none at the end, for groups that are not measured.
    """
    for batch in batches:
        for score, outputs, targets in zip(scores, model(batch.inputs), batch.targets, strict=False):
            if score is not None:
                score.update(outputs, targets)
    return {name: value for score in scores if score is not None for name, value in score.compute().items()}
