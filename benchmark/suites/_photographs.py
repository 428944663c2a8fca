"""What suites on photographs share: how stored pictures become inputs, and the split of CUB."""

import torch
from torch import Tensor

from benchmark import seeds
from benchmark.cache import Prepared, Split
from benchmark.images import Images
from benchmark.splits import stratified

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the channels of ImageNet."""

CROP = 224
SAMPLE_STEP = 8
"""Of drawn samples every eighth row and column is used, and so crops of 28 pixels: a CPU trains on 1/64 of them."""


def photographs(prepared: Prepared, generator: torch.Generator) -> tuple[Tensor, Images]:
    """Return the stored pictures, and their reader with random crops and mirroring drawn from `generator`."""
    step = SAMPLE_STEP if prepared.sample else 1
    return prepared.tensors["image"][..., ::step, ::step], Images(MEAN, STD, generator, crop=CROP // step, flip=True)


def of_split(official: Tensor, split: Split) -> Tensor:
    """Return the indices of the samples of an official split."""
    return (official == split).nonzero().squeeze(1)


def halves(labels: Tensor, official: Tensor) -> tuple[Tensor, Tensor]:
    """Return CUB's validation and test samples, each half of the official test set, the same in all suites on it."""
    test = of_split(official, Split.TEST)
    validates = stratified(labels[test], len(test) // 2, seeds.generator("cub", "", 0, "split"))
    return test[validates], test[~validates]
