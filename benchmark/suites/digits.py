"""Handwritten digits with few main labels: Table 1 of the paper in small, on data that ship with scikit-learn."""

import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.metrics import accuracy
from benchmark.models.mlp import mlp
from benchmark.models.multitask import MultiTask
from benchmark.splits import ranks_in_class
from benchmark.suite import Metric, Suite
from benchmark.tasks import UNLABELLED, Classification

TEST_PER_CLASS = 60
VALIDATION_PER_CLASS = 30
AUXILIARY_SHARE = 5
"""One labelled image in five is auxiliary: 1 of 5 or 2 of 10 of each class."""

CLOSED_LOOP = (0, 6, 8, 9)
PRIME = (2, 3, 5, 7)


class Digits(Suite):
    """1,797 images of 8 x 8 pixels; main labels for 5 or 10 images a class, auxiliary labels for all.

    Useful auxiliaries derive from the digit; harmful ones do not: a fixed random label of each image, and the
    digits themselves shuffled among the images.
    """

    citation = "Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (test part)"
    settings = ("5-shot", "10-shot")
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
    main_task = "ten digits of 8 x 8 pixels, labels for 5 or 10 images a class"
    auxiliary_tasks = (
        "of all images: parity, at least five, prime, closed loop; "
        "and two harmful ones: a random label, a shuffled label"
    )
    groups = (
        Classification(
            {
                "digit": 10,
                "parity": 2,
                "at least five": 2,
                "prime": 2,
                "loop": 2,
                "random": 10,
                "shuffled": 10,
            }
        ),
    )
    metrics = (Metric("top1"), Metric("top3"))
    grid = {"lr": (1e-2, 3e-3, 1e-3), "weight_decay": (5e-3, 5e-4)}
    defaults = {"auxilearn*.outer_every": 5, "auxinash.outer_every": 5, "auxiliary_weight_decay": 1e-5}
    epochs = 20
    batch_size = 64

    @property
    def _file(self) -> Path:
        """The file that scikit-learn ships: read without importing scikit-learn, which takes each process a second."""
        found = importlib.util.find_spec("sklearn")
        (folder,) = (found and found.submodule_search_locations) or ("",)
        return Path(folder) / "datasets/data/digits.csv.gz"

    @cached_property
    def _source(self) -> tuple[Tensor, Tensor]:
        table = torch.from_numpy(np.loadtxt(self._file, delimiter=",", dtype="float32"))
        return table[:, :-1], table[:, -1].long()

    def fingerprint(self) -> str:
        """Return the digest of the file that scikit-learn ships."""
        return hashlib.sha256(self._file.read_bytes()).hexdigest()[:16]

    def data(self, setting: str, seed: int) -> Data:
        """Return 600 test and 300 validation images, stratified, and the rest with few main labels."""
        images, digits = self._source
        shots = int(setting.removesuffix("-shot"))
        ranks = ranks_in_class(digits, seeds.generator(self.name, "", 0, "split"))
        test = ranks < TEST_PER_CLASS
        validation = ~test & (ranks < TEST_PER_CLASS + VALIDATION_PER_CLASS)
        pool = (~test & ~validation).nonzero().squeeze(1)
        labels = seeds.generator(self.name, setting, seed, "labels")
        shot = ranks_in_class(digits[pool], labels)
        auxiliary = pool[shot < shots // AUXILIARY_SHARE]
        targets = self._targets(digits)
        targets[pool[shot >= shots], 0] = UNLABELLED
        return Data(
            Batch((images - 8) / 8, (targets,)),
            train=pool[shot >= shots // AUXILIARY_SHARE],
            auxiliary=auxiliary,
            validation=validation.nonzero().squeeze(1),
            test=test.nonzero().squeeze(1),
        )

    def _targets(self, digits: Tensor) -> Tensor:
        """Return the labels of all seven tasks, (N, 7)."""
        noise = seeds.generator(self.name, "", 0, "harmful")
        tasks = (
            digits,
            digits % 2,
            digits >= 5,
            torch.isin(digits, torch.tensor(PRIME)),
            torch.isin(digits, torch.tensor(CLOSED_LOOP)),
            torch.randint(10, digits.shape, generator=noise),
            digits[torch.randperm(len(digits), generator=noise)],
        )
        return torch.stack([task.long() for task in tasks], dim=1)

    def look(self, stored: Tensor) -> Tensor:
        """Return images (B, 1, 8, 8)."""
        return stored.view(-1, 1, 8, 8)

    def model(self, setting: str) -> MultiTask:
        """Return a perceptron with two hidden layers of 128 and 64."""
        return MultiTask(mlp(64, (128, 64)), 64, [group.outputs for group in self.groups_of(setting)])

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return top-1 and top-3 accuracy."""
        return accuracy(model, batches, classes=10, ks=(1, 3))
