"""The task weights that training ends with: their numbers, and heat maps of each task's share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.figures.style import PAGE_INCHES, short
from benchmark.record import Record
from benchmark.spec import called
from benchmark.tables.gather import MOST_TASKS_SHOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue, ITU-R BT.601."""

CELL_INCHES = (0.36, 0.24)
MOST_CHARACTERS = 30
"""Of a name beside the cells."""


def final_weights(finals: Sequence[Record]) -> pd.DataFrame:
    """Return the weight of each task in the last epoch and its share of all weights, over the final runs.

    A row a setting, method and task, the main task first, with mean and standard error (ddof 1); none for runs of
    more than `MOST_TASKS_SHOWN` tasks. Where a run's weights are all 0, its shares are NaN and do not count.

    Args:
        finals: Records of successful final runs.
    """
    rows = []
    for record in finals:
        if len(record.tasks) <= MOST_TASKS_SHOWN:
            weight = np.array(record.epochs[-1]["weight"], float)
            spec = record.spec
            for task, *values in zip(record.tasks, weight, shares(weight), strict=True):
                rows.append((called(spec.suite, spec.data), spec.setting, spec.method, task, *values))
    keys = ["suite", "setting", "method", "task"]
    frame = pd.DataFrame(rows, columns=pd.Index([*keys, "weight", "share"]))
    found = frame.groupby(keys, sort=False).agg(
        seeds=("weight", "size"),
        share_mean=("share", "mean"),
        share_sem=("share", "sem"),
        weight_mean=("weight", "mean"),
        weight_sem=("weight", "sem"),
    )
    return found.reset_index()


def shares(weights: np.ndarray) -> np.ndarray:
    """Return the share of each weight (..., tasks) in the sum of their magnitudes, negative for a negative one.

    NaN where all are 0.
    """
    total = np.abs(weights).sum(-1, keepdims=True)
    return weights / np.where(total > 0, total, np.nan)


def mean_share(finals: Iterable[Record], chosen: Callable[[str], bool]) -> float | None:
    """Return which share of the magnitudes of all weights the chosen tasks have in the last epoch, mean over runs.

    None without a run whose weights are finite and not all 0.

    Args:
        finals: Records of successful final runs.
        chosen: Says of a task's name whether it counts.
    """
    found = []
    for record in finals:
        magnitudes = np.abs(shares(np.array(record.epochs[-1]["weight"], float)))
        if not np.isnan(magnitudes).any():
            found.append(magnitudes[[chosen(task) for task in record.tasks]].sum())
    return float(np.mean(found)) if found else None


def draw_weights(weights: pd.DataFrame) -> "Figure":
    """Return heat maps of the mean share of each task, one panel a setting, from what `final_weights` returns.

    A method without runs or without shares in a setting has dashes there. Colours are of magnitudes, and cells of
    negative shares are hatched.
    """
    from matplotlib.figure import Figure

    panels = {
        str(setting): rows.pivot(index="method", columns="task", values="share_mean").reindex(
            index=weights["method"].unique(), columns=rows["task"].unique()
        )
        for setting, rows in weights.groupby("setting", sort=False)
    }
    figure = Figure(layout="constrained")
    grid = _lay_out(figure, panels)
    images = [_heat_map(axes, panel) for axes, panel in zip(grid, panels.values(), strict=True)]
    for axes, setting in zip(grid, panels, strict=True):
        axes.set_title(_name(setting))
    negative = bool((weights["share_mean"] < 0).any())
    label = "share of weight" + ("\n(hatched: negative)" if negative else "")
    bar = figure.colorbar(images[0], ax=grid, label=label, aspect=30, pad=0.03)
    bar.set_ticks([0, 0.05, 0.2, 0.5, 1])
    bar.outline.set_visible(False)
    return figure


def _lay_out(figure: "Figure", panels: Mapping[str, pd.DataFrame]) -> "list[Axes]":
    """Give the figure the size of its panels and return their axes, as many side by side as a page is wide."""
    labels = pd.Series([_name(name) for panel in panels.values() for name in panel.index])
    tasks = pd.Series([_name(name) for panel in panels.values() for name in panel.columns])
    rows, columns = (max(panel.shape[axis] for panel in panels.values()) for axis in (0, 1))
    left, below = 0.065 * labels.str.len().max(), 0.05 * tasks.str.len().max()
    width, height = columns * CELL_INCHES[0], max(rows, 4) * CELL_INCHES[1]
    across = max(1, min(len(panels), int((PAGE_INCHES - left) / width)))
    down = -(-len(panels) // across)
    figure.set_size_inches(0.7 + left + across * width, 0.3 + down * (0.3 + below + height))
    grid = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes in grid[len(panels) :]:
        axes.remove()
    return list(grid[: len(panels)])


def _heat_map(axes: "Axes", panel: pd.DataFrame) -> "AxesImage":
    """Draw shares (methods, tasks), light for none, written into the cells; the main task stands apart."""
    from matplotlib.colors import PowerNorm
    from matplotlib.patches import Rectangle

    shares = panel.to_numpy(float)
    axes.set_facecolor("0.93")  # of cells without a share
    image = axes.imshow(np.abs(shares), cmap="viridis_r", norm=PowerNorm(0.5, 0, 1, clip=True), aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        dark = not np.isnan(share) and np.dot(image.to_rgba(abs(share))[:3], LUMINANCE) < 0.42
        color = "white" if dark else "black"
        text = axes.text(column, row, _cell(share), ha="center", va="center", color=color, fontsize=7)
        text.set_in_layout(False)  # it lies inside its cell, and asking is slow
        if share < 0:
            corner, look = (column - 0.5, row - 0.5), {"edgecolor": "0.45", "linewidth": 0, "hatch_linewidth": 0.4}
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="/////", **look))
    rows, columns = shares.shape
    for row in range(1, rows):
        axes.axhline(row - 0.5, color="white", linewidth=0.8)
    for column in range(1, columns):
        axes.axvline(column - 0.5, color="white", linewidth=3 if column == 1 else 0.8)
    axes.set_xticks(range(columns), [*map(_name, panel.columns)], rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(rows), [*map(_name, panel.index)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image


def _name(name: object) -> str:
    return short(str(name), MOST_CHARACTERS)


def _cell(share: float) -> str:
    """Return a share as text; only an exact 0 or 1 is written without decimals."""
    if np.isnan(share):
        return "–"
    return f"{share:.0f}" if share in (0, 1) else f"{share:z.2f}"
