"""CUB-200-2011 with few labels and 312 attributes: Table 1 of the paper."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.datasets.cub import group_numbers
from benchmark.metrics import accuracy
from benchmark.models.multitask import MultiTask
from benchmark.models.resnet import resnet18
from benchmark.splits import ranks_in_class, spread
from benchmark.suite import Metric, Suite
from benchmark.suites._photographs import halves, of_split, photographs
from benchmark.tasks import UNLABELLED, Binary, Classification, TaskGroup

AUXILIARY = 20
"""Labelled training images that are auxiliary."""

ATTRIBUTE_SCALE = 0.1
"""Factor of the loss of each attribute."""

SAMPLE_JOINED = 4
"""Groups of attributes that drawn samples take for one, so that methods with a gradient for each end in seconds."""


class CUB(Suite):
    """200 kinds of birds, labels of few images, 312 attributes of all of them; ResNet-18 from ImageNet weights.

    Known from the authors' tables, figures and summary: settings, 20 auxiliary images, the grid, depth of the
    nonlinear combiner. Read in the first preprint: the sizes of the sets. Taken from other code: the steps between two
    outer steps, the bound on the hypergradient, the width of that combiner. Recalled, so named defaults: network and
    weights, optimiser, 100 epochs, batch size, crops, scale of the attributes' loss, `gcs` on the sum of auxiliaries.
    Ours: which half of the official test set validates, and that the 20 auxiliary images are of 20 classes.
    """

    citation = "Wah et al., 2011; Navon et al., ICLR 2021, Table 1"
    datasets = ("cub",)
    settings = ("5-shot", "10-shot", "full")
    default_methods = (
        "stl",
        "equal",
        "uncertainty",
        "dwa",
        "gradnorm",
        "gcs",
        "auxilearn-linear",
        "auxilearn-deep-linear",
        "auxilearn-nonlinear",
    )
    main_task = "200 kinds of birds, labels for 5, 10 or all images a class"
    auxiliary_tasks = "312 attributes of all images, such as the colour of the crown, in 28 groups"
    metrics = (Metric("top1"), Metric("top3"))
    grid = {"lr": (1e-3, 1e-4, 1e-5), "weight_decay": (5e-3, 5e-4, 5e-5)}
    defaults = {
        "auxilearn*.outer_every": 20,
        "auxilearn*.clip_norm": 10.0,
        "auxilearn-nonlinear.depth": 5,
        "auxilearn-nonlinear.width": 10,
        "auxinash.outer_every": 20,
        "gcs.gate": "sum",
    }
    pretrained = "imagenet"
    epochs = 100
    precision = "bfloat16"
    sample_epochs = 1
    batch_size = 64
    evaluation_batch_size = 256
    origins = {
        "settings": "table",
        "size of the auxiliary set": "table",
        "sizes of the other sets": "preprint",
        "halves of the official test set": "ours",
        "classes of the auxiliary set": "ours",
        "network and its weights": "recalled",
        "optimiser": "recalled",
        "grid": "summary",
        "epochs": "recalled",
        "batch size": "recalled",
        "crops": "recalled",
        "scale of the attributes' loss": "recalled",
        "depth of auxilearn-nonlinear": "table",
        "width of auxilearn-nonlinear": "other code",
        "steps between outer steps": "other code",
        "clipping of the hypergradient": "other code",
        "gcs on the sum of auxiliaries": "recalled",
    }

    def groups_of(self, setting: str) -> Sequence[TaskGroup]:
        """Return the kinds of birds and the attributes that the data have."""
        names = self.prepared("cub").names
        return Classification({"species": len(names["label"])}), Binary(names["attribute"], scale=ATTRIBUTE_SCALE)

    def task_groups_of(self, setting: str) -> Sequence[int]:
        """Return 0 for the main task and from 1 on the group of each attribute."""
        prepared = self.prepared("cub")
        joined = SAMPLE_JOINED if prepared.sample else 1
        return [0, *(1 + number // joined for number in group_numbers(prepared.names["attribute"]))]

    def data(self, setting: str, seed: int) -> Data:
        """Return half of the official test images for each of validation and test, and few labels in training."""
        tensors = self.prepared("cub").tensors
        labels, pool = tensors["label"].long(), of_split(tensors["split"], Split.TRAIN)
        validation, test = halves(labels, tensors["split"])
        ranks = ranks_in_class(labels[pool], seeds.generator(self.name, setting, seed, "labels"))
        shots = len(pool) if setting == "full" else int(setting.removesuffix("-shot"))
        shown = pool[ranks < shots]
        auxiliary = shown[spread(labels[shown], AUXILIARY, seeds.generator(self.name, setting, seed, "auxiliary"))]
        species = labels.clone()
        species[pool[ranks >= shots]] = UNLABELLED
        images, reader = photographs(self.prepared("cub"), seeds.generator(self.name, setting, seed, "augmentation"))
        return Data(
            Batch(images, (species[:, None], tensors["attribute"].float())),
            train=pool[~torch.isin(pool, auxiliary)],
            auxiliary=auxiliary.sort().values,
            validation=validation,
            test=test,
            reader=reader,
        )

    def model(self, setting: str) -> MultiTask:
        """Return ResNet-18 with linear heads."""
        return MultiTask(*resnet18(weights=self.weights), [group.outputs for group in self.groups_of(setting)])

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return top-1 and top-3 accuracy."""
        return accuracy(model, batches, classes=len(self.prepared("cub").names["label"]), ks=(1, 3))
