"""Classification with a generated auxiliary task: the paper's second use of AuxiLearn."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import nn

from benchmark import seeds
from benchmark.data import Batch
from benchmark.generated import SUBCLASSES, GeneratedLabelProblem
from benchmark.metrics import accuracy
from benchmark.models.multitask import MultiTask
from benchmark.suite import Metric, Suite
from benchmark.tasks import Classification


class GeneratedLabels(Suite):
    """Base of the suites of the paper's Table 3 and of ShapeNet's: classification of images, or of each point.

    Attributes:
        focus: Exponent of the focal loss of both tasks.
        auxiliary_scale: Factor of the auxiliary loss.
    """

    default_methods = ("stl", "maxl-f", "maxl", "auxilearn")
    auxiliary_tasks = f"generated labels, {SUBCLASSES} sub-classes a class"
    metrics = (Metric("top1"),)
    declines_controls = "its one auxiliary task has generated labels"
    focus: ClassVar[float] = 2.0
    auxiliary_scale: ClassVar[float] = 1.0

    def classes(self, setting: str) -> int:
        """Return the number of main classes, as the data have them."""
        return len(self.prepared(self.datasets[0]).names["label"])

    def groups_of(self, setting: str) -> Sequence[Classification]:
        """Return the main task; the generated one has no labels of its own."""
        return (Classification({"main": self.classes(setting)}),)

    @abstractmethod
    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        """Return a freshly initialised network from inputs to features, and how many these are."""

    def model(self, setting: str) -> MultiTask:
        """Return the trunk with a head for the classes and one for all sub-classes."""
        trunk, features = self.trunk(setting)
        classes = self.classes(setting)
        return MultiTask(trunk, features, [classes, classes * SUBCLASSES])

    def generator(self, setting: str) -> nn.Module:
        """Return a network of the same architecture with one output a sub-class."""
        trunk, features = self.trunk(setting)
        return nn.Sequential(trunk, nn.Linear(features, self.classes(setting) * SUBCLASSES))

    def problem(self, setting: str, seed: int) -> GeneratedLabelProblem:  # type: ignore[override]
        """Return the problem with a network initialised by `seed`."""
        with torch.random.fork_rng(devices=[]):
            seeds.seed_torch(seeds.derive(self.name, setting, seed, "init"))
            model = self.model(setting)
        return GeneratedLabelProblem(
            model,
            classes=self.classes(setting),
            make_generator=lambda: self.generator(setting),
            focus=self.focus,
            scale=self.auxiliary_scale,
        )

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return top-1 accuracy."""
        return accuracy(model, batches, classes=self.classes(setting), ks=(1,))
