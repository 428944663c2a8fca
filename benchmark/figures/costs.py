"""Accuracy against cost: the test result of each method over the seconds of a training step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.panels import Page
from benchmark.figures.runs import Runs, label, over_runs, scale, source, title
from benchmark.figures.style import COLOURS, SMALL, logarithmic, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox, BboxBase

DIRECTIONS = ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))
"""In which a name may stand from its point, first choice first."""

DISTANCES = (5, 9, 14, 20, 28, 38, 50, 64, 80, 100)
"""At which it may stand, in points."""

NEAR = 4
"""How many of them are tried before a name may cover a bar."""

MOST_LINEAR = 3
"""Ratio of largest to smallest cost up to which its axis stays linear."""

LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}


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
    page = Page(
        1,
        title=title("test result against cost", runs),
        footnote=f"{source(runs)} Means over final runs; bars: ± one standard error (ddof 1). Filled, dashed: "
        f"the Pareto front, methods that no other is both cheaper and better than, by means alone. Device: "
        f"{', '.join(devices)}. The cost of a search is not in it.",
        columns=1,
        height=3.6,
        left=0.55,
        below=0.42,
        right=0.2,
    )
    axes = page.axes[0]
    front = pareto([p.cost for p in points], [p.score for p in points], higher_is_better=metric.higher_is_better)
    _draw(axes, points, front, better=1 if metric.higher_is_better else -1)
    axes.set(xlabel="training step (ms)", ylabel=f"test {label(metric)}")
    first = [points[index] for index in front] + [point for index, point in enumerate(points) if index not in front]
    bars = [(np.nan_to_num(p.cost_sem).item(), np.nan_to_num(p.score_sem).item()) for p in first]
    place_names(axes, [(p.cost, p.score) for p in first], [short(p.method, 28) for p in first], bars)
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


def _draw(axes: "Axes", points: Sequence[Point], front: Sequence[int], *, better: int) -> None:
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
    x, y = ([getattr(points[index], name) for index in front] for name in ("cost", "score"))
    ends = max(point.cost for point in points) * 1.3
    axes.step([*x, ends], [*y, y[-1]], where="post", color=COLOURS[0], linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    costs = [point.cost for point in points]
    axes.set_xlim(min(costs) / 1.25, ends)
    if min(costs) > 0 and max(costs) / min(costs) > MOST_LINEAR:
        logarithmic(axes.xaxis)
    if better < 0:
        axes.invert_yaxis()
    axes.margins(y=0.08)


def _bar(sem: float) -> float | None:
    return sem if np.isfinite(sem) else None


def place_names(
    axes: "Axes",
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    bars: Sequence[tuple[float, float]],
) -> None:
    """Write a name beside each point, where it covers no point, no bar and no other name, with a line from afar.

    Args:
        axes: Where the points are drawn, with their final limits.
        places: Of the points.
        names: Of the points.
        bars: Half their lengths in x and y.
    """
    points = axes.transData.transform(places)
    dots = axes.figure.dpi / 72
    crosses = [*_crosses(axes, places, bars, dots)]
    taken, lines = crosses[::3], [box for number, box in enumerate(crosses) if number % 3]
    for index in range(len(names)):
        size = np.array([3.75 * len(names[index]), 7.5]) * dots
        across, up, distance, box = _free(axes.bbox, points[index], size, taken, lines, dots)
        taken.append(box)
        axes.annotate(
            names[index],
            places[index],
            xytext=(across * distance, up * distance),
            textcoords="offset points",
            ha=("center", "left", "right")[across],
            va=("center", "bottom", "top")[up],
            fontsize=SMALL,
            arrowprops=dict(LEADER) if distance > DISTANCES[0] else None,
            zorder=4,
        )


def _crosses(
    axes: "Axes", places: Sequence[tuple[float, float]], bars: Sequence[tuple[float, float]], dots: float
) -> "Iterator[Bbox]":
    """Yield what points and their bars cover, in dots of the display."""
    from matplotlib.transforms import Bbox

    for (x, y), (wide, high) in zip(places, bars, strict=True):
        for ends in ([(x, y), (x, y)], [(x - wide, y), (x + wide, y)], [(x, y - high), (x, y + high)]):
            grown = 3 * dots if ends[0] == ends[1] else 0.8 * dots
            yield Bbox(axes.transData.transform(ends)).padded(grown)


def _free(
    inside: "BboxBase",
    point: np.ndarray,
    size: np.ndarray,
    taken: "Sequence[Bbox]",
    lines: "Sequence[Bbox]",
    dots: float,
) -> "tuple[int, int, float, Bbox]":
    """Return direction, distance and box of the nearest place around a point that nothing covers, bars if need be."""
    from matplotlib.transforms import Bbox

    first = None
    tried = [([*taken, *lines], distance) for distance in DISTANCES[:NEAR]] + [(taken, each) for each in DISTANCES]
    for covered, distance in tried:
        for across, up in DIRECTIONS:
            x, y = point + np.array([across, up]) * distance * dots
            box = Bbox.from_bounds(x - size[0] * (1 - across) / 2, y - size[1] * (1 - up) / 2, *size)
            first = first or (across, up, distance, box)
            held = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if held and not any(box.overlaps(other) for other in covered):
                return across, up, distance, box
    return first or (1, 0, DISTANCES[0], Bbox.null())
