"""Small multiples: a panel a method, its line before the grey lines of all others."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.figures.panels import Page, columns_for, panel_title, room_for_numbers, width_of
from benchmark.figures.style import COLOURS, OTHERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Line(NamedTuple):
    """A line over x with the half width of its band, (n,) each; NaN where there is none."""

    x: np.ndarray
    y: np.ndarray
    band: np.ndarray


def draw_highlights(
    lines: Mapping[str, Line],
    *,
    title: str,
    footnote: str,
    xlabel: str,
    ylabel: str,
    steps: bool = False,
    cut: float = 0,
) -> Page:
    """Return a page with a panel for each name, in which its line is drawn before all others.

    Args:
        lines: A line a name.
        title: Of the page.
        footnote: Where the numbers come from.
        xlabel: Name and unit of x.
        ylabel: Name and unit of y.
        steps: Whether y holds from one x to the next.
        cut: Share of all points that lie outside the panels, the lowest ones, or the highest ones if negative.
    """
    columns, limits = columns_for(len(lines)), limits_of(lines, cut)
    page = Page(
        len(lines),
        title=title,
        footnote=footnote,
        columns=columns,
        height=1.0 if columns > 4 else 1.3,
        left=room_for_numbers(*limits[1], nbins=4),
        gap=(0.14, 0.1),
    )
    for axes, (name, line) in zip(page.axes, lines.items(), strict=True):
        _panel(axes, line, [other for other in lines.values() if other is not line], steps=steps)
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.locator_params(axis="x", nbins=4, integer=True)
        axes.locator_params(axis="y", nbins=4)
        panel_title(axes, name, inches=width_of(page))
    page.share_axes(xlabel=xlabel, ylabel=ylabel)
    return page


def _panel(axes: "Axes", line: Line, others: Sequence[Line], *, steps: bool) -> None:
    """Draw a line and its band before others."""
    kind = "steps-post" if steps else "default"
    for other in others:
        axes.plot(other.x, other.y, color=OTHERS, linewidth=0.5, drawstyle=kind, zorder=1)
    low, high = line.y - line.band, line.y + line.band
    band = axes.fill_between(line.x, low, high, color=COLOURS[0], alpha=0.3, linewidth=0, zorder=2)
    band.set_gid("band")
    axes.plot(line.x, line.y, color=COLOURS[0], linewidth=1.4, drawstyle=kind, zorder=3, gid="highlight")
    if np.isfinite(line.y).sum() == 1:
        axes.plot(line.x, line.y, ".", color=COLOURS[0], zorder=3)


def count_outside(lines: Mapping[str, Line], cut: float) -> tuple[int, int]:
    """Return how many points of the lines lie outside the panels of `draw_highlights`, and how many there are."""
    low, high = limits_of(lines, cut)[1]
    y = np.concatenate([line.y for line in lines.values()])
    y = y[np.isfinite(y)]
    return int(((y < low) | (y > high)).sum()), len(y)


def limits_of(lines: Mapping[str, Line], cut: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return what holds all lines and bands but a share `cut`, in x and in y, with a margin."""
    x = np.concatenate([line.x for line in lines.values()])
    ends = [line.y + sign * np.nan_to_num(line.band) for line in lines.values() for sign in (-1, 1)]
    y = np.concatenate(ends)
    y = y[np.isfinite(y)]
    quantiles = [max(cut, 0), 1 + min(cut, 0)]
    low, high = np.quantile(y, quantiles).tolist() if len(y) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    room = 0.03 * float(np.ptp(x)) or 0.5  # a line's first point, or its only one, is not on the axis
    return (float(x.min()) - room, float(x.max()) + room), (low - margin, high + margin)
