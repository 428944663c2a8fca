"""CIFAR-100 with few labels of its hundred classes and the twenty coarse ones as auxiliary: Table 1 at 32 pixels."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.images import Images
from benchmark.metrics import accuracy
from benchmark.models.convnet import FOUR_NARROW, convnet
from benchmark.models.multitask import MultiTask
from benchmark.splits import ranks_in_class, spread
from benchmark.suite import Metric, Suite
from benchmark.suites.cifar100 import CIFAR100
from benchmark.suites.cub import AUXILIARY, CUB
from benchmark.tasks import UNLABELLED, Classification

VALIDATION_SHARE = 0.1
"""Share of the training images of each class that selects."""


class CIFAR100Coarse(Suite):
    """5 or 10 labels of each of 100 classes, coarse labels of all training images; a ConvNet of four layers.

    The question of the paper's Table 1, a few main labels and auxiliary labels of every image, on images that a
    CPU can train on. Its settings, methods and auxiliary set are those of that table; all else is ours. The copy
    that is found need not be complete: a tenth of its training images validates, the others have coarse labels.
    """

    citation = "Krizhevsky, 2009; the setting is that of Navon et al., ICLR 2021, Table 1"
    datasets = ("cifar100",)
    settings = ("5-shot", "10-shot")
    default_methods = CUB.default_methods
    main_task = "100 classes of 32 x 32 pixels, labels for 5 or 10 images a class"
    auxiliary_tasks = "the 20 coarse classes of all images"
    metrics = (Metric("top1"), Metric("top3"))
    grid = {"lr": (1e-2, 3e-3, 1e-3), "weight_decay": (5e-3, 5e-4)}
    defaults = {"auxilearn*.outer_every": 20, "auxinash.outer_every": 20, "auxiliary_weight_decay": 1e-5}
    epochs = 20
    batch_size = 128
    evaluation_batch_size = 1000
    origins = {
        "settings": "table",
        "methods": "table",
        "size of the auxiliary set": "table",
        "steps between outer steps": "other code",
        "auxiliary task": "ours",
        "network, optimiser, grid, epochs, batch size, augmentation": "ours",
    }

    def groups_of(self, setting: str) -> Sequence[Classification]:
        """Return the classes and the coarse classes."""
        names = self.prepared("cifar100").names
        return (Classification({"fine": len(names["label"]), "coarse": len(names["coarse"])}),)

    def data(self, setting: str, seed: int) -> Data:
        """Return the official test images, a tenth of the training images for validation, few labels of the rest."""
        prepared = self.prepared("cifar100")
        labels, official = prepared.tensors["label"].long(), prepared.tensors["split"]
        given = (official == Split.TRAIN).nonzero().squeeze(1)
        ranks = ranks_in_class(labels[given], seeds.generator(self.name, "", 0, "split"))
        validates = ranks < (VALIDATION_SHARE * labels[given].bincount()).round().clamp(min=1)[labels[given]]
        pool = given[~validates]
        shots = int(setting.removesuffix("-shot"))
        shown = ranks_in_class(labels[pool], seeds.generator(self.name, setting, seed, "labels")) < shots
        labelled = pool[shown]
        auxiliary = labelled[
            spread(labels[labelled], AUXILIARY, seeds.generator(self.name, setting, seed, "auxiliary"))
        ]
        fine = labels.clone()
        fine[pool[~shown]] = UNLABELLED
        draws = seeds.generator(self.name, setting, seed, "augmentation")
        return Data(
            Batch(prepared.tensors["image"], (torch.stack([fine, prepared.tensors["coarse"].long()], dim=1),)),
            train=pool[~torch.isin(pool, auxiliary)],
            auxiliary=auxiliary.sort().values,
            validation=given[validates],
            test=(official == Split.TEST).nonzero().squeeze(1),
            reader=Images(CIFAR100.mean, CIFAR100.std, draws, padding=CIFAR100.padding, flip=CIFAR100.flip),
        )

    def model(self, setting: str) -> MultiTask:
        """Return four convolutional layers with linear heads."""
        return MultiTask(*convnet(3, FOUR_NARROW, pixels=32), [group.outputs for group in self.groups_of(setting)])

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return top-1 and top-3 accuracy."""
        return accuracy(model, batches, classes=len(self.prepared("cifar100").names["label"]), ks=(1, 3))
