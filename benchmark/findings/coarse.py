"""CIFAR-100 with coarse classes as auxiliary task and two controls, and how far the nonlinear combiner's weights go."""

from collections.abc import Sequence
from pathlib import Path

import baselines
from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, listed, origin, paired, percent, succeeded
from benchmark.findings.tables import by_setting
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.statistics import holm

FOLDER = RESULTS / "reference/cifar100-coarse"
WITHOUT = RESULTS / "without-controls/cifar100-coarse"
METRIC = "top1"
GROWING = "auxilearn-nonlinear"


def coarse(folder: Path = FOLDER) -> str:
    """Return the table of all methods in each setting, and how far the weights of the nonlinear combiner go."""
    known = {record.spec.setting for record in final_runs(folder)}
    settings = [setting for setting in suites.load(folder.name).settings if setting in known]
    tables = by_setting(folder, ("stl", "equal"))
    return "\n\n".join([tables, ratios(folder, settings), weights(folder, settings)])


def without_controls(folder: Path = WITHOUT, others: Path = FOLDER) -> str:
    """Return what the controls cost: runs without them, and less the same runs with them.

    Args:
        folder: Runs without controls, of one setting.
        others: Runs with them.
    """
    runs = succeeded(final_runs(folder))
    (setting,) = {record.spec.setting for record in runs}
    order = list(dict.fromkeys([*suites.load(folder.name).default_methods, *baselines.names()]))
    methods = sorted({record.spec.method for record in runs}, key=order.index)
    scores = {
        name: [by_seed(succeeded(final_runs(where), name, setting), METRIC) for where in (folder, others)]
        for name in methods
    }
    pairs = [paired(*both) for both in scores.values()]
    rows = [
        {
            "method": f"`{name}`",
            "without controls": percent(without.values()),
            "with controls": percent(with_them.values()),
            "without less with": f"{100 * pair.difference:+.2f}",
            "p (Holm)": p_text(p),
        }
        for (name, (without, with_them)), pair, p in zip(
            scores.items(), pairs, holm([pair.p for pair in pairs]).tolist(), strict=True
        )
    ]
    return (
        f"{pipe_table(rows)}\n\n{setting}, test {METRIC} in percent, mean ± standard error of final runs of the same "
        f"seeds; differences paired by seed, t-test, Holm's correction. Without: {origin(runs)}."
    )


def ratios(folder: Path, settings: Sequence[str]) -> str:
    """Return the weight of the coarse classes to that of the fine ones at the end of training, by method."""
    parts = []
    for setting in settings:
        found: dict[str, list[float]] = {}
        for record in succeeded(final_runs(folder), setting=setting):
            weight = dict(zip(record.tasks, record.epochs[-1]["weight"], strict=True))
            found.setdefault(record.spec.method, []).append(weight["coarse"] / weight["fine"])
        means = sorted(((sum(each) / len(each), name) for name, each in found.items()), reverse=True)
        parts.append(f"{', '.join(f'`{name}` {mean:.1f}' for mean, name in means)} ({setting})")
    return (
        "Weight of the coarse classes to that of the fine ones in the last epoch, mean over the runs: "
        f"{'; '.join(parts)}."
    )


def weights(folder: Path, settings: Sequence[str]) -> str:
    """Return how large the sum of the nonlinear combiner's weights gets in each setting."""
    parts = []
    for setting in settings:
        sums = [largest_sum(record) for record in succeeded(final_runs(folder), GROWING, setting)]
        parts.append(f"{', '.join(f'{each:,.0f}' for each in sums)} ({setting})")
    return f"The weights of all tasks of {listed([GROWING])} add up to at most, run by run: {'; '.join(parts)}."


def largest_sum(record: Record) -> float:
    """Return the largest sum of the weights of all tasks over the epochs of a run."""
    return max(sum(row["weight"]) for row in record.epochs)
