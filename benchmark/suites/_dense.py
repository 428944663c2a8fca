"""Dense tasks of one scene on one network: what suites with a target for each pixel share."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, StepLR

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.dense import Depth, Normals
from benchmark.images import Images
from benchmark.metrics import DepthScore, NormalScore, Score, SegmentationScore, evaluate
from benchmark.models.multitask import MultiTask
from benchmark.models.segnet import segnet
from benchmark.suite import Metric, Suite
from benchmark.tasks import Classification, TaskGroup

RELEASED_WIDTHS = (64, 128, 256, 512, 1024)
"""Filters of SegNet's stages in the authors' released code; 512 in the last is the default of `segnet`."""

SAMPLE_WIDTHS = (32, 16, 16, 16, 16)
"""Filters on drawn samples, of which the first stage learns most in few steps: the whole network takes a second for a
step on one core, even on images of 32 x 64 pixels."""


def dense_metrics(groups: Sequence[TaskGroup]) -> tuple[Metric, ...]:
    """Return the metrics of the first group, whose first one selects, and of all depths and normals among the others.

    Those of segmentation are the paper's first, then the usual ones; see `benchmark.metrics` for each.
    """
    found: list[Metric] = []
    for index, group in enumerate(groups):
        if isinstance(group, Classification) and index == 0:
            found += map(Metric, ("miou_per_image", "pixel_accuracy_per_image", "miou", "pixel_accuracy"))
        elif isinstance(group, Depth):
            names = [f"{group.names[0]}_{kind}" for kind in ("absolute_error", "relative_error")]
            found += [Metric(name, higher_is_better=False, percent=False, main=False) for name in names]
        elif isinstance(group, Normals):
            names = [f"normals_{kind}" for kind in ("mean_angle", "median_angle")]
            found += [Metric(name, higher_is_better=False, percent=False, main=False) for name in names]
            found += [Metric(f"normals_within_{angle}", main=False) for angle in ("11.25", "22.5", "30")]
    return tuple(found)


def dense_scores(groups: Sequence[TaskGroup]) -> list[Score | None]:
    """Return a fresh score of each task group that `dense_metrics` has metrics of, None for the others."""
    found: list[Score | None] = []
    for index, group in enumerate(groups):
        if isinstance(group, Classification) and index == 0:
            found.append(SegmentationScore(next(iter(group.classes.values()))))
        elif isinstance(group, Depth):
            found.append(DepthScore(group.names[0]))
        else:
            found.append(NormalScore() if isinstance(group, Normals) else None)
    return found


class Sets(NamedTuple):
    """Indices of the four sets."""

    train: Tensor
    auxiliary: Tensor
    validation: Tensor
    test: Tensor


def four_sets(split: Tensor, validation: Tensor, *, auxiliary_share: float, generator: torch.Generator) -> Sets:
    """Return the four sets of an official release whose test samples are test samples.

    Args:
        split: The official part of each sample, (N,), see `benchmark.cache.Split`.
        validation: Indices of those official training samples that select.
        auxiliary_share: Share of the other training samples that is auxiliary, at least one; rounded down, as the
            released code does.
        generator: Draws them.
    """
    training = split == Split.TRAIN
    training[validation] = False
    rest = training.nonzero().squeeze(1)
    order = rest[torch.randperm(len(rest), generator=generator)]
    count = max(1, int(auxiliary_share * len(rest)))
    test = (split == Split.TEST).nonzero().squeeze(1)
    return Sets(order[count:].sort().values, order[:count].sort().values, validation, test)


class Dense(Suite):
    """Base of the paper's suites of segmentation with auxiliary tasks of the same scene: SegNet, Adam, loss images.

    Images are fed as they are, in [0, 1], without augmentation, as in the released code. Metrics of auxiliary tasks
    say something of methods that train these: the single task leaves their heads as they were.

    Attributes:
        arrays: The data set's array with the targets of each task group.
        auxiliary_share: Share of the training set that is auxiliary.
        widths: Filters of SegNet's stages; `SAMPLE_WIDTHS` on drawn samples.
        halved_at: Epochs after which the learning rate is halved, again and again.
    """

    arrays: ClassVar[tuple[str, ...]]
    auxiliary_share: ClassVar[float] = 0.025
    widths: ClassVar[tuple[int, ...]] = RELEASED_WIDTHS
    halved_at: ClassVar[int] = 100
    grid = {"lr": (1e-3, 1e-4, 1e-5), "weight_decay": (5e-5, 5e-4, 5e-3)}
    batch_size = 8
    precision = "bfloat16"
    evaluation_batch_size = 8
    held_out_batch_size = 2

    def validation(self, training: Tensor, *, sample: bool) -> Tensor:
        """Return those of the indices of the official training set, (n,), that select; a random tenth.

        Args:
            training: Indices of the official training samples, in the order of their numbers.
            sample: Whether the data are a drawn sample, smaller than the official release.
        """
        order = torch.randperm(len(training), generator=seeds.generator(self.name, "", 0, "split"))
        return training[order[: max(1, round(0.1 * len(training)))]].sort().values

    def data(self, setting: str, seed: int) -> Data:
        """Return the four sets; the official `val` scenes are test samples, the auxiliary ones depend on `seed`."""
        prepared = self.prepared(self.datasets[0])
        split = prepared.tensors["split"]
        sets = four_sets(
            split,
            self.validation((split == Split.TRAIN).nonzero().squeeze(1), sample=prepared.sample),
            auxiliary_share=self.auxiliary_share,
            generator=seeds.generator(self.name, setting, seed, "auxiliary"),
        )
        samples = Batch(prepared.tensors["image"], tuple(prepared.tensors[array] for array in self.arrays))
        reader = Images((0.0,) * 3, (1.0,) * 3, seeds.generator(self.name, setting, seed, "augmentation"))
        return Data(samples, *sets, reader=reader)

    def model(self, setting: str) -> MultiTask:
        """Return a SegNet with two convolutions of its own for each task group."""
        widths = SAMPLE_WIDTHS if self.prepared(self.datasets[0]).sample else self.widths
        return segnet([group.outputs for group in self.groups_of(setting)], widths=widths)

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics of the main task, and of auxiliary depths and normals, in one pass."""
        return evaluate(model, batches, dense_scores(self.groups_of(setting)))

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler:
        """Return a rate that is halved every `halved_at` epochs."""
        return StepLR(optimizer, self.halved_at, gamma=0.5)
