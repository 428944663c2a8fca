"""Loss surfaces of a regression in the plane, and where their minimum moves while task weights are learnt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.figures.panels import Page, panel_title, width_of
from benchmark.figures.style import ACCENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 181
"""Of the grid along each axis."""

LEVELS = 16


def minimum(inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the W, (D,), with the smallest weighted squared error, by the normal equations.

    Args:
        inputs: (N, D).
        targets: Of all tasks, (N, T).
        weights: Of the tasks, (T,), with a positive sum.
    """
    return np.linalg.lstsq(inputs, targets @ (weights / weights.sum()), rcond=None)[0]


def surface(inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the weighted mean squared error over the plane, [W_2, W_1]; weights are scaled to sum to one.

    Args:
        inputs: (N, 2).
        targets: (N, T).
        weights: (T,).
        line: Values of each coordinate.
    """
    first, second = np.meshgrid(line, line)
    predicted = inputs[:, 0, None, None] * first + inputs[:, 1, None, None] * second
    share = weights / weights.sum()
    errors = [np.square(predicted - targets[:, task, None, None]).mean(0) for task in range(len(share))]
    return np.tensordot(share, np.stack(errors), 1)


def draw_surfaces(
    inputs: np.ndarray,
    targets: np.ndarray,
    panels: Mapping[str, np.ndarray],
    path: np.ndarray,
    *,
    solution: Sequence[float],
    plane: tuple[float, float],
    title: str,
    footnote: str,
) -> "Figure":
    """Return the surface of each panel's task weights, with its minimum, W*, and in the last one the minimum's path.

    Args:
        inputs: Of the training set, (N, 2).
        targets: Of all tasks, (N, T).
        panels: Task weights, (T,), by title.
        path: Task weights after each epoch, (epochs, T).
        solution: W*.
        plane: Range of both axes.
        title: Of the figure.
        footnote: Where the numbers come from.
    """
    names = ["minimum of the training loss", "W*, the solution of the main task", "path of the minimum over epochs"]
    page = Page(
        len(panels), title=title, footnote=footnote, columns=len(panels), height=2.0, gap=(0.15, 0.1), legend=names
    )
    line = np.linspace(*plane, POINTS)
    handles = []
    for axes, (name, weights) in zip(page.axes, panels.items(), strict=True):
        values = surface(inputs, targets, weights, line)
        axes.contour(line, line, values, levels=LEVELS, linewidths=0.6, cmap="viridis")
        handles = _marks(axes, minimum(inputs, targets, weights), solution)
        axes.set(xlim=plane, ylim=plane, aspect="equal")
        panel_title(axes, name, inches=width_of(page))
    walked = np.stack([minimum(inputs, targets, weights) for weights in path])
    (trail,) = page.axes[-1].plot(*walked.T, "-", color="black", linewidth=1.1, zorder=3)
    page.share_axes(xlabel="W₁", ylabel="W₂")
    page.legend([*handles, trail])
    return page.figure


def _marks(axes: "Axes", lowest: np.ndarray, solution: Sequence[float]) -> list:
    (found,) = axes.plot(*lowest, "o", color=ACCENT, markersize=5, markeredgecolor="white", zorder=5)
    (true,) = axes.plot(*solution, "*", color="black", markersize=9, markeredgecolor="white", zorder=4)
    return [found, true]
