"""The regression example of Section 5.1: a helpful and a harmful auxiliary that share one weight vector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import baselines
from benchmark.data import Batch
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.synthetic import SyntheticRegression
from benchmark.tasks import Regression

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HARMFUL_WEIGHT = (-4.0, 2.0)
MAIN_NOISE = 4.0
AUXILIARY_NOISE = 1.0
PLANE = (-1.0, 2.6)
"""Range of both axes in the paper's figure."""


class Illustrative(SyntheticRegression):
    """y = w* x + noise; the helpful task has the same w* and less noise, the harmful one another weight.

    Noise levels and weights are the paper's; the size of the training set is inferred from its figure, the
    sizes of the other sets and the rates are ours.
    """

    citation = "Navon et al., ICLR 2021, Section 5.1"
    settings = ("plane",)
    default_methods = ("stl", "equal", "auxilearn-linear")
    main_task = "the regression in the plane of Section 5.1 of the paper"
    auxiliary_tasks = "a helpful one with less noise, a harmful one with another solution"
    groups = (Regression(("main", "helpful", "harmful")),)
    grid = {"lr": (0.02,), "weight_decay": (0.0,)}
    defaults = {"auxilearn*.outer_every": 5, "auxiliary_lr": 0.05, "auxiliary_weight_decay": 0.0, "skip": False}
    origins = {
        "weights and noise": "preprint",
        "form of the combiner, equal initial weights, 500 steps": "table",
        "size of the training set": "table",
        "sizes of the other sets, rates": "ours",
    }
    true_weight = (1.0, 1.0)
    sizes = (100, 100, 100, 1000)
    epochs = 10
    steps_per_epoch = 50
    final_seeds = 20

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """Draw n points of the plane and the targets of the three tasks."""
        points = torch.randn(n, 2, generator=generator)
        weights = torch.tensor([self.true_weight, self.true_weight, HARMFUL_WEIGHT])
        noise = torch.tensor([MAIN_NOISE, AUXILIARY_NOISE, AUXILIARY_NOISE])
        return Batch(points, (points @ weights.T + noise * torch.randn(n, 3, generator=generator),))

    def figures(self, records: Sequence[Record]) -> dict[str, "Figure"]:
        """Return the training loss over the plane: main task, initial and learnt weights, of the first learnt run."""
        from matplotlib.figure import Figure

        learnt = [r for r in records if r.spec.method == self.default_methods[-1]]
        if not learnt:
            return {}
        record = min(learnt, key=lambda r: r.spec.seed)
        data = self.data(record.spec.setting, record.spec.seed)
        batch = data.at(data.train)
        learnt_weights = torch.tensor(record.epochs[-1]["weight"])
        panels = {
            "main task": torch.eye(len(learnt_weights))[0],
            "all tasks, t = 0": self._initial_weights(record.spec, batch),
            "all tasks, t = T": learnt_weights,
        }
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for axes, (title, weights) in zip(figure.subplots(1, 3, sharey=True), panels.items(), strict=True):
            _draw_surface(axes, batch, weights, self.true_weight)
            axes.set_title(title)
        figure.axes[0].set_ylabel("$W_2$")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        return {"loss_surface": figure}

    def _initial_weights(self, spec: Spec, batch: Batch) -> Tensor:
        """Return the task weights before any outer step."""
        problem = self.problem(spec.setting, spec.seed)
        hyper: dict[str, Any] = {name: value for name, value in spec.hyper if name not in self.grid}
        return baselines.load(spec.method)(problem, **hyper).weights(problem.losses(batch)).detach()


def _draw_surface(axes: "Axes", batch: Batch, weights: Tensor, solution: Sequence[float]) -> None:
    """Draw the weighted training loss over the plane of W, its minimum and w*; weights are scaled to sum to one."""
    line = torch.linspace(*PLANE, 181)
    grid = torch.cartesian_prod(line, line)
    errors = (batch.inputs @ grid.T)[:, None] - torch.cat(batch.targets, dim=1)[:, :, None]
    surface = (errors.square().mean(0) * (weights / weights.sum())[:, None]).sum(0)
    axes.contour(line, line, surface.reshape(181, 181).T, levels=25, linewidths=0.7, cmap="viridis")
    axes.plot(*grid[surface.argmin()].tolist(), "o", color="tab:orange", label="minimum of the training loss")
    axes.plot(*solution, "*", color="black", markersize=10, label="w*")
    axes.set(xlabel="$W_1$", aspect="equal")
