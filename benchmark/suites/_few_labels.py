"""Image classification of which few training labels are used: the paper's Table 3."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.images import Images
from benchmark.splits import ranks_in_class
from benchmark.suites._generated import GeneratedLabels

VALIDATION_SHARE = 0.1
"""Share of the official training set that selects, in all suites of Table 3 (first preprint)."""


class FewLabels(GeneratedLabels):
    """Base of the suites that train on a share of the official training set.

    Attributes:
        official_size: Images of the complete official training set, of which settings and validation are shares; a
            smaller copy of it serves as long as it has enough.
        auxiliary_share: Share of the training images that is auxiliary.
        mean: Mean of each channel of the training images in [0, 1].
        std: Standard deviation of each channel.
        padding: Zeros around training images before they are cropped at random to their size.
        flip: Whether to mirror half of the training images.
    """

    settings = ("5%", "10%", "15%")
    official_size: ClassVar[int]
    auxiliary_share: ClassVar[float] = 0.025
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]
    padding: ClassVar[int] = 0
    flip: ClassVar[bool] = False

    def data(self, setting: str, seed: int) -> Data:
        """Return the official test images, a tenth of the training images for validation, and some with labels."""
        prepared = self.prepared(self.datasets[0])
        labels = prepared.tensors["label"].long()
        official = prepared.tensors["split"]
        pool = (official == Split.TRAIN).nonzero().squeeze(1)
        size = len(pool) if prepared.sample else self.official_size
        fraction = float(setting.removesuffix("%")) / 100
        ranks = ranks_in_class(labels[pool], seeds.generator(self.name, "", 0, "split"))
        validation = ranks < _per_class(labels[pool], VALIDATION_SHARE * size / len(pool))
        rest = pool[~validation]
        shown = _per_class(labels[pool], fraction * size / len(pool))[~validation]
        chosen = rest[ranks_in_class(labels[rest], seeds.generator(self.name, setting, seed, "labels")) < shown]
        order = torch.randperm(len(chosen), generator=seeds.generator(self.name, setting, seed, "auxiliary"))
        draws = seeds.generator(self.name, setting, seed, "augmentation")
        auxiliary = max(1, round(self.auxiliary_share * len(chosen)))
        return Data(
            Batch(prepared.tensors["image"], (labels[:, None],)),
            train=chosen[order[auxiliary:]].sort().values,
            auxiliary=chosen[order[:auxiliary]].sort().values,
            validation=pool[validation],
            test=(official == Split.TEST).nonzero().squeeze(1),
            reader=Images(self.mean, self.std, draws, padding=self.padding, flip=self.flip),
        )


def _per_class(labels: Tensor, share: float) -> Tensor:
    """Return for each sample how many of its class that share is, at least one, (N,)."""
    counts = [max(1, math.floor(share * count + 0.5)) for count in labels.bincount().tolist()]
    return torch.tensor(counts)[labels]
