"""Training steps of suite `cub` on drawn pictures: the harness's own, and those of a bare PyTorch loop."""

import tempfile
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from benchmark import datasets
from benchmark.cache import Prepared, Split
from benchmark.data import Batch
from benchmark.layout import arranged
from benchmark.places import Places
from benchmark.plan import Options, arms_of
from benchmark.speed.pipelines import decoded, draw_originals
from benchmark.stand_in import stand_in
from benchmark.suites.cub import ATTRIBUTE_SCALE, CUB
from benchmark.train import Training

SETTING = "full"
"""Every training picture has its label, so that all of a batch counts in every loss."""

JUDGED = 8
"""Pictures for validation and test, which the suite cannot be without; no step reads them."""

BATCHES = 2
"""Batches that an epoch has, and that the bare loop turns to in turn."""


def drawn(count: int) -> Prepared:
    """Return CUB's arrays with as many drawn training pictures, decoded once as the real ones are."""
    content = datasets.load("cub").content
    if content is None:
        raise TypeError("CUB has a content")
    content = replace(content, splits={Split.TRAIN: count, Split.TEST: JUDGED}, class_sizes={})
    with tempfile.TemporaryDirectory() as name:
        originals = Path(name) / "originals"
        originals.mkdir()
        paths = draw_originals(originals, content.samples)
        images = decoded(paths, Path(name) / "decoded").tensors["image"].clone()  # the files go now
    prepared = stand_in("cub", content)
    return replace(prepared, tensors={**prepared.tensors, "image": images})


def training(prepared: Prepared, batch: int, device: torch.device) -> Training:
    """Return a run of suite `cub`, method `equal`, at its first step.

    Args:
        prepared: CUB's arrays, `BATCHES` full batches of training pictures or more.
        batch: Pictures a batch, in place of the suite's own number.
        device: Where it trains, in bfloat16 on CUDA, as every run of the suite does.
    """
    kind = type(CUB.__name__, (CUB,), {"batch_size": batch})
    suite = kind("cub", Places(weights="none"))
    suite.provide(prepared)
    (arm,) = arms_of(suite, Options("cub", settings=(SETTING,), methods=("equal",)))
    torch.set_num_threads(suite.threads)
    return Training(suite, arm.spec(arm.points()[0]), device)


class BareLoop:
    """What a careful user would write by hand for the same steps on inputs that lie ready on the device.

    Args:
        like: A run at its first step, whose network, optimiser and precision this takes over, and its first inputs.
    """

    def __init__(self, like: Training) -> None:
        self.model, self.optimizer, self.passes = like.problem.model, like.optimizer, like.passes
        indices = [next(like.batches) for _ in range(BATCHES)]
        self.ready = [arranged(like.data.at(index), last=like.channels_last) for index in indices]
        self.batches = cycle(self.ready)

    def steps(self, count: int) -> None:
        """Train some steps."""
        self.model.train()
        for _ in range(count):
            batch = next(self.batches)
            self.optimizer.zero_grad()
            with self.passes:
                loss = summed_losses(self.model, batch)
                loss.backward()
            self.optimizer.step()


def summed_losses(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the sum of the mean losses of the kinds of birds and of each attribute."""
    kinds, attributes = model(batch.inputs)
    labels, present = batch.targets
    each = functional.binary_cross_entropy_with_logits(attributes.float(), present, reduction="none")
    return functional.cross_entropy(kinds.float(), labels[:, 0]) + ATTRIBUTE_SCALE * each.mean(0).sum()
