"""Task weights over time: the share of each task, and how much all weigh together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.curves import BANDS
from benchmark.figures.panels import Page, columns_for, panel_title, width_of
from benchmark.figures.runs import Runs, over_runs, source, title
from benchmark.figures.style import SMALL, look, number
from benchmark.figures.weights import shares
from benchmark.record import Record
from benchmark.tables.gather import MOST_TASKS_SHOWN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONSTANT = 1e-5
"""Relative change of weights up to which they count as constant: the sum over a batch rounds."""


def task_weights(runs: Sequence[Runs]) -> "Figure | None":
    """Return the share of each task's weight over epochs, a panel a method; methods of constant weights are named.

    None where there are more than `MOST_TASKS_SHOWN` tasks or all weights are constant.
    """
    shown = [each for each in runs if each.finals and len(each.finals[0].tasks) <= MOST_TASKS_SHOWN]
    still = [each for each in shown if all(_constant(weights(record)) for record in each.finals)]
    moving = [each for each in shown if each not in still]
    if not moving:
        return None
    tasks = moving[0].finals[0].tasks
    columns = columns_for(len(moving))
    constant = f" Constant weights, not drawn: {', '.join(each.method for each in still)}." if still else ""
    page = Page(
        len(moving),
        title=title("task weights in training", runs),
        footnote=f"{source(runs)} Lines: mean share of the sum of all weights' magnitudes. {BANDS} Σ: mean sum of the "
        f"weights after the first and the last epoch.{constant}",
        columns=columns,
        height=1.0 if columns > 4 else 1.3,
        gap=(0.14, 0.1),
        legend=tasks,
    )
    drawn = [over_runs([shares(weights(record)) for record in each.finals]) for each in moving]
    limits = _limits(np.concatenate([(each.mean + np.nan_to_num(each.sem)).ravel() for each in drawn]))
    for axes, each, (mean, sem) in zip(page.axes, moving, drawn, strict=True):
        epochs = np.arange(1, len(mean) + 1)
        for task in range(len(tasks)):
            plain = look(task)
            low, high = mean[:, task] - sem[:, task], mean[:, task] + sem[:, task]
            axes.fill_between(epochs, low, high, color=plain.colour, alpha=0.2, linewidth=0)
            axes.plot(epochs, mean[:, task], color=plain.colour, linestyle=plain.dash, linewidth=0.9)
        sums = over_runs([weights(record).sum(1) for record in each.finals]).mean
        axes.text(
            0.98, 0.96, f"Σ {number(sums[0])} → {number(sums[-1])}", transform=axes.transAxes, ha="right", va="top",
            fontsize=SMALL - 0.5,
        )  # fmt: skip
        axes.set(xlim=(1, max(len(mean), 2)), ylim=limits)
        axes.locator_params(axis="x", nbins=4, integer=True)
        axes.locator_params(axis="y", nbins=5)
        panel_title(axes, each.method, inches=width_of(page))
    page.share_axes(xlabel="epoch", ylabel="share of weight")
    page.legend(page.axes[0].lines)
    return page.figure


def weights(record: Record) -> np.ndarray:
    """Return the weights after each epoch, (epochs, tasks)."""
    return np.array([row["weight"] for row in record.epochs], dtype=float)


def _constant(values: np.ndarray) -> bool:
    return bool(np.allclose(values, values[:1], rtol=CONSTANT, atol=CONSTANT))


def _limits(means: np.ndarray) -> tuple[float, float]:
    found = means[np.isfinite(means)]
    low, high = min(0.0, found.min(initial=0.0).item()), found.max(initial=0.1).item()
    return low - 0.03 * (high - low), high + 0.2 * (high - low)  # room for the sums
