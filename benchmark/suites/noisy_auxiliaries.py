"""A regression with 100 auxiliaries of growing noise: do the learnt weights fall with it?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from benchmark.data import Batch
from benchmark.record import Record
from benchmark.synthetic import SyntheticRegression
from benchmark.tasks import Regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUXILIARIES = 100
NOISE = 0.1
"""Standard deviation sigma of the main task's noise; auxiliary j adds |e_j| with e_j ~ N(0, j sigma^2)."""


class NoisyAuxiliaries(SyntheticRegression):
    """y = w x + e; auxiliary j of 100 is w x + |e_j| with e_j ~ N(0, j sigma^2).

    The form of the noise is recalled from the paper's appendix; the slope, sigma, inputs uniform on [0, 1], sizes
    and rates are ours. Since |e_j| is positive, so is an auxiliary's pull away from w, and it grows with j.
    """

    citation = "Navon et al., ICLR 2021, appendix"
    settings = ("line",)
    default_methods = ("stl", "equal", "auxilearn-linear")
    main_task = "a line through the origin"
    auxiliary_tasks = "100 of growing noise: the learnt weights fall with it and end at zero"
    groups = (Regression(("main", *(f"noise {j}" for j in range(1, AUXILIARIES + 1)))),)
    grid = {"lr": (0.01,), "weight_decay": (0.0,)}
    defaults = {"auxilearn*.outer_every": 10, "auxiliary_lr": 0.003, "auxiliary_weight_decay": 0.0, "skip": False}
    origins = {
        "100 auxiliaries of growing noise, linear": "table",
        "form of the noise": "recalled",
        "slope, sigma, inputs, sizes, rates": "ours",
    }
    true_weight = (1.0,)
    sizes = (500, 500, 500, 500)
    epochs = 20
    steps_per_epoch = 50
    final_seeds = 5

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """Draw n points of the line and the targets of all tasks."""
        inputs = torch.rand(n, 1, generator=generator)
        scale = NOISE * torch.arange(AUXILIARIES + 1).clamp(min=1).sqrt()
        noise = scale * torch.randn(n, AUXILIARIES + 1, generator=generator)
        noise[:, 1:].abs_()
        return Batch(inputs, (inputs * self.true_weight[0] + noise,))

    def figures(self, records: Sequence[Record]) -> dict[str, "Figure"]:
        """Return the learnt weight of each auxiliary against its noise, mean over the final runs."""
        from benchmark.figures.noise import draw_noise

        learnt = [r for r in records if r.spec.method == self.default_methods[-1]]
        if not learnt:
            return {}
        spec = learnt[0].spec
        weights = [record.epochs[-1]["weight"][1 : AUXILIARIES + 1] for record in learnt]
        footnote = f"Weights after {spec.epochs} epochs; protocol {spec.protocol}."
        return {"weights": draw_noise(weights, title=f"{self.name}: {spec.method}", footnote=footnote)}
