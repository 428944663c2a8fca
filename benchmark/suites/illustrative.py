"""The regression example of Section 5.1: a helpful and a harmful auxiliary that share one weight vector."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import baselines
from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.models.multitask import MultiTask
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.suite import Metric, Suite
from benchmark.tasks import Regression

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRUE_WEIGHT = (1.0, 1.0)
HARMFUL_WEIGHT = (-4.0, 2.0)
MAIN_NOISE = 4.0
AUXILIARY_NOISE = 1.0
PLANE = (-1.0, 2.6)
"""Range of both axes in the paper's figure."""
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
    defaults = {"outer_every": 5, "auxiliary_lr": 0.05, "auxiliary_weight_decay": 0.0, "skip": False}
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

    def figures(self, records: Sequence[Record]) -> dict[str, "Figure"]:
        """Return the training loss over the plane: main task, initial and learnt weights, of the first learnt run."""
        from matplotlib.figure import Figure

        learnt = [r for r in records if r.spec.method == self.default_methods[-1]]
        if not learnt:
            return {}
        record = min(learnt, key=lambda r: r.spec.seed)
        data = self.data(record.spec.setting, record.spec.seed)
        batch = data.at(data.train)
        panels = {
            "main task": torch.tensor([1.0, 0.0, 0.0]),
            "all tasks, t = 0": self._initial_weights(record.spec, batch),
            "all tasks, t = T": torch.tensor(record.epochs[-1]["weight"]),
        }
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for axes, (title, weights) in zip(figure.subplots(1, 3, sharey=True), panels.items(), strict=True):
            _draw_surface(axes, batch, weights)
            axes.set_title(title)
        return {"loss_surface": figure}

    def _initial_weights(self, spec: Spec, batch: Batch) -> Tensor:
        """Return the task weights before any outer step."""
        problem = self.problem(spec.setting, spec.seed)
        hyper: dict[str, Any] = {name: value for name, value in spec.hyper if name not in self.grid}
        return baselines.load(spec.method)(problem, **hyper).weights(problem.losses(batch)).detach()


def _draw_surface(axes: "Axes", batch: Batch, weights: Tensor) -> None:
    """Draw the weighted training loss over the plane of W, its minimum and w*; weights are scaled to sum to one."""
    line = torch.linspace(*PLANE, 181)
    grid = torch.cartesian_prod(line, line)
    errors = (batch.inputs @ grid.T)[:, None] - batch.targets[0][:, :, None]
    surface = (errors.square().mean(0) * (weights / weights.sum())[:, None]).sum(0)
    axes.contour(line, line, surface.reshape(181, 181).T, levels=25, linewidths=0.7, cmap="viridis")
    axes.plot(*grid[surface.argmin()].tolist(), "o", color="tab:orange", label="minimum of the training loss")
    axes.plot(*TRUE_WEIGHT, "*", color="black", markersize=10, label="w*")
    axes.set(xlabel="$W_1$", ylabel="$W_2$", aspect="equal")
    axes.legend(loc="lower left", fontsize=7)


def _draw(n: int, generator: torch.Generator) -> Batch:
    """Draw n points and the targets of the three tasks."""
    points = torch.randn(n, 2, generator=generator)
    weights = torch.tensor([TRUE_WEIGHT, TRUE_WEIGHT, HARMFUL_WEIGHT])
    noise = torch.tensor([MAIN_NOISE, AUXILIARY_NOISE, AUXILIARY_NOISE])
    return Batch(points, (points @ weights.T + noise * torch.randn(n, 3, generator=generator),))
