"""Heat maps of searches: the optimiser's grid across, a row for each point of the method's own grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.campaign import score
from benchmark.figures.panels import LINE_INCHES, Page
from benchmark.figures.runs import Runs, label, scale, source, title
from benchmark.figures.style import ACCENT, PAGE_INCHES, SMALL, number, short
from benchmark.figures.weights import LUMINANCE
from benchmark.hyper import as_text
from benchmark.spec import Value
from benchmark.train import OPTIMIZER_HYPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_INCHES = 0.145
MOST_CHARACTERS = 46
"""Of what stands before a row."""

Key = tuple[Value, ...]


@dataclass(frozen=True)
class Grid:
    """The searches of a setting as one table.

    Attributes:
        columns: Values of weight decay and learning rate.
        rows: Method and the values of its own hyper-parameters that were searched, as text.
        values: Validation scores as they are shown, (rows, columns); NaN where there is none.
        failed: Where a run failed, (rows, columns).
        waiting: Where a run of the method's grid is not there yet, (rows, columns).
        chosen: Row and column of each method's chosen point.
    """

    columns: list[Key]
    rows: list[tuple[str, str]]
    values: np.ndarray
    failed: np.ndarray
    waiting: np.ndarray
    chosen: list[tuple[int, int]]


def grids(runs: Sequence[Runs]) -> "Figure | None":
    """Return the validation score at every point of every method's grid, the chosen one framed; None for budgets."""
    if runs[0].arm.search is not None or not any(each.arm.space and any(each.searches) for each in runs):
        return None
    grid = table(runs)
    metric = runs[0].arm.suite.selection
    left = 0.12 + 0.047 * max(len(own) for _, own in grid.rows) + 0.065 * max(len(method) for method, _ in grid.rows)
    page = Page(
        1,
        title=title(f"validation {label(metric)} over the grids", runs),
        footnote=f"{source(runs, search=True)} Score of the selected epoch of each. {_legend(grid)}",
        columns=1,
        height=max(4, len(grid.rows)) * ROW_INCHES,
        left=left,
        right=0.75,
        below=0.5,
    )
    axes = page.axes[0]
    _heat_map(axes, grid, better=1 if metric.higher_is_better else -1, text="{:.1f}" if metric.percent else "{:.3g}")
    _label(page, axes, grid)
    height = page.inches[1]
    place = axes.get_position()
    tall = min(1.3, place.height * height)
    side = page.add(PAGE_INCHES - 0.62, place.y1 * height - tall, 0.09, tall)
    bar = page.figure.colorbar(axes.images[0], cax=side, extend="min" if metric.higher_is_better else "max")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2)
    return page.figure


def table(runs: Sequence[Runs]) -> Grid:
    """Return the scores of all searches of a setting."""
    metric = runs[0].arm.suite.selection
    cells: dict[tuple[tuple[str, str], Key], float | None] = {}
    chosen, waiting = [], []
    for each in runs:
        if not each.searches:  # of a single point nothing is searched
            continue
        own = [name for name in each.arm.space if name not in OPTIMIZER_HYPER]
        for point, record in zip(each.arm.points(), each.searches, strict=True):
            hyper = dict(each.arm.spec(point).hyper)
            row = (each.method, ", ".join(f"{name} {_text(hyper[name])}" for name in own))
            column = tuple(hyper[name] for name in reversed(OPTIMIZER_HYPER))
            found = None if record is None else score(record, metric.name)
            cells[row, column] = None if found is None else found * scale(metric)
            if record is None:
                waiting.append((row, column))
            elif each.point is not None and all(hyper[name] == value for name, value in each.point.items()):
                chosen.append((row, column))
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = sorted({column for _, column in cells}, key=lambda column: tuple(_order(value) for value in column))
    shape = len(rows), len(columns)
    values, failed, absent = np.full(shape, np.nan), np.zeros(shape, bool), np.zeros(shape, bool)
    for (row, column), value in cells.items():
        place = rows.index(row), columns.index(column)
        absent[place] = (row, column) in waiting
        failed[place] = value is None and not absent[place]
        values[place] = np.nan if value is None else value
    places = [(rows.index(row), columns.index(column)) for row, column in chosen]
    short_rows = [(short(method, 24), short(own, MOST_CHARACTERS)) for method, own in rows]
    return Grid(columns, short_rows, values, failed, absent, places)


def _legend(grid: Grid) -> str:
    """Return what the signs stand for that there are."""
    empty = np.isnan(grid.values) & ~grid.failed & ~grid.waiting
    signs = {
        "Framed: the chosen point.": bool(grid.chosen),
        "×: the run failed.": grid.failed.any(),
        "·: not run yet.": grid.waiting.any(),
        "Empty: not in the method's grid.": empty.any(),
    }
    return " ".join(text for text, there in signs.items() if there)


def _order(value: Value) -> tuple[bool, float, str]:
    known = isinstance(value, int | float)
    return not known, -float(value) if known else 0.0, str(value)


def _text(value: Value) -> str:
    return number(value) if isinstance(value, float) else as_text(value)


def _heat_map(axes: "Axes", grid: Grid, *, better: int, text: str) -> None:
    """Draw the scores, dark for good ones; few bad ones must not pale all others, so the scale begins at a quartile."""
    from matplotlib.patches import Rectangle

    found = grid.values[np.isfinite(grid.values)]
    worst, best = (np.quantile(found * better, [0.15, 1]) * better).tolist() if len(found) else (0.0, 1.0)
    low, high = sorted((worst, best))
    image = axes.imshow(grid.values, cmap="viridis_r" if better > 0 else "viridis", vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(grid.values):
        if grid.failed[row, column] or grid.waiting[row, column]:
            sign = "×" if grid.failed[row, column] else "·"
            axes.text(column, row, sign, ha="center", va="center", fontsize=SMALL)
        elif np.isfinite(value):
            dark = np.dot(np.asarray(image.to_rgba(value))[:3], LUMINANCE) < 0.42
            axes.text(
                column,
                row,
                text.format(value),
                ha="center",
                va="center",
                fontsize=5.5,
                color="white" if dark else "black",
            )
    for row, column in grid.chosen:
        axes.add_patch(Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, edgecolor=ACCENT, linewidth=1.4))


def _label(page: Page, axes: "Axes", grid: Grid) -> None:
    """Write methods and hyper-parameters beside the rows and the optimiser's values above the columns."""
    rows, columns = grid.values.shape
    axes.set_yticks(range(rows), [own for _, own in grid.rows], fontsize=5.8)
    axes.set_xticks(range(columns), [_text(lr) for _, lr in grid.columns], fontsize=SMALL)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("learning rate, below it weight decay", labelpad=12)
    box = axes.get_position()
    figure_width = page.inches[0]
    begin = 0
    for column in range(1, columns + 1):
        if column == columns or grid.columns[column][0] != grid.columns[begin][0]:
            axes.annotate(
                _text(grid.columns[begin][0]),
                ((begin + column - 1) / 2, 0),
                xycoords=("data", "axes fraction"),
                xytext=(0, -2.1 * LINE_INCHES * 72),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL,
            )
            if column < columns:
                axes.axvline(column - 0.5, color="white", linewidth=2.5)
            begin = column
    begin = 0
    for row in range(1, rows + 1):
        if row == rows or grid.rows[row][0] != grid.rows[begin][0]:
            y = box.y1 - (begin + 0.5) / rows * box.height
            axes.figure.text(0.06 / figure_width, y, grid.rows[begin][0], fontsize=SMALL, va="center", ha="left")
            if row < rows:
                axes.axhline(row - 0.5, color="0.4", linewidth=0.4)
            begin = row
