"""Searches whose points are no grid: where each trial lies, how good it was, which one was chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.campaign import score
from benchmark.figures.costs import MOST_LINEAR
from benchmark.figures.panels import Page, columns_for, panel_title, width_of
from benchmark.figures.runs import Runs, label, scale, source, title
from benchmark.figures.style import ACCENT, PAGE_INCHES, SMALL, logarithmic
from benchmark.record import Record
from benchmark.train import OPTIMIZER_HYPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

WORDS = {"lr": "learning rate", "weight_decay": "weight decay"}
PALEST = 0.15
"""Share of the trials, the worst ones, that have the palest colour, so that few bad ones do not pale all others."""


class Trial(NamedTuple):
    """One trial: its optimiser, its validation score as it is shown (NaN: failed or pruned), whether it was chosen."""

    lr: float
    weight_decay: float
    score: float
    chosen: bool


def search_points(runs: Sequence[Runs]) -> "Figure | None":
    """Return learning rate and weight decay of every trial, coloured by score, a panel a method; None for grids.

    Where only one of the two was searched, the score itself is the other axis; None where neither was.
    """
    found = {each.method: trials(each) for each in runs if any(each.searches)}
    everything = [trial for group in found.values() for trial in group]
    names = [name for name in OPTIMIZER_HYPER if len({getattr(trial, name) for trial in everything}) > 1]
    if runs[0].arm.search is None or not names:
        return None
    metric = runs[0].arm.suite.selection
    across, up = names[0], names[1] if len(names) > 1 else "score"
    lost = sum(np.isnan(trial.score) for trial in everything)
    columns = columns_for(len(found))
    page = Page(
        len(found),
        title=title(f"validation {label(metric)} over the trials", runs),
        footnote=f"{source(runs, search=True)} Score of the selected epoch of each. Ringed: the chosen trial. "
        f"{_others(found)}{f'×: {lost} failed or pruned.' if lost else ''}",
        columns=columns,
        height=1.1 if columns > 4 else 1.4,
        gap=(0.14, 0.1),
        left=0.62,
        right=0.78,
    )
    colours = _colours([trial.score for trial in everything], better=1 if metric.higher_is_better else -1)
    for axes, (method, group) in zip(page.axes, found.items(), strict=True):
        _panel(axes, group, across, up, colours)
        panel_title(axes, method, inches=width_of(page))
    _scale_alike(page, everything, across, up)
    page.share_axes(xlabel=WORDS[across], ylabel=WORDS.get(up, f"validation {label(metric)}"))
    _colour_bar(page, colours, better=metric.higher_is_better)
    return page.figure


def trials(runs: Runs) -> list[Trial]:
    """Return the trials of a method in their order, those that are recorded and whose optimiser has numbers."""
    metric, found, chosen = runs.arm.suite.selection, [], False
    for record in filter(None, runs.searches):
        hyper = dict(record.spec.hyper)
        lr, decay = (hyper[name] for name in OPTIMIZER_HYPER)
        if isinstance(lr, int | float) and isinstance(decay, int | float):
            value = score(record, metric.name)
            first = not chosen and _is_at(record, runs)
            chosen = chosen or first
            found.append(Trial(lr, decay, np.nan if value is None else value * scale(metric), first))
    return found


def _is_at(record: Record, runs: Runs) -> bool:
    return runs.point is not None and record.status == "ok" and runs.point.items() <= dict(record.spec.hyper).items()


def _others(found: dict[str, list[Trial]]) -> str:
    """Return what is to be said of methods of which nothing is chosen yet."""
    open_ones = [method for method, group in found.items() if not any(trial.chosen for trial in group)]
    return f"Nothing chosen yet: {', '.join(open_ones)}. " if open_ones else ""


def _colours(scores: Sequence[float], *, better: int) -> "ScalarMappable":
    """Return colours for scores, dark for good ones, as those of grids are."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    known = np.array([value for value in scores if np.isfinite(value)])
    ends = (np.quantile(known * better, [PALEST, 1]) * better).tolist() if len(known) else (0.0, 1.0)
    return ScalarMappable(Normalize(*sorted(ends), clip=True), "viridis_r" if better > 0 else "viridis")


def _panel(axes: "Axes", group: Sequence[Trial], across: str, up: str, colours: "ScalarMappable") -> None:
    """Draw trials, good ones above bad ones, lost ones as crosses, the chosen one with a ring."""
    good = [trial for trial in group if np.isfinite(trial.score)]
    lost = [trial for trial in group if not np.isfinite(trial.score)]
    x, y = ([getattr(trial, name) for trial in good] for name in (across, up))
    shown = colours.to_rgba(np.array([trial.score for trial in good]))
    axes.scatter(x, y, s=16, c=shown, edgecolors="0.35", linewidths=0.4, zorder=2, gid="trials")
    if up != "score":
        x, y = ([getattr(trial, name) for trial in lost] for name in (across, up))
        axes.scatter(x, y, s=14, marker="x", c="0.45", linewidths=0.8, zorder=1, gid="lost")
    chosen = [trial for trial in group if trial.chosen]
    x, y = ([getattr(trial, name) for trial in chosen] for name in (across, up))
    axes.scatter(x, y, s=62, facecolors="none", edgecolors=ACCENT, linewidths=1.4, zorder=3, gid="chosen")


def _scale_alike(page: Page, everything: Sequence[Trial], across: str, up: str) -> None:
    """Give all panels the same limits, logarithmic where values are positive and far apart."""
    from matplotlib.ticker import MaxNLocator

    limits = {}
    for name in (across, up):
        values = np.array([getattr(trial, name) for trial in everything], dtype=float)
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        far = name != "score" and low > 0 and high / low > MOST_LINEAR
        room = (high / low) ** 0.08 if far else 0.08 * (high - low) or 1.0
        limits[name] = ((low / room, high * room) if far else (low - room, high + room), far)
    for axes in page.axes:
        axes.set(xlim=limits[across][0], ylim=limits[up][0])
        for axis, name in ((axes.xaxis, across), (axes.yaxis, up)):
            if limits[name][1]:
                logarithmic(axis)
            else:
                axis.set_major_locator(MaxNLocator(nbins=4))
        axes.tick_params(labelsize=SMALL)


def _colour_bar(page: Page, colours: "ScalarMappable", *, better: bool) -> None:
    """Draw the scale of the scores beside the first row of panels."""
    place, height = page.axes[0].get_position(), page.inches[1]
    side = page.add(PAGE_INCHES - 0.62, place.y0 * height, 0.09, place.height * height)
    bar = page.figure.colorbar(colours, cax=side, extend="min" if better else "max")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2)
