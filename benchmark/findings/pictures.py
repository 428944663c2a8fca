"""The pictures of results/README.md, drawn from the committed records whenever the page is rewritten."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark import suites
from benchmark.figures.names import place_names
from benchmark.figures.panels import Page
from benchmark.figures.style import COLOURS, PAGE_INCHES, SMALL, Look, logarithmic, look, retitle, save, style
from benchmark.findings import static
from benchmark.findings.curvature import FOLDERS, IDENTITY, METRIC, by_solver
from benchmark.findings.runs import RESULTS, by_seed, final_runs, paired, succeeded
from benchmark.record import Record
from benchmark.statistics import Paired, summarize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


GIVEN = (RESULTS / "reference/digits", RESULTS / "reference/cifar100-coarse")
"""Runs of all methods on images with given auxiliary tasks."""

SINGLE = "stl"

Mean = tuple[float, float, float]
"""Place, mean and standard error."""

Point = tuple[tuple[float, float], tuple[float, float]]
"""Place of a mean, and half the lengths of its bars."""

_WHAT = f"difference of test {METRIC}, mean over the seeds, uncorrected 95 % t interval"


def write_pictures(folder: Path = RESULTS) -> list[str]:
    """Draw the pictures into a folder and return the names of their files."""
    written = []
    with style():
        for name, (draw, _) in PICTURES.items():
            runs = runs_of(name)
            written += save(draw(runs), folder, name, sample=False, about=about(runs))
    return written


def runs_of(picture: str) -> list[Record]:
    """Return the committed final runs that a picture shows."""
    _, folders = PICTURES[picture]
    return [record for folder in folders for record in succeeded(final_runs(folder))]


def about(runs: Iterable[Record]) -> str:
    """Return what a picture's file keeps of its runs: a digest, by which it is told whether it shows them all."""
    return hashlib.sha256("".join(sorted(record.spec.digest for record in runs)).encode()).hexdigest()[:16]


def gains_figure(runs: Sequence[Record]) -> "Figure":
    """Return accuracy less that of the single task, with its 95 % t interval: a panel a setting, a row a method.

    Methods stand in the order of their mean difference over the panels that have all of them, the best first.
    """
    from matplotlib.figure import Figure

    panels = _panels(runs)
    pairs = {panel: _pairs(runs, panel) for panel in panels}
    names = {name for found in pairs.values() for name in found}
    everywhere = [found for found in pairs.values() if len(found) == len(names)] or [pairs[panels[0]]]
    means = {name: np.mean([found[name].difference for found in everywhere if name in found] or [-1]) for name in names}
    methods = sorted(names, key=lambda name: (-means[name], name))
    figure = Figure(figsize=(PAGE_INCHES, 1.1 + 0.16 * len(methods)), layout="constrained")
    axes: Sequence[Axes] = np.atleast_1d(figure.subplots(1, len(panels), sharex=True, sharey=True)).tolist()
    for each, panel in zip(axes, panels, strict=True):
        for row, name in enumerate(methods):
            if name in pairs[panel]:
                _interval(each, pairs[panel][name], row, COLOURS[0], "o")
            else:
                _not_run(each, row)
        each.axvline(0, color="0.6", linewidth=0.8)
        each.set_title(_title(runs, panel), fontsize=8)
        each.grid(axis="y", color="0.92", linewidth=0.6)
        each.set_axisbelow(True)
    axes[0].set_yticks(range(len(methods)), methods, fontsize=SMALL)
    axes[0].invert_yaxis()
    figure.supxlabel(f"test {METRIC} less that of the single task, percentage points", fontsize=8)
    retitle(figure, f"What auxiliary tasks are worth to each method: {_WHAT}")
    return figure


