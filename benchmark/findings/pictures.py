"""The pictures of results/README.md, drawn from the committed records whenever the page is rewritten."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark import suites
from benchmark.figures.style import look, save, style
from benchmark.findings.curvature import FOLDER, IDENTITY, METRIC, by_solver
from benchmark.findings.runs import RESULTS, by_seed, final_runs, succeeded
from benchmark.record import Record
from benchmark.statistics import paired_difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_pictures(folder: Path = RESULTS) -> list[str]:
    """Draw the pictures into a folder and return the names of their files."""
    with style():
        return save(curvature_figure(succeeded(final_runs(FOLDER))), folder, "curvature", sample=False)


def curvature_figure(runs: Sequence[Record]) -> "Figure":
    """Return accuracy less that of the identity, with its 95 % t interval: a panel a setting, a look a method."""
    from matplotlib.figure import Figure

    known = suites.load(runs[0].spec.suite).settings
    settings = sorted({record.spec.setting for record in runs}, key=known.index)
    methods = list(dict.fromkeys(record.spec.method for record in runs))
    figure = Figure(figsize=(7.0, 2.9), layout="constrained")
    panels: Sequence[Axes] = np.atleast_1d(figure.subplots(1, len(settings), sharey=True)).tolist()
    for panel, setting in zip(panels, settings, strict=True):
        for number, method in enumerate(methods):
            own = by_solver(r for r in runs if (r.spec.setting, r.spec.method) == (setting, method))
            _points(panel, number, method, own)
        panel.axvline(0, color="0.6", linewidth=0.8)
        panel.set_title(setting)
        panel.set_xlabel(f"test {METRIC} less identity, percentage points")
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), fontsize=6.5, loc="outside lower center", ncols=len(methods))
    figure.suptitle("What the inverse Hessian changes: mean difference over the seeds, 95 % t interval", fontsize=9)
    return figure


def _points(panel: "Axes", number: int, method: str, own: dict[str, list[Record]]) -> None:
    """Draw the differences of one method, a row a solver."""
    plain = by_seed(own[IDENTITY], METRIC)
    names = [name for name in own if name != IDENTITY]
    colour, _, marker = look(number)
    for row, name in enumerate(names):
        found = by_seed(own[name], METRIC)
        seeds = sorted(found.keys() & plain.keys())
        pair = paired_difference([found[seed] for seed in seeds], [plain[seed] for seed in seeds])
        low, high = 100 * (pair.difference - pair.low), 100 * (pair.high - pair.difference)
        label = method if row == 0 else None
        panel.errorbar(
            100 * pair.difference,
            row + 0.2 * (number - 0.5),
            xerr=[[low], [high]],
            color=colour,
            marker=marker,
            markersize=4,
            capsize=2,
            linewidth=1,
            label=label,
        )
    panel.set_yticks(range(len(names)), names)
