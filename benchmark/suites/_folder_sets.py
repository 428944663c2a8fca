"""The four sets of a user's own labelled samples: those that are given, and stratified cuts for those that are not."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark import seeds
from benchmark.cache import Split
from benchmark.errors import UserError
from benchmark.splits import ranks_in_class
from benchmark.tasks import UNLABELLED

HELD_BACK_SHARE = 0.2
"""Share of each class for validation, and for test, where these are not given."""
AUXILIARY_SHARE = 0.1
"""Share of the labelled training samples of each class that is auxiliary."""


@dataclass(frozen=True)
class Sets:
    """Labels and sets of all samples.

    Attributes:
        classes: Names of the classes.
        labels: Class of each sample, `UNLABELLED` without one, (N,).
        pool: Indices of the labelled training samples, the auxiliary ones among them.
        unlabelled: Indices of the other training samples.
        validation: Indices of the validation set.
        test: Indices of the test set.
    """

    classes: tuple[str, ...]
    labels: Tensor
    pool: Tensor
    unlabelled: Tensor
    validation: Tensor
    test: Tensor

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return indices of a stratified auxiliary set, at least one of each class, and of the rest of the pool."""
        labels = self.labels[self.pool]
        auxiliary = ranks_in_class(labels, generator) < _share(labels, AUXILIARY_SHARE)
        return self.pool[auxiliary], self.pool[~auxiliary]


def cut(labels: Tensor, splits: Tensor, classes: Sequence[str], *, suite: str) -> Sets:
    """Return the sets; a validation or test set that is not given is a fifth of each class of the training set.

    Args:
        labels: Class of each sample, `UNLABELLED` without one, (N,).
        splits: The part that each belongs to, (N,).
        classes: Names of the classes.
        suite: Name of the suite, on which the cut depends, and on nothing else but the data.

    Raises:
        UserError: A class has not enough training samples.
    """
    training = splits == Split.TRAIN
    pool = (training & (labels != UNLABELLED)).nonzero().squeeze(1)
    found = {part: (splits == part).nonzero().squeeze(1) for part in (Split.TEST, Split.VALIDATION)}
    absent = [part for part in found if not len(found[part])]
    _check_sizes(labels[pool], classes, [part.name.lower() for part in absent])
    ranks = ranks_in_class(labels[pool], seeds.generator(suite, "", 0, "split"))
    size = _share(labels[pool], HELD_BACK_SHARE)
    for place, part in enumerate(absent):
        found[part] = pool[(ranks >= place * size) & (ranks < (place + 1) * size)]
    return Sets(
        classes=tuple(classes),
        labels=labels,
        pool=pool[ranks >= len(absent) * size],
        unlabelled=(training & (labels == UNLABELLED)).nonzero().squeeze(1),
        validation=found[Split.VALIDATION],
        test=found[Split.TEST],
    )


def _check_sizes(labels: Tensor, classes: Sequence[str], absent: Sequence[str]) -> None:
    """Refuse a class that cannot have a sample in each set."""
    counts = labels.bincount(minlength=len(classes))
    least = 2 + len(absent)
    if counts.min() < least:
        poor = int(counts.argmin())
        sets = ", ".join(("training", "auxiliary", *absent))
        raise UserError(
            f"the class {classes[poor]!r} has {counts[poor]} training pictures; each class needs {least}, one for "
            f"each of these sets: {sets}"
        )


def _share(labels: Tensor, share: float) -> Tensor:
    """Return for each sample how many of its class that share is, at least one, (N,)."""
    return (share * labels.bincount() + 0.5).long().clamp(min=1)[labels]
