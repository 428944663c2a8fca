"""ShapeNet part segmentation with few labelled shapes and a generated auxiliary task: the paper's appendix."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import nn

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.datasets._shapenet_categories import PARTS
from benchmark.datasets._shapenet_sample import POINTS as SAMPLE_POINTS
from benchmark.generated import SUBCLASSES
from benchmark.metrics import PartScore, evaluate
from benchmark.models.multitask import MultiHead
from benchmark.models.pointnet import JOINT_WIDTHS, POINT_WIDTHS, PointNet
from benchmark.points import Points
from benchmark.suite import Metric
from benchmark.suites._generated import GeneratedLabels

SAMPLE_NARROWING = 8
"""By which the network for the drawn sample is narrower, so that its table takes minutes."""


class ShapeNet(GeneratedLabels):
    """Parts of the shapes of one category, by PointNet; the official training, validation and test set.

    Read in the preprint: the data set. Recalled: a table by category, trained on a part of the training set, with five
    sub-classes a class. No number of it is known, so the rest is ours: the network, 30 training shapes of which three
    are auxiliary, 1,000 steps, the grid, which is the middle of the paper's general one, and the augmentation, which is
    that of PointNet++. An epoch is a number of steps, so that every method takes as many.

    Attributes:
        shapes: Training shapes of a category, the auxiliary ones among them.
        auxiliary_shapes: How many of these are auxiliary.
        scales: Least and largest random factor of a training shape.
        shift: Largest random shift of a training shape along an axis.
    """

    citation = "Yi et al., ACM Transactions on Graphics 2016; Navon et al., ICLR 2021, appendix"
    datasets = ("shapenet",)
    settings = tuple(PARTS)
    main_task = "2 to 6 parts of the shapes of a category, labels for 30 of them"
    auxiliary_tasks = f"generated labels of the points, {SUBCLASSES} sub-classes a part"
    metrics = (Metric("instance_miou"), Metric("point_accuracy"))
    grid = {"lr": (1e-3, 1e-4), "weight_decay": (5e-4, 5e-5)}
    defaults = {"auxilearn.outer_every": 10}
    epochs = 50
    steps_per_epoch = 20
    batch_size = 16
    evaluation_batch_size = 16
    shapes: ClassVar[int] = 30
    auxiliary_shapes: ClassVar[int] = 3
    scales: ClassVar[tuple[float, float]] = (0.8, 1.25)
    shift: ClassVar[float] = 0.1
    origins = {
        "data": "preprint",
        "settings": "recalled",
        "sub-classes": "recalled",
        "loss": "ours",
        "network": "ours",
        "training shapes": "ours",
        "auxiliary shapes": "ours",
        "epochs": "ours",
        "batch size": "ours",
        "grid": "ours",
        "outer steps": "ours",
        "augmentation": "ours",
    }

    def classes(self, setting: str) -> int:
        """Return the number of the category's parts."""
        return PARTS[setting]

    def data(self, setting: str, seed: int) -> Data:
        """Return the official validation and test shapes of a category, and some of its training shapes."""
        prepared = self.prepared("shapenet")
        category = prepared.tensors["category"] == prepared.names["category"].index(setting)
        rows = category.nonzero().squeeze(1)
        own = slice(int(rows[0]), int(rows[-1]) + 1)  # rows are sorted by category
        points, parts = prepared.tensors["points"][own], prepared.tensors["part"][own]
        if prepared.sample:
            points, parts = (array[..., : SAMPLE_POINTS[-1]] for array in (points, parts))  # others repeat these
        official = prepared.tensors["split"][own]
        train, validation, test = (
            (official == split).nonzero().squeeze(1) for split in (Split.TRAIN, Split.VALIDATION, Split.TEST)
        )
        chosen = train[torch.randperm(len(train), generator=self._generator(setting, seed, "labels"))][: self.shapes]
        return Data(
            Batch(points, (parts[:, None, :, None],)),
            train=chosen[self.auxiliary_shapes :].sort().values,
            auxiliary=chosen[: self.auxiliary_shapes].sort().values,
            validation=validation,
            test=test,
            reader=Points(self._generator(setting, seed, "augmentation"), scales=self.scales, shift=self.shift),
        )

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return PointNet without heads."""
        narrowing = SAMPLE_NARROWING if self.prepared("shapenet").sample else 1
        widths, joint = ([width // narrowing for width in part] for part in (POINT_WIDTHS, JOINT_WIDTHS))
        return PointNet(widths=widths, joint=joint), joint[-1]

    def model(self, setting: str) -> MultiHead:
        """Return PointNet with a head for the parts and one for all of their sub-classes."""
        trunk, features = self.trunk(setting)
        parts = self.classes(setting)
        return MultiHead(trunk, [_head(features, outputs) for outputs in (parts, parts * SUBCLASSES)])

    def generator(self, setting: str) -> nn.Module:
        """Return a network of the same architecture with one output a point and sub-class."""
        trunk, features = self.trunk(setting)
        return nn.Sequential(trunk, _head(features, self.classes(setting) * SUBCLASSES))

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the mean over shapes of the parts' mean intersection over union, and the accuracy of points."""
        return evaluate(model, batches, [PartScore([self.classes(setting)])])

    def _generator(self, setting: str, seed: int, purpose: str) -> torch.Generator:
        return seeds.generator(self.name, setting, seed, purpose)


def _head(features: int, outputs: int) -> nn.Module:
    return nn.Conv2d(features, outputs, 1)
