"""Diagnostics of hypergradients over time, as the records have them: one panel a diagnostic, one line a method."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.figures.curves import BANDS
from benchmark.figures.panels import Page, panel_title, width_of
from benchmark.figures.runs import Mean, Runs, over_runs, source, title
from benchmark.figures.style import logarithmic, look
from benchmark.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Diagnostic(NamedTuple):
    """How a diagnostic is shown; `complement` shows one minus it, `log` on a logarithmic axis."""

    label: str
    log: bool = False
    complement: bool = False
    share: bool = False


KNOWN = {
    "hypergradient_norm": Diagnostic("norm before clipping", log=True),
    "clipped": Diagnostic("share of steps clipped", share=True),
    "cosine_to_identity": Diagnostic("1 − cosine to identity", log=True, complement=True),
    "residual": Diagnostic("relative residual of the solve", log=True),
    "stopped": Diagnostic("share of solves stopped", share=True),
    "largest_eigenvalue": Diagnostic("largest eigenvalue", log=True),
    "held_out_loss": Diagnostic("held-out main loss", log=True),
    "held_out_loss_after": Diagnostic("held-out loss after look-ahead", log=True),
}
"""By name in records; others are shown as they are."""

RESOLUTION = 2.0**-24
"""Of float32 just below 1: what one minus a cosine cannot tell from 0."""

COSINE = "Cosine: between inverse-Hessian product and plain gradient; where it is 1 in float32, 6·10⁻⁸ is drawn."
MOST_LINEAR = 5
"""Ratio of largest to smallest mean up to which an axis stays linear."""


def hypergradients(runs: Sequence[Runs]) -> "Figure | None":
    """Return each diagnostic over epochs with a line a method that records it."""
    methods = [each for each in runs if any(row["diagnostics"] for record in each.finals for row in record.epochs)]
    found = {name: _lines(methods, name) for name in _names(methods)}
    found = {name: lines for name, lines in found.items() if lines}
    if not found:
        return None
    names = [each.method for each in methods if any(each.method in lines for lines in found.values())]
    page = Page(
        len(found),
        title=title("diagnostics of hypergradients", runs),
        footnote=f"{source(methods)} Means over the outer steps of an epoch, then over runs. {BANDS}"
        f"{f' {COSINE}' if 'cosine_to_identity' in found else ''} Not finite or, on logarithmic axes, not positive "
        "values are not drawn.",
        columns=min(3, len(found)),
        height=1.35,
        left=0.5,
        gap=(0.48, 0.2),
        legend=names,
    )
    for axes, (name, lines) in zip(page.axes, found.items(), strict=True):
        _panel(axes, lines, names, _kind(name))
        panel_title(axes, _kind(name).label, inches=width_of(page))
    page.label_lowest("epoch")
    page.legend([_handle(number) for number in range(len(names))])
    return page.figure


def _names(runs: Sequence[Runs]) -> list[str]:
    seen = {
        name: None for each in runs for record in each.finals for row in record.epochs for name in row["diagnostics"]
    }
    return [name for name in KNOWN if name in seen] + [name for name in seen if name not in KNOWN]


def _lines(runs: Sequence[Runs], name: str) -> dict[str, Mean]:
    """Return the mean of a diagnostic over epochs of each method that has any number there."""
    found = {}
    for each in runs:
        mean = over_runs([diagnostic(record, name) for record in each.finals])
        if np.isfinite(mean.mean).any():
            found[each.method] = mean
    return found


def diagnostic(record: Record, name: str) -> np.ndarray:
    """Return a diagnostic of each epoch as it is shown, (epochs,); NaN where there is none."""
    values = np.array([row["diagnostics"].get(name) for row in record.epochs], dtype=float)
    return np.maximum(1 - values, RESOLUTION) if _kind(name).complement else values


def _kind(name: str) -> Diagnostic:
    return KNOWN.get(name, Diagnostic(name.replace("_", " ")))


def _panel(axes: "Axes", lines: Mapping[str, Mean], names: Sequence[str], kind: Diagnostic) -> None:
    means = np.concatenate([each.mean for each in lines.values()])
    positive = means[np.isfinite(means) & (means > 0)]
    log = kind.log and len(positive) > 0 and positive.max() / positive.min() > MOST_LINEAR
    for method, (mean, sem) in lines.items():
        plain = look(names.index(method))
        shown = np.isfinite(mean) & (mean > 0 if log else True)  # an epoch without an outer step is passed over
        epochs, y, half = np.arange(1, len(mean) + 1)[shown], mean[shown], sem[shown]
        low = np.maximum(y - half, y / 100) if log else y - half
        axes.fill_between(epochs, low, y + half, color=plain.colour, alpha=0.2, linewidth=0)
        every = max(1, len(epochs) // 5)
        axes.plot(
            epochs, y, color=plain.colour, linestyle=plain.dash, linewidth=0.9, marker=plain.marker, markersize=2.5,
            markevery=(names.index(method) % every, every), clip_on=False,
        )  # fmt: skip
    axes.set_xlim(1, max(max(len(each.mean) for each in lines.values()), 2))
    if log:
        logarithmic(axes.yaxis)
    else:
        axes.locator_params(axis="y", nbins=5)
        if kind.share:
            axes.set_ylim(-0.03, 1.03)
    axes.locator_params(axis="x", nbins=5, integer=True)
    axes.tick_params(labelsize=6.5, length=2)


def _handle(number: int) -> object:
    from matplotlib.lines import Line2D

    plain = look(number)
    return Line2D([], [], color=plain.colour, linestyle=plain.dash, marker=plain.marker, markersize=3, linewidth=0.9)
