"""Accuracy against cost: the test result of each method over the seconds of a training step."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.names import Segment, place_names
from benchmark.figures.panels import Page
from benchmark.figures.runs import Runs, label, over_runs, scale, source, title
from benchmark.figures.style import COLOURS, logarithmic, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINEAR = 3
"""Ratio of largest to smallest cost up to which its axis stays linear."""


@dataclass(frozen=True)
class Point:
    """One method: milliseconds a step and the test result as it is shown, each with its standard error."""

    method: str
    cost: float
    cost_sem: float
    score: float
    score_sem: float


def pareto(costs: Sequence[float], scores: Sequence[float], *, higher_is_better: bool = True) -> list[int]:
    """Return which points no other one beats, cheapest first: none is as cheap and as good, and better in one."""
    sign = 1 if higher_is_better else -1
    order = sorted(range(len(costs)), key=lambda index: (costs[index], -sign * scores[index]))
    front: list[int] = []
    for index in order:
        best = front[-1] if front else index
        better = sign * scores[index] > sign * scores[best]
        if better or (costs[index], scores[index]) == (costs[best], scores[best]):
            front.append(index)
    return front


def cost(runs: Sequence[Runs]) -> "Figure | None":
    """Return the main test metric against seconds a step, with the Pareto front; None for fewer than two methods."""
    points = points_of(runs)
    if len(points) < 2:
        return None
    metric = runs[0].arm.suite.selection
    devices = sorted({str(record.environment.get("device", "unknown")) for each in runs for record in each.finals})
    words = (
        "Filled, dashed: the Pareto front, methods that no other is both cheaper and better than, by means alone. "
        f"Device: {devices[0]}."
    )
    if len(devices) > 1:
        words = f"Times of several devices do not compare, so that no front is drawn: {', '.join(devices)}."
    page = Page(
        1,
        title=title("test result against cost", runs),
        footnote=f"{source(runs)} Means over final runs; bars: ± one standard error (ddof 1). {words} "
        "The cost of a search is not in it.",
        columns=1,
        height=3.6,
        left=0.55,
        below=0.42,
        right=0.2,
    )
    axes = page.axes[0]
    costs, scores = [point.cost for point in points], [point.score for point in points]
    front = pareto(costs, scores, higher_is_better=metric.higher_is_better) if len(devices) == 1 else []
    steps = _draw(axes, points, front, better=1 if metric.higher_is_better else -1)
    axes.set(xlabel="training step (ms)", ylabel=f"test {label(metric)}")
    first = [points[index] for index in front] + [point for index, point in enumerate(points) if index not in front]
    bars = [(np.nan_to_num(p.cost_sem).item(), np.nan_to_num(p.score_sem).item()) for p in first]
    place_names(axes, [(p.cost, p.score) for p in first], [short(p.method, 28) for p in first], bars, steps)
    return page.figure


def points_of(runs: Sequence[Runs]) -> list[Point]:
    """Return a point for each method with final runs."""
    metric = runs[0].arm.suite.selection
    found = []
    for each in runs:
        if each.finals:
            steps = over_runs([record.timing["step_sec"] * 1e3 for record in each.finals])
            scores = over_runs([record.test[metric.name] * scale(metric) for record in each.finals])
            found.append(Point(each.method, *(float(value) for value in (*steps, *scores))))
    return found


def _draw(axes: "Axes", points: Sequence[Point], front: Sequence[int], *, better: int) -> list[Segment]:
    """Draw points, bars and the front, and return the level and upright lines of the front."""
    for index, point in enumerate(points):
        on_front = index in front
        axes.errorbar(
            point.cost,
            point.score,
            xerr=_bar(point.cost_sem),
            yerr=_bar(point.score_sem),
            fmt="o" if on_front else "s",
            markersize=4.5 if on_front else 3.5,
            markerfacecolor=COLOURS[0] if on_front else "white",
            color=COLOURS[0] if on_front else "0.35",
            elinewidth=0.7,
            zorder=3 if on_front else 2,
        )
    costs = [point.cost for point in points]
    ends = max(costs) * 1.3
    axes.set_xlim(min(costs) / 1.25, ends)
    if min(costs) > 0 and max(costs) / min(costs) > MOST_LINEAR:
        logarithmic(axes.xaxis)
    if better < 0:
        axes.invert_yaxis()
    axes.margins(y=0.08)
    if not front:
        return []
    x, y = ([getattr(points[index], name) for index in front] for name in ("cost", "score"))
    axes.step([*x, ends], [*y, y[-1]], where="post", color=COLOURS[0], linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    corners = [(x[0], y[0])]
    for across, up in zip([*x[1:], ends], [*y[1:], y[-1]], strict=True):
        corners += [(across, corners[-1][1]), (across, up)]
    return list(pairwise(corners))


def _bar(sem: float) -> float | None:
    return sem if np.isfinite(sem) else None
