"""The regression example of Section 5.1: a helpful and a harmful auxiliary that share one weight vector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

import baselines
from benchmark.data import Batch
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.synthetic import SyntheticRegression
from benchmark.tasks import Regression

if TYPE_CHECKING:
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
        from benchmark.figures.surfaces import draw_surfaces

        learnt = [r for r in records if r.spec.method == self.default_methods[-1]]
        if not learnt:
            return {}
        record = min(learnt, key=lambda r: r.spec.seed)
        spec = record.spec
        data = self.data(spec.setting, spec.seed)
        batch = data.at(data.train)
        initial = self._initial_weights(spec, batch).numpy()
        path = np.array([initial, *(row["weight"] for row in record.epochs)])
        figure = draw_surfaces(
            batch.inputs.numpy(),
            torch.cat(batch.targets, dim=1).numpy(),
            {
                "main task alone (stl)": np.eye(len(initial))[0],
                "all tasks, equal weights, t = 0": initial,
                f"all tasks, weights of {spec.method}, t = T": path[-1],
            },
            path,
            solution=self.true_weight,
            plane=PLANE,
            title=f"{self.name}: training loss over the plane of W",
            footnote=f"Weighted mean squared error of the {len(batch.inputs)} training points, weights scaled to sum "
            f"to one; contours at equal steps, each panel its own. Minima by the normal equations from the recorded "
            f"task weights of {spec.epochs} epochs, seed {spec.seed}; protocol {spec.protocol}.",
        )
        return {"loss_surface": figure}

    def _initial_weights(self, spec: Spec, batch: Batch) -> Tensor:
        """Return the task weights before any outer step."""
        problem = self.problem(spec.setting, spec.seed)
        hyper: dict[str, Any] = {name: value for name, value in spec.hyper if name not in self.grid}
        return baselines.load(spec.method)(problem, **hyper).weights(problem.losses(batch)).detach()
