"""The problems that every method has to serve or decline, and losses averaged by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from auxilearn.method import Parameters
from tests.problems import Batch, TinyProblem

Factory = Callable[[], TinyProblem]

PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, batch_norm=True, dropout=0.2),
    "images": partial(TinyProblem, batch_norm=True, size=(3, 2)),
    "masked": partial(TinyProblem, batch_norm=True, masked=True),
    "one-auxiliary": partial(TinyProblem, ("regression", "classification"), batch_norm=True),
    "generated": partial(TinyProblem, subclasses=(2, 3, 2)),
    "generated-pixels": partial(TinyProblem, subclasses=(2, 3, 2), size=(3, 2)),
}


class HandMeans(TinyProblem):
    """A problem whose losses are one row of task means, (1, T), each over the task's valid entries alone.

    Args:
        problem: The problem to serve; its model is used as it is.
    """

    def __init__(self, problem: TinyProblem) -> None:
        self.__dict__.update(problem.__dict__)
        self.masked = False

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        raw = super().losses(batch, params, targets)
        mask = batch.get("mask", torch.ones_like(raw, dtype=torch.bool))
        means = [raw[:, task][mask[:, task]] for task in range(self.n_tasks)]
        return torch.stack([valid.mean() if len(valid) else raw.sum() * 0 for valid in means])[None]


def without_labels(batch: Batch, task: int) -> Batch:
    """Return the batch with no valid target of `task`."""
    mask = batch["mask"].clone()
    mask[:, task] = False
    return {**batch, "mask": mask}
