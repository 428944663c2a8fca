"""Accuracy among the k highest outputs."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from benchmark.data import Batch


def top_k(outputs: Tensor, labels: Tensor, ks: Sequence[int]) -> Tensor:
    """Return for each k how many of the samples have their label among the k highest outputs, (len(ks),).

    Outputs that tie with the label's, or are not a number, count as higher, so that constant outputs do not score.

    Args:
        outputs: Logits, (B, classes).
        labels: Class indices, (B,).
        ks: Numbers of guesses.
    """
    own = outputs.gather(1, labels[:, None])
    rank = outputs.shape[1] - 1 - (outputs < own).sum(1)
    return torch.stack([(rank < k).sum() for k in ks])


def accuracy(model: nn.Module, batches: Iterable[Batch], *, classes: int, ks: Sequence[int]) -> dict[str, float]:
    """Return `top1`, `top3`, ... as fractions of the samples of `batches`.

    The main task is the first `classes` outputs and the first column of the targets of the first group.
    """
    correct, count = [], 0  # on the device until the end, which nothing waits for before
    for batch in batches:
        labels = batch.targets[0][:, 0]
        correct.append(top_k(model(batch.inputs)[0][:, :classes], labels, ks))
        count += len(labels)
    return {f"top{k}": value / count for k, value in zip(ks, torch.stack(correct).sum(0).tolist(), strict=True)}
