"""Learnt weights of auxiliary tasks against their noise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.curves import BANDS
from benchmark.figures.panels import Page
from benchmark.figures.runs import over_runs
from benchmark.figures.style import COLOURS, OTHERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_noise(weights: Sequence[Sequence[float]], *, title: str, footnote: str) -> "Figure":
    """Return the learnt weight of each auxiliary, mean over runs, against the variance of its noise.

    Args:
        weights: Of the auxiliaries by growing noise, (runs, T).
        title: Of the figure.
        footnote: Where the numbers come from.
    """
    names = [f"mean of {len(weights)} runs", "single runs"]
    page = Page(
        1,
        title=title,
        footnote=f"{footnote} {BANDS}",
        columns=1,
        height=2.2,
        width=4.6,
        legend=names,
    )
    (axes,) = page.axes
    noise = np.arange(1, len(weights[0]) + 1)
    single = [axes.plot(noise, run, color=OTHERS, linewidth=0.6)[0] for run in weights]
    mean, sem = over_runs(weights)
    axes.fill_between(noise, mean - sem, mean + sem, color=COLOURS[0], alpha=0.3, linewidth=0)
    (line,) = axes.plot(noise, mean, color=COLOURS[0], linewidth=1.4)
    axes.set(
        xlabel="variance of the auxiliary's noise (multiples of σ²)",
        ylabel="learnt weight",
        xlim=(1, len(noise)),
        ylim=(0, None),
    )
    page.legend([line, single[0]])
    return page.figure
