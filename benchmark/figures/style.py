"""One style for every figure: size of print, colours for all eyes, a second channel beside colour, the same bytes."""

import math
import re
import textwrap
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.files import whole

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

FORMATS = ("pdf", "png")
SAMPLE_TITLE = "SAMPLE: drawn data, no result"

PAGE_INCHES = 7.0
"""Width of a page of text; panels that do not fit beside each other stand below each other."""

SMALL = 6.5
"""Points of footnotes, legends and what stands inside panels."""

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # letters stay letters, which publishers ask for
    "savefig.dpi": 300,
}
"""Matplotlib settings of every figure."""

COLOURS = ("#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#000000", "#009E73", "#CC79A7")
"""Of Okabe and Ito (2008), but for yellow, which is faint on paper; in an order in which lines of one dash are far
apart in lightness too, for paper without colour and for eyes that see few."""

DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (2.5, 2.5)),
    (0, (6, 1.5, 1, 1.5, 1, 1.5)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h", "d")

ACCENT = "#D55E00"
"""Of rings, frames and marks around what was chosen or found."""

OTHERS = "0.8"
"""Grey of what stands behind the line that a panel is about."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Look(NamedTuple):
    """How one of several lines looks; any two differ in dash or marker too."""

    colour: str
    dash: Any
    marker: str


def look(number: int) -> Look:
    """Return the look of a line by its number, from 0.

    Of 12 lines, the most tasks that a figure has, two of one dash differ in colour or lightness; of 72, two of one
    marker differ in dash.
    """
    around = number // len(MARKERS)
    dash = DASHES[(number + around) % len(DASHES)]
    return Look(COLOURS[number % len(COLOURS)], dash, MARKERS[number % len(MARKERS)])


def style(*, math: bool = True) -> AbstractContextManager[None]:
    """Return the context in which every figure is made and saved, so that all look alike.

    Args:
        math: Whether a `$` begins a formula; names of users are no formulas.
    """
    from matplotlib import rc_context

    return rc_context({**STYLE, "text.parse_math": math})


def save(figure: "Figure", folder: Path, name: str, *, sample: bool, about: str = "") -> list[str]:
    """Write a figure as PDF and PNG, see `write_image`; return the names of both."""
    if sample:
        title = figure.get_suptitle()
        retitle(figure, f"{SAMPLE_TITLE}: {title}" if title else SAMPLE_TITLE, colour="tab:red")
    written = []
    for suffix in FORMATS:
        write_image(figure, folder / f"{name}.{suffix}", about=about)
        written.append(f"{name}.{suffix}")
    return written


def retitle(figure: "Figure", text: str, *, colour: str = "black") -> None:
    """Give a figure a title in letters small enough for its width, in several lines where they would be too small."""
    words = " ".join(text.split())
    room = figure.get_size_inches()[0] * 72 / 0.58  # for letters of one point
    size = min(9.0, max(SMALL, room / len(words)))
    figure.suptitle(textwrap.fill(words, round(room / size), break_on_hyphens=False), color=colour, fontsize=size)


def write_image(figure: "Figure", path: Path, *, about: str = "") -> None:
    """Write a figure whole or not at all, in the format of the ending, undated: the same figure is the same file.

    Args:
        figure: The figure.
        path: Where it goes; its ending is one of `FORMATS`.
        about: Kept in the file and not drawn: as PNG's description, as PDF's subject.
    """
    suffix = path.suffix.removeprefix(".")
    metadata = {"CreationDate": None, "Subject": about or None} if suffix == "pdf" else {"Description": about or None}
    with whole(path) as part:
        figure.savefig(part, format=suffix, metadata=metadata)


def short(text: str, most: int) -> str:
    """Return a name in one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def slugs(names: Iterable[str], *, most: int = 40) -> dict[str, str]:
    """Return a part of a file name for each name, of so many characters at most but for what tells them apart."""
    found: dict[str, str] = {}
    for name in names:
        slug = base = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.").lower()[:most].rstrip("-.") or "setting"
        number = 2
        while slug in found.values():
            slug, number = f"{base}-{number}", number + 1
        found[name] = slug
    return found


def logarithmic(axis: "Axis") -> None:
    """Give an axis a logarithmic scale whose numbers need no formula."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})  # type: ignore[attr-defined]
    low, high = sorted(axis.get_view_interval())
    powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    subs = (1.0,) if high / low > 30 and powers > 1 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def number(value: float) -> str:
    """Return a number as short text, of three digits and without the e of programs: 0.003, 1.47·10⁵, 10⁻⁵."""
    if value == 0 or 1e-3 <= abs(value) * (1 + 1e-9) < 1e4:
        return f"{value:.3g}"
    factor, _, power = f"{value:.2e}".partition("e")
    factor = factor.rstrip("0").rstrip(".")
    return f"{'' if factor == '1' else f'{factor}·'}10{str(int(power)).translate(SUPERSCRIPTS)}"
