"""Your own pictures in folders by class, with the columns of a table or generated labels as auxiliary tasks."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.datasets._folders import UNLABELLED as UNLABELLED_FOLDERS
from benchmark.errors import UserError
from benchmark.images import Images
from benchmark.models.convnet import FOUR_LAYERS, convnet
from benchmark.models.multitask import MultiTask
from benchmark.models.resnet import resnet18
from benchmark.problem import SupervisedProblem
from benchmark.suites._folder_columns import Columns, columns
from benchmark.suites._folder_sets import Sets, cut
from benchmark.suites._generated import GeneratedLabels
from benchmark.tasks import UNLABELLED, Classification, TaskGroup

ATTRIBUTES, GENERATED = "attributes", "generated"
CROP = 224
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Folder(GeneratedLabels):
    """Pictures in folders by class, from `--data-dir`; ResNet-18, or a 4-layer ConvNet up to 64 pixels.

    Setting `attributes`: the columns of `attributes.csv` are auxiliary tasks, and pictures without a class serve
    them. Setting `generated`: five generated sub-classes a class, as in Table 3 of the paper, but with cross-entropy,
    so that `stl` is about the same in both. Photographs are stored at 256 pixels, cropped at random to 224 and
    mirrored; small pictures are moved by up to an eighth and never mirrored. The paper has no such suite: all budgets
    are ours.
    """

    citation = "your own data; Navon et al., ICLR 2021"
    datasets = ("folder",)
    settings = (ATTRIBUTES, GENERATED)
    for_attributes: ClassVar[tuple[str, ...]] = (
        *("stl", "equal", "uncertainty", "dwa", "gradnorm", "gcs"),
        *("auxilearn-linear", "auxilearn-deep-linear", "auxilearn-nonlinear"),
    )
    for_generated: ClassVar[tuple[str, ...]] = GeneratedLabels.default_methods
    default_methods = tuple(dict.fromkeys((*for_attributes, *for_generated)))
    main_task = "your classes"
    auxiliary_tasks = "the columns of your table of attributes, or generated labels, five sub-classes a class"
    declines_controls = "its generated auxiliary task has no labels"
    grid = {"lr": (1e-3, 1e-4), "weight_decay": (5e-4, 5e-5)}
    defaults = {"auxilearn*.outer_every": 20, "auxinash.outer_every": 20, "auxiliary_weight_decay": 1e-5}
    epochs = 50
    batch_size = 64
    evaluation_batch_size = 128
    held_out_batch_size = 64
    focus = 0.0
    pretrained = "none"
    origins = {
        "network": "ours",
        "grid": "ours",
        "epochs": "ours",
        "batch size": "ours",
        "augmentation": "ours",
        "splits": "ours",
        "sub-classes a class": "preprint",
    }

    @property
    def _side(self) -> int:
        return self.prepared("folder").tensors["image"].shape[-1]

    @cached_property
    def _sets(self) -> Sets:
        """The labels and the sets; a last class `unlabelled` is none."""
        prepared = self.prepared("folder")
        names, labels = prepared.names["label"], prepared.tensors["label"].clone()
        classes = [name for name in names if name != UNLABELLED_FOLDERS[0]]
        labels[labels >= len(classes)] = UNLABELLED
        return cut(labels, prepared.tensors["split"], classes, suite=self.name)

    @cached_property
    def _columns(self) -> Columns:
        """The table's columns as task groups with their targets."""
        sets = self._sets
        return columns(self.prepared("folder"), seen=torch.cat([sets.pool, sets.unlabelled]))

    def lacks(self, setting: str) -> str | None:
        """Return that there is no table, if one is needed."""
        if setting == ATTRIBUTES and not self._columns.groups:
            return "needs a table attributes.csv beside the folders of pictures; there is none"
        return None

    def methods_of(self, setting: str) -> Sequence[str]:
        """Return the methods that combine given tasks, or those that generate one."""
        return self.for_attributes if setting == ATTRIBUTES else self.for_generated

    def classes(self, setting: str) -> int:
        """Return the number of classes."""
        return len(self._sets.classes)

    def groups_of(self, setting: str) -> Sequence[TaskGroup]:  # type: ignore[override]
        """Return the main task and, with a table, one group of its categories and one of its numbers."""
        main = Classification({"main": self.classes(setting)})
        return (main, *self._columns.groups) if setting == ATTRIBUTES else (main,)

    def data(self, setting: str, seed: int) -> Data:
        """Return the sets that the folders give, or stratified ones; a tenth of the training labels is auxiliary."""
        prepared, sets = self.prepared("folder"), self._sets
        auxiliary, train = sets.draw(seeds.generator(self.name, setting, seed, "auxiliary"))
        targets: list[Tensor] = [sets.labels[:, None]]
        if setting == ATTRIBUTES:
            targets += self._columns.targets
            train = torch.cat([train, sets.unlabelled])
        images = prepared.tensors["image"]
        side, draws = self._side, seeds.generator(self.name, setting, seed, "augmentation")
        large = side > CROP
        crop, padding = (CROP, 0) if large else (None, side // 8)
        return Data(
            Batch(images, tuple(targets)),
            train=train.sort().values,
            auxiliary=auxiliary.sort().values,
            validation=sets.validation,
            test=sets.test,
            reader=Images(IMAGENET_MEAN, IMAGENET_STD, draws, crop=crop, padding=padding, flip=large),
        )

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return ResNet-18 from a random start, or four convolutional layers for small pictures."""
        side = self._side
        return resnet18(weights=self.weights) if side > CROP else convnet(3, FOUR_LAYERS, pixels=side)

    def check_weights(self) -> None:
        """Try the weights; a ConvNet for small pictures takes none."""
        if self.places.weights not in (None, "none") and self._side <= CROP:
            raise UserError(f"the pictures have {self._side} pixels, and the ConvNet for these takes no --weights")
        super().check_weights()

    def model(self, setting: str) -> MultiTask:
        """Return the trunk with a linear head for the classes and for each group of columns, or for the sub-classes."""
        if setting == GENERATED:
            return super().model(setting)
        trunk, features = self.trunk(setting)
        return MultiTask(trunk, features, [group.outputs for group in self.groups_of(setting)])

    def problem(self, setting: str, seed: int) -> SupervisedProblem:  # type: ignore[override]
        """Return the problem with a network initialised by `seed`."""
        make = super().problem if setting == GENERATED else super(GeneratedLabels, self).problem
        return make(setting, seed)  # type: ignore[return-value]
