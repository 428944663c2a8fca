"""Pages of panels laid out in inches, which takes no second pass over the text as automatic layouts do."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.figures.style import PAGE_INCHES, SMALL, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER_INCHES = 0.26
PANEL_TITLE_INCHES = 0.2
LINE_INCHES = 0.115
"""Height of a line of a footnote."""

LEGEND_ROW_INCHES = 0.16
SMALLEST = 5.6
"""Points of the smallest title of a panel."""

CHARACTERS_PER_INCH = 19
"""Of a footnote."""


class Page:
    """A figure of equal panels under a title, with room for a legend and a footnote below.

    Args:
        panels: Number of panels.
        title: Of the figure.
        footnote: Where its numbers come from.
        columns: Panels side by side.
        height: Of a panel in inches.
        width: Of the figure in inches.
        left: Room for the numbers of the first column in inches.
        below: Room for the numbers under the panels in inches.
        gap: Room between columns, and between rows beyond the titles of panels, in inches.
        right: Room at the right in inches.
        legend: Names in the legend; none for no legend.

    Attributes:
        figure: The figure.
        axes: Its panels, row by row.
    """

    def __init__(
        self,
        panels: int,
        *,
        title: str,
        footnote: str,
        columns: int,
        height: float,
        width: float = PAGE_INCHES,
        left: float = 0.55,
        below: float = 0.36,
        gap: tuple[float, float] = (0.12, 0.08),
        right: float = 0.12,
        legend: Sequence[str] = (),
    ) -> None:
        from matplotlib.figure import Figure

        lines = textwrap.wrap(footnote, int(width * CHARACTERS_PER_INCH))
        self._names = [short(name, 34) for name in legend]
        self._legend_columns = _legend_columns(self._names, width)
        legend_rows = -(-len(self._names) // self._legend_columns)
        self._foot = 0.08 + LINE_INCHES * len(lines)
        rows = -(-panels // columns)
        bottom = self._foot + legend_rows * LEGEND_ROW_INCHES + below
        step = height + PANEL_TITLE_INCHES + gap[1]
        self.inches = (width, HEADER_INCHES + rows * step - gap[1] + bottom)
        self.figure: Figure = Figure(figsize=self.inches)
        panel_width = (width - left - right - (columns - 1) * gap[0]) / columns
        self.axes: list[Axes] = []
        for place in range(panels):
            row, column = divmod(place, columns)
            base = bottom + (rows - 1 - row) * step
            self.axes.append(self.add(left + column * (panel_width + gap[0]), base, panel_width, height))
        self.columns = columns
        self._write(title, lines)

    def add(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        """Return new axes at a place in inches."""
        across, up = self.inches
        return self.figure.add_axes((left / across, bottom / up, width / across, height / up))

    def _write(self, title: str, lines: Sequence[str]) -> None:
        width, height = self.inches
        self.figure.suptitle(short(title, int(13 * width)), x=0.5, y=1 - 0.05 / height, va="top", fontsize=9)
        note = self.figure.text(
            0.06 / width, 0.05 / height, "\n".join(lines), fontsize=SMALL, color="0.35", va="bottom"
        )
        note.set_gid("footnote")

    def legend(self, handles: Sequence[Any]) -> None:
        """Draw the legend, one handle for each of its names."""
        drawn = self.figure.legend(
            list(handles),
            [f"\u200b{name}" if name.startswith("_") else name for name in self._names],
            loc="lower center",
            bbox_to_anchor=(0.5, self._foot / self.inches[1]),
            ncols=self._legend_columns,
            fontsize=SMALL,
            handlelength=2.6,
            columnspacing=1.2,
            labelspacing=0.25,
            borderaxespad=0,
            borderpad=0,
        )
        drawn.set_gid("legend")

    def share_axes(self, *, xlabel: str, ylabel: str) -> None:
        """Leave numbers on outer panels alone and label both axes once a row or column."""
        count = len(self.axes)
        for place, axes in enumerate(self.axes):
            axes.tick_params(labelbottom=place + self.columns >= count, labelleft=place % self.columns == 0, length=2)
        self.label_lowest(xlabel)
        middle = self.axes[0].get_position().y1 + self.axes[-1].get_position().y0
        self.figure.text(0.08 / self.inches[0], middle / 2, ylabel, rotation=90, va="center", ha="left", fontsize=8)

    def label_lowest(self, xlabel: str) -> None:
        """Label x under the lowest panel of each column."""
        for axes in self.axes[-self.columns :]:
            axes.set_xlabel(xlabel)


def room_for_numbers(low: float, high: float, *, nbins: int) -> float:
    """Return the inches that a label and the numbers of a y axis between two limits take at the left."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    axes.set_ylim(low, high)
    axes.locator_params(axis="y", nbins=nbins)
    numbers = axes.yaxis.get_major_formatter().format_ticks(list(axes.get_yticks()))
    return max(0.55, 0.32 + 0.068 * max(map(len, numbers), default=0))


def panel_title(axes: "Axes", text: str, *, inches: float) -> None:
    """Write the title of a panel, in small letters or cut where it is wider than that."""
    size = min(7.5, max(SMALLEST, inches * 72 / (0.56 * max(len(text), 1))))
    axes.set_title(short(text, int(inches * 72 / (0.56 * size)) + 1), fontsize=size, pad=2.5, loc="left")


def width_of(page: Page) -> float:
    """Return the width of a panel in inches."""
    return page.axes[0].get_position().width * page.inches[0]


def columns_for(panels: int) -> int:
    """Return how many panels stand side by side."""
    if panels > 12:
        return 6
    return min(panels, 4)


def _legend_columns(names: Iterable[str], width: float) -> int:
    found = list(names)
    longest = max((len(name) for name in found), default=1)
    return max(1, min(len(found), int((width - 0.2) / (0.62 + 0.055 * longest))))