def _pairs(runs: Sequence[Record], panel: tuple[str, str]) -> dict[str, Paired]:
    """Return each method's difference to the single task in one setting, paired by the seeds, two or more, of both."""
    here = [record for record in runs if (record.spec.suite, record.spec.setting) == panel]
    single = by_seed(succeeded(here, SINGLE), METRIC)
    names = dict.fromkeys(record.spec.method for record in here if record.spec.method != SINGLE)
    scores = {name: by_seed(succeeded(here, name), METRIC) for name in names}
    return {name: paired(found, single) for name, found in scores.items() if len(found.keys() & single.keys()) > 1}


def curvature_figure(runs: Sequence[Record]) -> "Figure":
    """Return accuracy less that of the identity, with its 95 % t interval: a panel a setting, a look a method."""
    from matplotlib.figure import Figure

    panels = _panels(runs)
    methods = list(dict.fromkeys(record.spec.method for record in runs))
    solvers = [name for name in by_solver(runs) if name != IDENTITY]
    figure = Figure(figsize=(7.0, 1.5 + 0.24 * len(solvers)), layout="constrained")
    axes: Sequence[Axes] = np.atleast_1d(figure.subplots(1, len(panels), sharey=True)).tolist()
    for each, (suite, setting) in zip(axes, panels, strict=True):
        here = [record for record in runs if (record.spec.suite, record.spec.setting) == (suite, setting)]
        shown = [method for method in methods if succeeded(here, method)]
        for place, method in enumerate(shown):
            own = by_solver(succeeded(here, method))
            if len(own.get(IDENTITY, ())) > 1:
                height = 0.2 * (place - (len(shown) - 1) / 2)
                _points(each, look(methods.index(method)), height, own, solvers)
        each.axvline(0, color="0.6", linewidth=0.8)
        for row in {*range(len(solvers))} - {solvers.index(name) for name in by_solver(here) if name != IDENTITY}:
            _not_run(each, row)
        each.set_title(_title(runs, (suite, setting)), fontsize=8)
        each.set_xlabel("percentage points")
    axes[0].set_yticks(range(len(solvers)), solvers)
    axes[0].invert_yaxis()
    marks = [axes[0].plot([], [], color=look(i)[0], marker=look(i)[2], label=name)[0] for i, name in enumerate(methods)]
    figure.legend(handles=marks, fontsize=6.5, loc="outside lower center", ncols=len(methods))
    retitle(figure, f"What the inverse Hessian changes, on a scale for each panel: {_WHAT}")
    return figure


def static_figure(runs: Sequence[Record]) -> "Figure":
    """Return accuracy against the ratio of two weights: a line of constant weights, a named point a method."""
    panels = [setting for _, setting in _panels(runs)]
    page = Page(
        len(panels),
        title="Accuracy and the weight of the coarse classes: methods beside constant weights",
        footnote=f"Line: constant weights. Dotted: {SINGLE}. Mean over the final runs; bars: ± one standard error "
        "(ddof 1). The weight of a method is its median over the epochs, mean over the runs.",
        columns=1,
        height=2.9,
        below=0.42,
        gap=(0.0, 0.25),
    )
    for each, setting in zip(page.axes, panels, strict=True):
        single = list(by_seed(succeeded(runs, SINGLE, setting), METRIC).values())
        level = 100 * summarize(single).mean
        each.axhline(level, color="0.6", linewidth=0.8, linestyle=":", label=SINGLE)
        each.set_ylabel(f"test {METRIC} in percent")
        each.set_title(f"{setting}, {len(single)} runs", fontsize=8)
        constants, methods = static.constants(runs, setting), static.methods(runs, setting)
        line = _mean(each, constants, color="0.45", label="constant weights", zorder=1)
        means = {}
        for name, (ratio, scores) in methods.items():
            ((place, height, sem),) = _mean(
                each, {ratio: scores}, color=COLOURS[0], marker="o", markersize=3.5, label=name
            )
            means[name] = (place, height), (0.0, sem)
        each.margins(x=0.06)
        logarithmic(each.xaxis)
        _name(each, means, line, level)
    page.axes[-1].set_xlabel("weight of coarse to that of fine classes")
    return page.figure


