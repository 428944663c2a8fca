"""Suites with generated labels: tables, what was searched apart, and whether AuxiLearn gains by larger steps."""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from benchmark.comparison import p_text
from benchmark.findings.curvature import solver_of
from benchmark.findings.runs import (
    RESULTS,
    by_seed,
    final_runs,
    listed,
    origin,
    paired,
    percent,
    records_of,
    succeeded,
)
from benchmark.findings.tables import by_setting
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.statistics import holm

LEARNT = "auxilearn"
OTHERS = ("stl", "maxl-f")
METRIC = "top1"
STEPS = RESULTS / "reference/cifar10-convnet", RESULTS / "rates/cifar10-convnet"
APART = RESULTS / "reference/mnist", RESULTS / "rates/mnist", RESULTS / "curvature/mnist"


def table(suite: str) -> Callable[[], str]:
    """Return what makes the tables of a suite."""
    return lambda: by_setting(RESULTS / "reference" / suite, OTHERS)


def steps(reference: Path = STEPS[0], rates: Path = STEPS[1]) -> str:
    """Return AuxiLearn against the others at the grid's rates and at rates between these.

    Args:
        reference: Runs of all with the suite's grid.
        rates: Runs of the others with other rates of the optimiser.
    """
    learnt = succeeded(final_runs(reference), LEARNT)
    folders = {"the grid's": reference, "between": rates}
    runs = {(name, where): succeeded(final_runs(folder), name) for name in OTHERS for where, folder in folders.items()}
    scores = by_seed(learnt, METRIC)
    pairs = [paired(scores, by_seed(found, METRIC)) for found in runs.values()]
    p_values = holm([pair.p for pair in pairs]).tolist()
    rows = [
        {
            "method": f"`{name}`",
            "rates searched": where,
            "lr": _rates(found),
            METRIC: percent(by_seed(found, METRIC).values()),
            f"`{LEARNT}` less it": f"{100 * pair.difference:+.2f}",
            "p (Holm)": p_text(p),
        }
        for ((name, where), found), pair, p in zip(runs.items(), pairs, p_values, strict=True)
    ]
    whence = origin([*learnt, *chain(*runs.values())])
    ends = [record.epochs[-1]["weight"][0] for record in learnt]
    return (
        f"{pipe_table(rows)}\n\nThe weight of the main loss that {listed([LEARNT])} (lr {_rates(learnt)}) ends with is "
        f"{sum(ends) / len(ends):.1f} on average. Test {METRIC} in percent, mean ± standard error of {len(learnt)} "
        f"final runs; differences paired by seed, t-test, Holm's correction. {whence}."
    )


def _rates(runs: Iterable[Record]) -> str:
    """Return the network's rates that runs have."""
    return ", ".join(sorted({f"{dict(record.spec.hyper)['lr']}" for record in runs}))


def apart(reference: Path = APART[0], reduced: Path = APART[1], curved: Path = APART[2]) -> str:
    """Return what was run apart against the methods of the suite's table.

    Args:
        reference: Runs of the suite's table.
        reduced: Runs of MAXL, trained or not, with a part of their grids.
        curved: Runs of AuxiLearn with several solvers, those of the table among them.
    """
    (setting,) = {record.spec.setting for record in final_runs(curved)}
    finals = final_runs(reference)
    others = {name: by_seed(succeeded(finals, name, setting), METRIC) for name in (*OTHERS, LEARNT)}
    parts: dict[str, list[Record]] = {}
    for record in (*records_of(reduced), *records_of(curved)):
        name = f"`{record.spec.method}`"
        if record.spec.method == LEARNT:
            if dict(record.spec.hyper)["mode"] == "paper":
                continue  # it is the table's
            name = f"{name}, corrected, {solver_of(record)}"
        parts.setdefault(name, []).append(record)
    runs = {name: [r for r in found if r.spec.phase == "final" and r.status == "ok"] for name, found in parts.items()}
    rows = {
        name: {"method": name, "lr": _rates(found), METRIC: percent(by_seed(found, METRIC).values())}
        for name, found in runs.items()
    }
    for other, scores in others.items():
        pairs = [paired(by_seed(found, METRIC), scores) for found in runs.values()]
        p_values = holm([pair.p for pair in pairs]).tolist()
        for row, pair, p in zip(rows.values(), pairs, p_values, strict=True):
            row[f"less `{other}`"] = f"{100 * pair.difference:+.2f}"
            row[f"p (Holm) of `{other}`"] = p_text(p)
    for name, row in rows.items():
        row["trials"] = str(sum(record.spec.phase == "search" for record in parts[name]))
    table = ", ".join(f"`{name}` {_rates(succeeded(finals, name, setting))}" for name in others)
    shown = list(chain(*runs.values()))
    return (
        f"{pipe_table(list(rows.values()))}\n\nTest {METRIC} in percent, mean ± standard error of "
        f"{len({record.spec.seed for record in shown})} final runs; differences paired by seed, t-test, Holm's "
        f"correction for the column. Rates of the network in the table above: {table}. {origin(shown)}."
    )
