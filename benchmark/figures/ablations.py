"""Accuracy against one choice that several campaigns vary: the depth of the combiner, the size of the auxiliary set."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from benchmark.arm import Arm
from benchmark.figures.panels import Page
from benchmark.figures.runs import label, named, over_runs, scale
from benchmark.figures.style import look
from benchmark.published import FOLDER
from benchmark.record import Record
from benchmark.spec import Spec, called
from benchmark.suite import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH = "depth"
PAPER = "paper"


class Series(NamedTuple):
    """A result for each value of what is varied: mean, standard error and number of runs, (n,) each."""

    x: list[float]
    mean: list[float]
    sem: list[float]
    runs: list[int]


def depth(arms: Sequence[Arm], setting: str, records: Iterable[Record], *, plan: str = "") -> "Figure | None":
    """Return the test result of methods against their number of hidden layers; None where none has run with two.

    Each depth needs final runs of its own: `--set auxilearn-nonlinear.depth=3`, run by run of the command. Of several
    settings of the other hyper-parameters at a depth, those with the best mean validation score count.
    """
    arm = next(arm for arm in arms if arm.setting == setting)
    metric = arm.suite.selection
    found: dict[str, dict[float, list[Record]]] = {}
    for record in records:
        value = dict(record.spec.hyper).get(DEPTH)
        if isinstance(value, int) and record.status == "ok" and _alike(record.spec, arm):
            found.setdefault(record.spec.method, {}).setdefault(value, []).append(record)
    kept = {
        method: {value: best_point(group, metric) for value, group in sorted(values.items())}
        for method, values in sorted(found.items())
        if len(values) > 1
    }
    if not kept:
        return None
    lines = {method: series(values, metric) for method, values in kept.items()}
    if (printed := published_ablation(arm.suite.name, setting, "hidden_layers", metric)) is not None:
        lines[f"{PAPER}: auxilearn-nonlinear"] = printed
    return draw(
        lines,
        metric,
        title=f"{called(arm.suite.name, arm.data)}, {setting}: test result against depth of the combiner",
        xlabel="hidden layers",
        protocols={record.spec.protocol for values in kept.values() for group in values.values() for record in group},
        note=named(plan).rstrip(),
    )


def _alike(spec: Spec, arm: Arm) -> bool:
    """Return whether a final run was made under an arm's conditions, its hyper-parameters aside."""
    wanted = (arm.suite.name, arm.setting, arm.data, arm.epochs, arm.suite.controls, arm.precision, "final")
    found = (spec.suite, spec.setting, spec.data, spec.epochs, spec.controls, spec.precision, spec.phase)
    return wanted == found and (spec.search is None) == (arm.search is None)


def best_point(records: Sequence[Record], metric: Metric) -> list[Record]:
    """Return the runs of the hyper-parameters with the best mean validation score; no test metric has a say."""
    points: dict[tuple, list[Record]] = {}
    for record in records:
        points.setdefault(record.spec.hyper, []).append(record)
    sign = 1 if metric.higher_is_better else -1
    return max(points.values(), key=lambda group: sign * _selected(group, metric))


def _selected(records: Sequence[Record], metric: Metric) -> float:
    return float(np.mean([record.selected["validation"][metric.name] for record in records]))


def series(groups: Mapping[float, Sequence[Record]], metric: Metric) -> Series:
    """Return the test results of groups of final runs by the value of what is varied."""
    results = [over_runs([record.test[metric.name] * scale(metric) for record in group]) for group in groups.values()]
    return Series(
        list(groups), [float(r.mean) for r in results], [float(r.sem) for r in results], [*map(len, groups.values())]
    )


def published_ablation(suite: str, setting: str, name: str, metric: Metric, folder: Path = FOLDER) -> Series | None:
    """Return a published ablation, means and standard errors in percent; None where there is none."""
    path = folder / f"ablations_{suite}_{setting.replace('-', '')}.csv"
    if not path.is_file():
        return None
    rows = pd.read_csv(path)
    rows = rows[(rows["ablation"] == name) & (rows["metric"] == metric.name)]
    values, means, sems = (rows[column].tolist() for column in ("value", "mean", "sem"))
    return Series(values, means, sems, [3] * len(rows)) if len(rows) else None


def draw(
    lines: Mapping[str, Series], metric: Metric, *, title: str, xlabel: str, protocols: Iterable[int], note: str = ""
) -> "Figure":
    """Return the results over what is varied, a line a method, the paper's own in grey."""
    own = [each for name, each in lines.items() if not name.startswith(PAPER)]
    counts = sorted({count for each in own for count in each.runs})
    paper = " Grey: the paper's, digitised from its figure, ± 0.03." if len(own) < len(lines) else ""
    page = Page(
        1,
        title=title,
        footnote=f"Protocol {', '.join(map(str, sorted(protocols)))}; n = {' to '.join(map(str, counts))} final runs a "
        f"point; bars: ± one standard error (ddof 1).{paper}{note and f' {note}'}",
        columns=1,
        height=2.2,
        width=4.2,
        left=0.6,
        legend=list(lines),
    )
    (axes,) = page.axes
    handles = []
    for number, (name, each) in enumerate(lines.items()):
        plain = look(number)
        grey = name.startswith(PAPER)
        handles.append(
            axes.errorbar(
                each.x,
                each.mean,
                yerr=np.nan_to_num(each.sem),
                color="0.6" if grey else plain.colour,
                linestyle=(0, (1, 1)) if grey else plain.dash,
                marker="*" if grey else plain.marker,
                markersize=4,
                linewidth=1,
                elinewidth=0.7,
                capsize=1.5,
            )
        )
    axes.set(xlabel=xlabel, ylabel=f"test {label(metric)}")
    axes.set_xticks(sorted({value for each in lines.values() for value in each.x}))
    page.legend(handles)
    return page.figure
