"""Regressions on generated points in which all tasks share one weight vector, as in the paper's examples."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.models.multitask import MultiTask
from benchmark.suite import Metric, Suite


class SharedWeight(nn.Module):
    """One weight vector that makes the same prediction for all tasks; it starts at zero."""

    def __init__(self, features: int, tasks: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features))
        self.tasks = tasks

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the predictions, (B, tasks), from inputs (B, features)."""
        return (inputs @ self.weight)[:, None].expand(-1, self.tasks)


class SyntheticRegression(Suite):
    """Base of the synthetic suites, which are about the minimum and the weights that training ends with.

    Attributes:
        true_weight: w*, the solution of the main task.
        sizes: Samples of the training, auxiliary, validation and test set.
    """

    true_weight: ClassVar[tuple[float, ...]]
    sizes: ClassVar[tuple[int, int, int, int]]
    metrics = (
        Metric("mse", higher_is_better=False, percent=False),
        Metric("distance", higher_is_better=False, percent=False),
    )
    batch_size = None
    selected_epoch = "last"  # stopping before the minimum would hide where it is

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """Draw n points and the targets of all tasks."""

    def fingerprint(self) -> str:
        """Return the version of the generating code."""
        return "generated-1"

    def data(self, setting: str, seed: int) -> Data:
        """Return the four sets; validation and test points are the same for all seeds."""
        train, auxiliary, validation, test = self.sizes
        drawn = self.draw(train + auxiliary, seeds.generator(self.name, setting, seed, "data"))
        fixed = self.draw(validation + test, seeds.generator(self.name, setting, 0, "fixed"))
        samples = Batch(torch.cat([drawn.inputs, fixed.inputs]), (torch.cat([drawn.targets[0], fixed.targets[0]]),))
        return Data(samples, *torch.arange(sum(self.sizes)).split(list(self.sizes)))

    def model(self, setting: str) -> MultiTask:
        """Return the shared weight vector."""
        outputs = [group.outputs for group in self.groups_of(setting)]
        return MultiTask(SharedWeight(len(self.true_weight), sum(outputs)), None, outputs)

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return plain gradient descent."""
        return torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the main task's mean squared error and the distance of the weights from w*."""
        errors = torch.cat([(model(b.inputs)[0][:, 0] - b.targets[0][:, 0]).square() for b in batches])
        (weight,) = (parameter.detach().cpu() for parameter in model.parameters())
        return {"mse": errors.mean().item(), "distance": (weight - torch.tensor(self.true_weight)).norm().item()}
