"""The regression example of Section 5.1: a helpful and a harmful auxiliary that share one weight vector."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.models.multitask import MultiTask
from benchmark.suite import Metric, Suite
from benchmark.tasks import Regression

TRUE_WEIGHT = (1.0, 1.0)
HARMFUL_WEIGHT = (-4.0, 2.0)
MAIN_NOISE = 4.0
AUXILIARY_NOISE = 1.0
TRAIN, AUXILIARY, VALIDATION, TEST = 100, 100, 100, 1000


class SharedWeight(nn.Module):
    """One weight vector in the plane that predicts all three tasks; it starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the same prediction for each task, (B, 3), from points in the plane, (B, 2)."""
        return (inputs @ self.weight)[:, None].expand(-1, 3)


class Illustrative(Suite):
    """y = w* x + noise; the helpful task has the same w* and less noise, the harmful one another weight.

    Noise levels and weights are the paper's; the size of the training set is inferred from its figure, the
    sizes of the other sets and the rates are ours.
    """

    citation = "Navon et al., ICLR 2021, Section 5.1"
    settings = ("plane",)
    default_methods = ("stl", "equal", "auxilearn-linear")
    groups = (Regression(("main", "helpful", "harmful")),)
    metrics = (
        Metric("mse", higher_is_better=False, percent=False),
        Metric("distance", higher_is_better=False, percent=False),
    )
    grid = {"lr": (0.02,), "weight_decay": (0.0,)}
    defaults = {"outer_every": 1, "auxiliary_lr": 0.05, "auxiliary_weight_decay": 0.0}
    epochs = 10
    batch_size = None
    steps_per_epoch = 50
    selected_epoch = "last"  # the example is about the minimum, not about stopping before it
    final_seeds = 20

    def fingerprint(self) -> str:
        """Return the version of the generating code."""
        return "generated-1"

    def data(self, setting: str, seed: int) -> Data:
        """Return 100 training, 100 auxiliary, 100 validation and 1,000 test points.

        Everything but training and auxiliary points is the same for all seeds.
        """
        fixed = _draw(VALIDATION + TEST, seeds.generator(self.name, setting, 0, "fixed"))
        drawn = _draw(TRAIN + AUXILIARY, seeds.generator(self.name, setting, seed, "data"))
        samples = Batch(torch.cat([drawn.inputs, fixed.inputs]), (torch.cat([drawn.targets[0], fixed.targets[0]]),))
        return Data(samples, *torch.arange(len(samples.inputs)).split([TRAIN, AUXILIARY, VALIDATION, TEST]))

    def model(self, setting: str) -> MultiTask:
        """Return the shared weight vector."""
        return MultiTask(SharedWeight(), None, (3,))

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return plain gradient descent."""
        return torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the main task's mean squared error and the distance of the weights from w*."""
        errors = torch.cat([(model(b.inputs)[0][:, 0] - b.targets[0][:, 0]).square() for b in batches])
        (weight,) = (parameter.detach().cpu() for parameter in model.parameters())
        return {"mse": errors.mean().item(), "distance": (weight - torch.tensor(TRUE_WEIGHT)).norm().item()}


def _draw(n: int, generator: torch.Generator) -> Batch:
    """Draw n points and the targets of the three tasks."""
    points = torch.randn(n, 2, generator=generator)
    weights = torch.tensor([TRUE_WEIGHT, TRUE_WEIGHT, HARMFUL_WEIGHT])
    noise = torch.tensor([MAIN_NOISE, AUXILIARY_NOISE, AUXILIARY_NOISE])
    return Batch(points, (points @ weights.T + noise * torch.randn(n, 3, generator=generator),))
