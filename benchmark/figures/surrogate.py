"""Second-order polynomial surrogate of a learnt combiner after every epoch, as in the paper's figure of NYUv2."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import torch

from auxilearn.combiners import Combiner
from benchmark.errors import UserError
from benchmark.figures.panels import Page, panel_title, width_of
from benchmark.figures.retrain import Retrained, evaluated_losses, retrained
from benchmark.figures.style import look
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import called
from benchmark.tables.gather import MOST_TASKS_SHOWN
from benchmark.train import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 20_000
"""Pixels of loss images that the polynomial is fitted to, evenly spread."""


class Surrogate(NamedTuple):
    """c + a (l - m) + (l - m) B (l - m), fitted to combined losses by least squares, m the mean of the losses.

    Attributes:
        slope: a, (T,), what a task weighs at the mean of all losses; NaN for a loss that is constant.
        curvature: B, (T, T), symmetric.
        explained: Share of the variance that the polynomial explains, R squared.
    """

    slope: np.ndarray
    curvature: np.ndarray
    explained: float


def fit(losses: np.ndarray, combined: np.ndarray) -> Surrogate:
    """Return the surrogate of a combiner from losses (N, T) and what it makes of them, (N,)."""
    tasks = losses.shape[1]
    spread = losses.std(0)
    moving = spread > 1e-9 * np.abs(losses).max(initial=1e-30)
    unit = np.where(moving, spread, 1.0)
    z = np.where(moving, (losses - losses.mean(0)) / unit, 0.0)
    pairs = [(j, k) for j in range(tasks) for k in range(j, tasks)]
    design = np.column_stack([np.ones(len(z)), z, *(z[:, j] * z[:, k] for j, k in pairs)])
    found, *_ = np.linalg.lstsq(design, combined, rcond=1e-6)
    curvature = np.zeros((tasks, tasks))
    for (j, k), value in zip(pairs, found[1 + tasks :], strict=True):
        curvature[j, k] += value / 2 / (unit[j] * unit[k])
        curvature[k, j] += value / 2 / (unit[j] * unit[k])
    left = np.square(combined - design @ found).sum()
    total = np.square(combined - combined.mean()).sum()
    return Surrogate(
        np.where(moving, found[1 : 1 + tasks] / unit, np.nan), curvature, 1 - left / total if total else 1.0
    )


def combiner_points(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """Return losses (N, T) of the validation set and what the combiner makes of each, (N,).

    Of loss images a point is a pixel in which every task has a loss, or, for a combiner of whole images, the means of
    an image.
    """
    losses = evaluated_losses(training, training.data.validation)
    combiner = cast(Combiner, training.method.combiner)
    phi = next(combiner.parameters())
    with torch.no_grad():
        combined = torch.cat([combiner(part.to(phi)).cpu() for part in losses.split(64)])
    if losses.dim() > combined.dim() + 1:
        losses = losses.mean((2, 3))
    losses = losses.movedim(1, -1).flatten(0, -2).double()
    combined = combined.flatten().double()
    known = (losses != 0).all(1)
    every = max(1, -(-int(known.sum()) // MOST_POINTS))
    return losses[known][::every].numpy(), combined[known][::every].numpy()


def surrogates(record: Record, places: Places | None = None, *, device: str = "cpu") -> "tuple[Figure, Retrained]":
    """Train a recorded run again and draw slopes, curvatures and fit of the surrogate over its epochs.

    Raises:
        UserError: Its method has no combiner, or there are too many tasks.
    """
    if len(record.tasks) > MOST_TASKS_SHOWN:
        raise UserError(
            f"{len(record.tasks)} tasks are too many for a polynomial; at most {MOST_TASKS_SHOWN} are drawn"
        )
    found: list[Surrogate] = []

    def each_epoch(training: Training) -> None:
        if not isinstance(getattr(training.method, "combiner", None), Combiner):
            raise UserError(f"method {record.spec.method!r} has no combiner; choose one of auxilearn-*")
        found.append(fit(*combiner_points(training)))

    again = retrained(record, places, device=device, whole=True, each_epoch=each_epoch)
    return draw(again, found), again


def draw(again: Retrained, found: Sequence[Surrogate]) -> "Figure":
    """Return the figure of the surrogates after each epoch."""
    record = again.record
    spec = record.spec
    page = Page(
        3,
        title=f"{called(spec.suite, spec.data)}, {spec.setting}, {spec.method}: polynomial surrogate of the combiner",
        footnote="Second-order polynomial, least squares on the validation set's losses after each epoch. Slope: at "
        f"the mean loss. One run, seed {spec.seed}, protocol {spec.protocol}, {again.note}.",
        columns=3,
        height=1.5,
        gap=(0.5, 0.1),
        legend=record.tasks,
    )
    epochs = np.arange(1, len(found) + 1)
    slopes = np.stack([each.slope for each in found])
    curvatures = np.stack([np.diag(each.curvature) for each in found])
    for axes, values in zip(page.axes, (slopes, curvatures), strict=False):
        for task in range(len(record.tasks)):
            plain = look(task)
            every = max(1, len(epochs) // 6)
            axes.plot(
                epochs, values[:, task], color=plain.colour, linestyle=plain.dash, linewidth=1, marker=plain.marker,
                markersize=2.8, markevery=every,
            )  # fmt: skip
    page.axes[2].plot(epochs, [each.explained for each in found], color="black", linewidth=1)
    page.axes[2].set_ylim(min(0.0, *(each.explained for each in found)), 1.03)
    for axes, text in zip(page.axes, ("slope ∂g/∂l (weight)", "curvature ½ ∂²g/∂l²", "R² of the fit"), strict=True):
        panel_title(axes, text, inches=width_of(page))
        axes.set_xlim(1, max(2, len(found)))
        axes.locator_params(axis="x", nbins=5, integer=True)
        axes.tick_params(labelsize=6.5, length=2)
    page.label_lowest("epoch")
    page.legend(page.axes[0].lines)
    return page.figure