def _name(panel: "Axes", points: Mapping[str, Point], line: Sequence[Mean], level: float) -> None:
    """Write names beside points, where no line, its bars or what is level lies, on a logarithmic axis."""
    steps = 40
    corners = [
        (float(np.exp(x)), float(y))
        for (left, low, _), (right, high, _) in pairwise(line)
        for x, y in zip(np.linspace(np.log(left), np.log(right), steps), np.linspace(low, high, steps), strict=True)
    ]
    stairs = [((x, y), (right, y)) for (x, y), (right, _) in pairwise(corners)]
    stairs += [((place, mean - sem), (place, mean + sem)) for place, mean, sem in line]
    left, right = panel.get_xlim()
    stairs.append(((left, level), (right, level)))
    places, bars = [place for place, _ in points.values()], [bar for _, bar in points.values()]
    place_names(panel, places, list(points), bars, stairs)


def _mean(panel: "Axes", scores: Mapping[float, Sequence[float]], **look_of: Any) -> list[Mean]:
    """Draw mean and standard error of scores, in percent, at each place, and return these."""
    found = {place: summarize([100 * score for score in own]) for place, own in scores.items()}
    means, errors = [each.mean for each in found.values()], [each.sem for each in found.values()]
    panel.errorbar(list(found), means, yerr=errors, **{"capsize": 1.5, "linewidth": 0.8, **look_of})
    return list(zip(found, means, np.nan_to_num(errors).tolist(), strict=True))


def _panels(runs: Sequence[Record]) -> list[tuple[str, str]]:
    """Return suites and settings of runs, settings in the order of their suite."""
    found = dict.fromkeys(record.spec.suite for record in runs)
    known = {(record.spec.suite, record.spec.setting) for record in runs}
    return [(suite, setting) for suite in found for setting in suites.load(suite).settings if (suite, setting) in known]


def _points(
    panel: "Axes", look_of: Look, height: float, own: Mapping[str, Sequence[Record]], solvers: Sequence[str]
) -> None:
    """Draw the differences of one method, a row a solver, its points so far below the middle of the row."""
    plain = by_seed(own[IDENTITY], METRIC)
    colour, _, marker = look_of
    for name in own.keys() - {IDENTITY}:
        pair = paired(by_seed(own[name], METRIC), plain)
        _interval(panel, pair, solvers.index(name) + height, colour, marker)


def _title(runs: Sequence[Record], panel: tuple[str, str]) -> str:
    """Return suite and setting with the number of final runs of a method."""
    seeds = {record.spec.seed for record in runs if (record.spec.suite, record.spec.setting) == panel}
    return f"{panel[0]},\n{panel[1]}, {len(seeds)} runs"


def _not_run(panel: "Axes", row: float) -> None:
    """Say in a row that there is nothing."""
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    look_of = {"color": "0.5", "ha": "center", "va": "center", "fontsize": 5, "bbox": ground}
    panel.text(0.5, row, "not run", transform=panel.get_yaxis_transform(), **look_of)


def _interval(panel: "Axes", pair: Paired, height: float, colour: str, marker: str) -> None:
    """Draw a difference and its interval, in percentage points."""
    low, high = 100 * (pair.difference - pair.low), 100 * (pair.high - pair.difference)
    panel.errorbar(
        100 * pair.difference,
        height,
        xerr=[[low], [high]],
        color=colour,
        marker=marker,
        markersize=3.5,
        capsize=2,
        linewidth=1,
    )


PICTURES: Mapping[str, tuple[Callable[[Sequence[Record]], "Figure"], Sequence[Path]]] = {
    "gains": (gains_figure, GIVEN),
    "curvature": (curvature_figure, FOLDERS),
    "static-weights": (static_figure, (static.FOLDER, static.WEIGHTS)),
}
"""What draws each picture, and the folders with the runs that it shows."""
