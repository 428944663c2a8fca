"""Names beside points of a scatter, where they cover no point, bar, line or other name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.style import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray

DIRECTIONS = (
    *((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)),
    *((2, 1), (-2, 1), (2, -1), (-2, -1), (1, 2), (-1, 2), (1, -2), (-1, -2)),
)
"""In which a name may stand from its point, first choice first; across and up."""

DISTANCES = (5, 8, 12, 17, 23, 30, 38, 47, 57, 68, 80, 95, 110, 130, 150)
"""At which it may stand, in points, along the longer way of a direction."""

SWEEPS, ATTEMPTS = 5, 3
"""How often all names are placed anew, each where the others leave it room; and in how many orders."""

OUTSIDE, COVERS, STRIKES, CROSSES, MEETS = 1e5, 1e4, 3e3, 300.0, 15.0
"""Costs, in points of distance: of leaving the axes, covering a name or point, covering a bar or line, leading across a
point, leading across a bar or line."""

PADDING = 1.8
"""Points that stay free around names."""

LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}

Bars = Sequence[tuple[float, float]]
Segment = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Places:
    """Where one name may stand.

    Attributes:
        offsets: From its point, in points of print, (n, 2).
        boxes: That it would cover, left, bottom, right and top in dots, (n, 4).
        leaders: Dots along the line from its point, (n, k, 2), NaN where it stands too near to need one.
        distances: From its point, with a little for what is not first choice, (n,).
    """

    offsets: Array
    boxes: Array
    leaders: Array
    distances: Array


def place_names(
    axes: "Axes",
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    bars: Bars,
    lines: Sequence[Segment] = (),
) -> None:
    """Write a name beside each point, where it covers nothing, with a line from afar.

    Args:
        axes: Where the points are drawn, with their final limits.
        places: Of the points.
        names: Of the points.
        bars: Half their lengths in x and y.
        lines: Upright or level lines that are drawn too, by their ends.
    """
    if not names:
        return
    dots = axes.figure.dpi / 72
    axes.autoscale_view()  # limits that were asked for are set when first looked at, which no transformation does
    points = axes.transData.transform(places)
    solid = np.concatenate([points - 3 * dots, points + 3 * dots], axis=1)
    thin = np.array([*_thin(axes, places, bars, lines)]).reshape(-1, 4)
    inside = np.array(axes.bbox.extents)
    found = [_places(point, name, dots) for point, name in zip(points, names, strict=True)]
    at = _arranged(found, solid, thin, inside)
    for name, place, each, index in zip(names, places, found, at, strict=True):
        near = np.isnan(each.leaders[index]).all()
        axes.annotate(
            name,
            place,
            xytext=tuple(each.offsets[index]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            arrowprops=None if near else dict(LEADER),
            zorder=4,
        )


def _thin(axes: "Axes", places: Sequence[tuple[float, float]], bars: Bars, lines: Sequence[Segment]) -> Iterator[Array]:
    """Yield what bars and lines cover, in dots."""
    ends = [((x - wide, y), (x + wide, y)) for (x, y), (wide, _) in zip(places, bars, strict=True)]
    ends += [((x, y - high), (x, y + high)) for (x, y), (_, high) in zip(places, bars, strict=True)]
    for segment in (*ends, *lines):
        start, end = axes.transData.transform(segment)
        yield np.concatenate([np.minimum(start, end) - 1, np.maximum(start, end) + 1])


def _places(point: Array, name: str, dots: float) -> Places:
    """Return all places that a name may have."""
    size = np.array(size_of(name))
    offsets, distances = [], []
    for distance in DISTANCES:
        for choice, direction in enumerate(np.array(DIRECTIONS)):
            step = direction / abs(direction).max()
            offsets.append(step * distance + np.sign(direction) * size / 2)
            distances.append(distance + 0.2 * choice)
    kept = np.array(offsets)
    centres, half = point + kept * dots, (size / 2 + PADDING) * dots
    leaders = point + (centres - point)[:, None] * np.linspace(0, 1, 18)[None, :, None]
    leaders[np.array(distances) < DISTANCES[1]] = np.nan
    return Places(kept, np.concatenate([centres - half, centres + half], axis=1), leaders, np.array(distances))


def size_of(name: str) -> tuple[float, float]:
    """Return width and height of a name in points of print."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    width = TextPath((0, 0), name, size=SMALL, prop=FontProperties()).get_extents().width if name.strip() else 0.0
    return float(width), 1.15 * SMALL


def _arranged(found: Sequence[Places], solid: Array, thin: Array, inside: Array) -> list[int]:
    """Return the place of each name, from the order of placing them that ends best."""
    fixed = [_fixed_costs(each, solid, thin, inside) for each in found]
    draw = np.random.default_rng(0)
    best, least = [0] * len(found), np.inf
    for attempt in range(ATTEMPTS):
        order = draw.permutation(len(found)) if attempt else np.arange(len(found))
        at, cost = _settled(found, fixed, order.tolist())
        if cost < least:
            best, least = at, cost
    return best


def _settled(found: Sequence[Places], fixed: Sequence[Array], order: Sequence[int]) -> tuple[list[int], float]:
    """Return the place of each name, placed in turn until none finds a better one, and what all cost."""
    at, total = [-1] * len(found), np.inf
    for _ in range(SWEEPS):
        before, total = list(at), 0.0
        for number in order:
            others = [(found[other], place) for other, place in enumerate(at) if place >= 0 and other != number]
            costs = fixed[number] + _costs(found[number], others)
            at[number] = int(np.argmin(costs))
            total += float(costs[at[number]])
        if at == before:
            break
    return at, total


def _fixed_costs(each: Places, solid: Array, thin: Array, inside: Array) -> Array:
    """Return what each place costs whatever the other names do, (n,)."""
    out = (each.boxes[:, :2] < inside[:2]).any(1) | (each.boxes[:, 2:] > inside[2:]).any(1)
    covered, struck = (_overlaps(each.boxes, boxes).sum(1) for boxes in (solid, thin))
    crossed, met = (_leads_across(each.leaders, boxes).sum(1) for boxes in (solid, thin))
    covering = OUTSIDE * out + COVERS * covered + STRIKES * struck
    return each.distances + covering + CROSSES * crossed + MEETS * met  # its own point is the same for all


def _costs(each: Places, others: Sequence[tuple[Places, int]]) -> Array:
    """Return what each place costs as the other names stand, (n,)."""
    if not others:
        return np.zeros(len(each.boxes))
    boxes = np.array([other.boxes[place] for other, place in others])
    leaders = np.array([other.leaders[place] for other, place in others])
    struck = _leads_across(leaders, each.boxes).sum(0) + _leads_across(each.leaders, boxes).sum(1)
    return COVERS * _overlaps(each.boxes, boxes).sum(1) + STRIKES * struck


def _overlaps(boxes: Array, others: Array) -> Array:
    """Return which boxes (n, 4) overlap which others (m, 4), (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.logical_and.reduce(low < high, axis=2)


def _leads_across(lines: Array, boxes: Array) -> Array:
    """Return which lines, dots (n, k, 2), meet which boxes (m, 4), (n, m)."""
    above = lines[:, None] > boxes[None, :, None, :2]
    below = lines[:, None] < boxes[None, :, None, 2:]
    return np.logical_or.reduce(np.logical_and.reduce(above & below, axis=3), axis=2)
