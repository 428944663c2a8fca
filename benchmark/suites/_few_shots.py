"""Photographs of which 30 a class are used, and a generated auxiliary task: the lower half of the paper's Table 3."""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.generated import SUBCLASSES
from benchmark.models.mlp import mlp_head
from benchmark.models.multitask import MultiHead
from benchmark.models.resnet import resnet18
from benchmark.splits import ranks_in_class, spread, stratified
from benchmark.suites._generated import GeneratedLabels
from benchmark.suites._photographs import of_split, photographs

SHOTS = 30
"""Images of a class to train on, the auxiliary ones among them; a class that has fewer gives all."""

LEAST_AUXILIARY = 8
"""Auxiliary images of a drawn sample, of which 0.84 % would be one; BatchNorm needs more."""

FROM_PET = (
    "torchvision's classifier in the trunk",
    "heads",
    "crops",
    "focal loss",
    "scale of the auxiliary loss",
    "batch size",
    "epochs",
    "auxiliary share",
    "step size, decay and clipping of the generator",
)
"""What the released code, which covers Pet alone, says; for the other data sets it is taken over from there."""


class FewShots(GeneratedLabels):
    """ResNet-18 from a random start, heads with one hidden layer of 512; crops of 224 out of 256 pixels.

    All that `FROM_PET` names is read in the released code; for other data sets than Pet it is ours to take it from
    there. A departure: that code draws 30 times the number of classes, stratified; here every class has 30. The scale
    of the auxiliary loss is one for all methods, MAXL too, whose authors take 1 on their data.

    Attributes:
        auxiliary_share: Share of the training images that is auxiliary.
    """

    settings = ("30-shot",)
    auxiliary_scale = 0.25
    pretrained = "none"
    batch_size = 16
    held_out_batch_size = 16
    evaluation_batch_size = 256
    epochs = 150
    precision = "bfloat16"
    auxiliary_share: ClassVar[float] = 0.0084
    grid = {"lr": (1e-4,), "weight_decay": (5e-3, 5e-4, 5e-5)}
    defaults = {
        "auxilearn.auxiliary_lr": 1e-3,
        "auxilearn.auxiliary_weight_decay": 5e-3,
        "auxilearn.clip_norm": 50.0,
    }
    origins = {
        "settings": "table",
        "30 of every class": "recalled",
        "sizes of the sets": "recalled",
        "network": "recalled",
        "optimiser": "recalled",
        "learning rate": "recalled",
        "steps between outer steps": "recalled",
        "weight decays": "summary",
        **dict.fromkeys(FROM_PET, "ours"),
    }

    def pools(self, labels: Tensor, official: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the indices of the samples to train on, to validate and to test: 70/30 of the official training set.

        They depend on the suite alone.
        """
        pool = of_split(official, Split.TRAIN)
        size = math.ceil(3 * len(pool) / 10)
        validates = stratified(labels[pool], size, seeds.generator(self.name, "", 0, "split"))
        return pool[~validates], pool[validates], of_split(official, Split.TEST)

    def data(self, setting: str, seed: int) -> Data:
        """Return the official test images, some training images for validation, and 30 a class of the others."""
        prepared = self.prepared(self.datasets[0])
        labels = prepared.tensors["label"].long()
        pool, validation, test = self.pools(labels, prepared.tensors["split"])
        ranks = ranks_in_class(labels[pool], seeds.generator(self.name, setting, seed, "labels"))
        chosen = pool[ranks < SHOTS]
        size = max(LEAST_AUXILIARY, round(self.auxiliary_share * len(chosen)))
        auxiliary = chosen[spread(labels[chosen], size, seeds.generator(self.name, setting, seed, "auxiliary"))]
        images, reader = photographs(prepared, seeds.generator(self.name, setting, seed, "augmentation"))
        return Data(
            Batch(images, (labels[:, None],)),
            train=chosen[~torch.isin(chosen, auxiliary)],
            auxiliary=auxiliary.sort().values,
            validation=validation,
            test=test,
            reader=reader,
        )

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return ResNet-18 up to torchvision's 1,000 features."""
        return resnet18(weights=self.weights, classifier=True)

    def model(self, setting: str) -> MultiHead:
        """Return the trunk with a head for the classes and one for all sub-classes."""
        trunk, features = self.trunk(setting)
        classes = self.classes(setting)
        return MultiHead(trunk, [mlp_head(features, outputs) for outputs in (classes, classes * SUBCLASSES)])

    def generator(self, setting: str) -> nn.Module:
        """Return a network of the same architecture with one output a sub-class."""
        trunk, features = self.trunk(setting)
        return nn.Sequential(trunk, mlp_head(features, self.classes(setting) * SUBCLASSES))
