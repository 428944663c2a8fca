"""A regression with 100 auxiliaries of growing noise: do the learnt weights fall with it?"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.data import Batch, Data
from benchmark.models.multitask import MultiTask
from benchmark.record import Record
from benchmark.suite import Metric, Suite
from benchmark.tasks import Regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUXILIARIES = 100
TRUE_SLOPE = 1.0
NOISE = 0.1
"""Standard deviation sigma of the main task's noise; auxiliary j adds |e_j| with e_j ~ N(0, j sigma^2)."""
TRAIN, AUXILIARY, VALIDATION, TEST = 500, 500, 500, 500


class SharedSlope(nn.Module):
    """One slope that predicts all tasks; it starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the same prediction for each task, (B, 101), from inputs (B, 1)."""
        return (inputs * self.slope).expand(-1, 1 + AUXILIARIES)


class NoisyAuxiliaries(Suite):
    """y = w x + e; auxiliary j of 100 is w x + |e_j| with e_j ~ N(0, j sigma^2).

    The form of the noise is recalled from the paper's appendix; the slope, sigma, inputs uniform on [0, 1], sizes
    and rates are ours. Since |e_j| is positive, so is an auxiliary's pull away from w, and it grows with j.
    """

    citation = "Navon et al., ICLR 2021, appendix"
    settings = ("line",)
    default_methods = ("stl", "equal", "auxilearn-linear")
    groups = (Regression(("main", *(f"noise {j}" for j in range(1, AUXILIARIES + 1)))),)
    metrics = (
        Metric("mse", higher_is_better=False, percent=False),
        Metric("distance", higher_is_better=False, percent=False),
    )
    grid = {"lr": (0.01,), "weight_decay": (0.0,)}
    defaults = {"outer_every": 10, "auxiliary_lr": 0.003, "auxiliary_weight_decay": 0.0, "skip": False}
    epochs = 10
    batch_size = None
    steps_per_epoch = 100
    selected_epoch = "last"  # the example is about the weights that training ends with
    final_seeds = 5

    def fingerprint(self) -> str:
        """Return the version of the generating code."""
        return "generated-1"

    def data(self, setting: str, seed: int) -> Data:
        """Return 500 points for each of the four sets; validation and test are the same for all seeds."""
        drawn = _draw(TRAIN + AUXILIARY, seeds.generator(self.name, setting, seed, "data"))
        fixed = _draw(VALIDATION + TEST, seeds.generator(self.name, setting, 0, "fixed"))
        samples = Batch(torch.cat([drawn.inputs, fixed.inputs]), (torch.cat([drawn.targets[0], fixed.targets[0]]),))
        return Data(samples, *torch.arange(len(samples.inputs)).split([TRAIN, AUXILIARY, VALIDATION, TEST]))

    def model(self, setting: str) -> MultiTask:
        """Return the shared slope."""
        return MultiTask(SharedSlope(), None, (1 + AUXILIARIES,))

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return plain gradient descent."""
        return torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the main task's mean squared error and the distance of the slope from w."""
        errors = torch.cat([(model(b.inputs)[0][:, 0] - b.targets[0][:, 0]).square() for b in batches])
        (slope,) = (parameter.detach() for parameter in model.parameters())
        return {"mse": errors.mean().item(), "distance": (slope - TRUE_SLOPE).abs().item()}

    def figures(self, records: Sequence[Record]) -> dict[str, "Figure"]:
        """Return the learnt weight of each auxiliary against its noise, one line a final run."""
        from matplotlib.figure import Figure

        learnt = [r for r in records if r.spec.method == self.default_methods[-1]]
        if not learnt:
            return {}
        figure = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.subplots()
        for record in learnt:
            axes.plot(range(1, AUXILIARIES + 1), record.epochs[-1]["weight"][1:], linewidth=1, alpha=0.7)
        axes.set(xlabel="auxiliary, by growing noise", ylabel="learnt weight", xlim=(1, AUXILIARIES), ylim=(0, None))
        axes.set_title(f"{self.default_methods[-1]}, {len(learnt)} seeds")
        return {"weights": figure}


def _draw(n: int, generator: torch.Generator) -> Batch:
    """Draw n points and the targets of all tasks."""
    inputs = torch.rand(n, 1, generator=generator)
    scale = NOISE * torch.arange(AUXILIARIES + 1).clamp(min=1).sqrt()
    noise = scale * torch.randn(n, AUXILIARIES + 1, generator=generator)
    noise[:, 1:].abs_()
    return Batch(inputs, (TRUE_SLOPE * inputs + noise,))
