"""CIFAR-100 with coarse classes as auxiliary task and two controls, and how far the nonlinear combiner's weights go."""

from collections.abc import Sequence
from pathlib import Path

from benchmark import suites
from benchmark.findings.runs import RESULTS, final_runs, listed, succeeded
from benchmark.findings.tables import compared
from benchmark.record import Record

FOLDER = RESULTS / "reference/cifar100-coarse"
GROWING = "auxilearn-nonlinear"


def coarse(folder: Path = FOLDER) -> str:
    """Return the table of all methods in each setting, and how far the weights of the nonlinear combiner go."""
    known = {record.spec.setting for record in final_runs(folder)}
    settings = [setting for setting in suites.load(folder.name).settings if setting in known]
    tables = [
        compared(folder, ("stl", "equal"), chosen=lambda record, setting=setting: record.spec.setting == setting)
        for setting in settings
    ]
    return "\n\n".join([*tables, ratios(folder, settings), weights(folder, settings)])


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
