"""Learning curves: validation score and training losses over epochs, mean over final runs with bands of one SEM."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.highlight import Line, count_outside, draw_highlights
from benchmark.figures.panels import Page, columns_for, panel_title, width_of
from benchmark.figures.runs import Runs, label, over_runs, source, title, validation
from benchmark.figures.style import logarithmic, look
from benchmark.tables.gather import MOST_TASKS_SHOWN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CUT = 0.06
"""Share of the ends of bands of learning curves that would leave little room for all others."""

BANDS = "Bands: ± one standard error of the mean (ddof 1)."


def learning_curves(runs: Sequence[Runs]) -> "Figure | None":
    """Return the validation score over epochs, a panel a method."""
    metric = runs[0].arm.suite.selection
    lines = {}
    for each in runs:
        if each.finals:
            mean, sem = over_runs([validation(record, metric) for record in each.finals])
            lines[each.method] = Line(np.arange(1, len(mean) + 1), mean, sem)
    if not lines:
        return None
    cut = CUT if metric.higher_is_better else -CUT
    outside, points = count_outside(lines, cut)
    note = f" {outside} of {points} points lie outside, the worst ones." if outside else ""
    return draw_highlights(
        lines,
        title=title("validation score in training", runs),
        footnote=f"{source(runs)} {BANDS} Grey: the other methods.{note}",
        xlabel="epoch",
        ylabel=f"validation {label(metric)}",
        cut=cut,
    ).figure


def losses(runs: Sequence[Runs]) -> "Figure | None":
    """Return the training loss of each task over epochs, a panel a method; many auxiliary tasks are one mean."""
    shown = [each for each in runs if each.finals]
    if not shown:
        return None
    names = _names(shown[0])
    columns = columns_for(len(shown))
    page = Page(
        len(shown),
        title=title("training losses", runs),
        footnote=f"{source(runs)} {BANDS} Losses are unweighted means over an epoch.",
        columns=columns,
        height=0.9 if columns > 4 else 1.25,
        left=0.7,
        gap=(0.14, 0.1),
        legend=names,
    )
    values = [over_runs([_losses(record.epochs) for record in each.finals]) for each in shown]
    everything = np.concatenate([each.mean.ravel() for each in values])
    everything = everything[np.isfinite(everything) & (everything > 0)]
    for axes, each, (mean, sem) in zip(page.axes, shown, values, strict=True):
        epochs = np.arange(1, len(mean) + 1)
        if len(everything):
            axes.set_ylim(everything.min() / 1.5, everything.max() * 1.5)
        logarithmic(axes.yaxis)
        for number in range(len(names)):
            plain, y = look(number), np.where(mean[:, number] > 0, mean[:, number], np.nan)
            low = np.maximum(y - sem[:, number], y / 100)
            axes.fill_between(epochs, low, y + sem[:, number], color=plain.colour, alpha=0.2, linewidth=0)
            axes.plot(epochs, y, color=plain.colour, linestyle=plain.dash, linewidth=0.9)
        axes.set_xlim(1, max(len(mean), 2))
        axes.locator_params(axis="x", nbins=4, integer=True)
        panel_title(axes, each.method, inches=width_of(page))
    page.share_axes(xlabel="epoch", ylabel="training loss")
    page.legend(page.axes[0].lines)
    return page.figure


def _names(runs: Runs) -> list[str]:
    tasks = runs.finals[0].tasks
    return list(tasks) if len(tasks) <= MOST_TASKS_SHOWN else [tasks[0], f"mean of {len(tasks) - 1} auxiliary tasks"]


def _losses(epochs: Sequence[dict]) -> np.ndarray:
    """Return the losses that are drawn, (epochs, lines)."""
    found = np.array([row["loss"] for row in epochs], dtype=float)
    if found.shape[1] <= MOST_TASKS_SHOWN:
        return found
    return np.stack([found[:, 0], found[:, 1:].mean(1)], axis=1)
