"""CIFAR-100 with coarse classes as auxiliary task and two controls: accuracy and the weights that methods give."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import baselines
from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, listed, origin, paired, percent, succeeded
from benchmark.findings.tables import by_setting
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.statistics import holm

FOLDER = RESULTS / "reference/cifar100-coarse"
WITHOUT = RESULTS / "without-controls/cifar100-coarse"
SEARCHED = RESULTS / "rates/cifar100-coarse"
METRIC = "top1"
UNSTEADY = "auxilearn-nonlinear"
STATIC = "scalarization"
REFERENCES = ("stl", "equal", STATIC)


def coarse(folder: Path = FOLDER) -> str:
    """Return the table of all methods in each setting, ratios of weights, and single runs where they differ most."""
    known = {record.spec.setting for record in final_runs(folder)}
    settings = [setting for setting in suites.load(folder.name).settings if setting in known]
    tables = by_setting(folder, REFERENCES)
    return "\n\n".join([tables, ratios(folder, settings), single_runs(folder, settings)])


def searched(folder: Path = SEARCHED) -> str:
    """Return the table of the methods whose learning rate was searched."""
    return by_setting(folder, REFERENCES)


def without_controls(folder: Path = WITHOUT, others: Path = FOLDER) -> str:
    """Return the accuracy of methods without controls, against that of the same runs but for the controls.

    Args:
        folder: Runs without controls, of one setting.
        others: Runs with them, of all the methods of the first.

    Raises:
        ValueError: A run without controls has no counterpart with them.
    """
    runs = succeeded(final_runs(folder))
    counterparts = {_key(record): record for record in succeeded(final_runs(others))}
    if lone := [record for record in runs if _key(record) not in counterparts]:
        raise ValueError(f"{lone[0].spec.method} with seed {lone[0].spec.seed} was not run with controls")
    order = list(dict.fromkeys([*suites.load(folder.name).default_methods, *baselines.names()]))
    rows, pairs = [], []
    for name in sorted({record.spec.method for record in runs}, key=order.index):
        own = succeeded(runs, name)
        without, with_them = by_seed(own, METRIC), by_seed([counterparts[_key(record)] for record in own], METRIC)
        pairs.append(paired(without, with_them))
        rows.append(
            {
                "method": f"`{name}`",
                "without controls": percent(without.values()),
                "with controls": percent(with_them.values()),
                "without less with": f"{100 * pairs[-1].difference:+.2f}",
            }
        )
    p_values = holm([pair.p for pair in pairs]).tolist()
    rows = [{**row, "p (Holm)": p_text(p)} for row, p in zip(rows, p_values, strict=True)]
    (setting,) = {record.spec.setting for record in runs}
    return (
        f"{pipe_table(rows)}\n\n{setting}, test {METRIC} in percent, mean ± standard error of "
        f"{len({record.spec.seed for record in runs})} final runs; differences paired by seed, t-test, Holm's "
        f"correction. Without: {origin(runs)}."
    )


def _key(record: Record) -> Spec:
    """Return a run's spec but for its controls."""
    return dataclasses.replace(record.spec, controls=())


def ratios(folder: Path, settings: Sequence[str]) -> str:
    """Return the weight of the coarse classes to that of the fine ones by method."""
    from scipy import stats

    parts, followed = [], []
    for setting in settings:
        found: dict[str, list[float]] = {}
        for record in succeeded(final_runs(folder), setting=setting):
            found.setdefault(record.spec.method, []).append(ratio_of(record))
        means = sorted(((sum(each) / len(each), name) for name, each in found.items()), reverse=True)
        parts.append(f"{', '.join(f'`{name}` {mean:.1f}' for mean, name in means)} ({setting})")
        scores = [_mean_score(folder, setting, name) for _, name in means]
        correlation: Any = stats.spearmanr([mean for mean, _ in means], scores)
        followed.append(f"{correlation.statistic:.2f} over {len(means)} methods ({setting})")
    return (
        "Weight of the coarse classes to that of the fine ones, median over the epochs, mean over the runs: "
        f"{'; '.join(parts)}. Spearman's correlation of this ratio with the mean {METRIC}: {'; '.join(followed)}."
    )


def ratio_of(record: Record) -> float:
    """Return the weight of the coarse classes to that of the fine ones, the median over the epochs of a run."""
    weights = (dict(zip(record.tasks, row["weight"], strict=True)) for row in record.epochs)
    return median(weight["coarse"] / weight["fine"] for weight in weights)


def _mean_score(folder: Path, setting: str, method: str) -> float:
    scores = by_seed(succeeded(final_runs(folder), method, setting), METRIC)
    return sum(scores.values()) / len(scores)


def single_runs(folder: Path, settings: Sequence[str]) -> str:
    """Return ratio and score of each run of the nonlinear combiner, whose runs differ most."""
    parts = []
    for setting in settings:
        runs = succeeded(final_runs(folder), UNSTEADY, setting)
        told = [f"{ratio_of(record):.1f} with {percent([record.test[METRIC]])}" for record in runs]
        parts.append(f"{', '.join(told)} ({setting})")
    return f"Run by run, the ratio of {listed([UNSTEADY])} with its {METRIC}: {'; '.join(parts)}."
