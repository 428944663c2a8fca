"""The critical-difference diagram of mean ranks (Demsar 2006, Figure 1)."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.panels import CHARACTERS_PER_INCH, LINE_INCHES
from benchmark.figures.style import PAGE_INCHES, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.3
"""Inches between two names."""


def cliques(ranks: Sequence[float], critical_difference: float) -> list[list[int]]:
    """Return the largest groups of methods whose mean ranks differ by less than the critical difference.

    Args:
        ranks: Mean rank of each method.
        critical_difference: From which on two differ significantly (Nemenyi).

    Returns:
        Indices of the methods of each group, best first; groups of one are left out.
    """
    order = np.argsort(ranks, kind="stable").tolist()
    found: list[list[int]] = []
    for start in range(len(order)):
        group = [each for each in order[start:] if ranks[each] - ranks[order[start]] < critical_difference]
        if len(group) > 1 and not any(set(group) <= set(other) for other in found):
            found.append(group)
    return found


def draw(
    methods: Sequence[str],
    ranks: Sequence[float],
    critical_difference: float,
    groups: Sequence[Sequence[int]],
    *,
    footnote: str,
) -> "Figure":
    """Return the diagram: an axis of mean ranks, best at the left, and bars over groups that are not told apart.

    The axis is as long as the ranks or the critical difference need, so that its bar is whole.
    """
    from matplotlib.figure import Figure

    order = np.argsort(ranks, kind="stable").tolist()
    half = -(-len(order) // 2)
    top = 0.25 + 0.16 * len(groups)
    lines = textwrap.wrap(footnote, int(PAGE_INCHES * CHARACTERS_PER_INCH))
    height = 0.85 + top + ROW * half + LINE_INCHES * len(lines)
    figure = Figure(figsize=(PAGE_INCHES, height), layout="constrained")
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=SMALL, parse_math=False, gid="footnote")
    axes = figure.subplots()
    axes.set_ylim(top + ROW * half, -0.45)
    _axis(axes, len(order), critical_difference)
    for place, method in enumerate(order):
        left = place < half
        height = top + ROW * (place if left else len(order) - 1 - place)
        _name(axes, f"{methods[method]}  {ranks[method]:.2f}", ranks[method], height, left=left)
    for number, group in enumerate(groups):
        spread = [ranks[each] for each in group]
        height = 0.2 + 0.16 * number
        axes.plot([min(spread) - 0.03, max(spread) + 0.03], [height, height], color="black", linewidth=3)
    return figure


def _axis(axes: "Axes", count: int, critical_difference: float) -> None:
    """Draw the axis of ranks and above it the bar of the critical difference, which may be longer than all ranks."""
    low, high = 1, count
    end = max(high, low + critical_difference)
    axes.set_xlim(low - 0.02 * (end - low), end + 0.02 * (end - low))
    axes.xaxis.set_ticks_position("top")
    axes.set_xticks(range(low, high + 1))
    axes.set_yticks([])
    axes.spines[["left", "bottom", "right"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.spines["top"].set_position(("data", 0))
    axes.set_xlabel("mean rank (1 is best)")
    bar = [low, low + critical_difference]
    axes.plot(bar, [-0.3, -0.3], color="tab:red", linewidth=2, solid_capstyle="butt", gid="critical difference")
    axes.text(low, -0.36, f"critical difference {critical_difference:.2f}", color="tab:red", va="bottom")


def _name(axes: "Axes", text: str, rank: float, height: float, *, left: bool) -> None:
    """Draw a line from the axis down and aside to a name."""
    end = axes.get_xlim()[0 if left else 1]
    axes.plot([rank, rank, end], [0, height, height], color="0.4", linewidth=0.8, clip_on=False)
    axes.annotate(
        text,
        (end, height),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        annotation_clip=False,
    )
