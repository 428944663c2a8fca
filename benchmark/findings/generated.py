"""Suites with generated labels: tables, and what was run apart beside the methods of these."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path

from benchmark import suites
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
from benchmark.statistics import Paired, holm
from benchmark.suites._generated import GeneratedLabels

METHODS = GeneratedLabels.default_methods
LEARNT = "auxilearn"
OTHERS = ("stl", "maxl-f")
METRIC = "top1"
APART = ("rates", "curvature", "corrected")
"""Folders of runs beside those of a suite's table."""


def table(suite: str) -> Callable[[], str]:
    """Return what makes the tables of a suite."""
    return lambda: by_setting(RESULTS / "reference" / suite, OTHERS)


def folders(suite: str) -> list[Path]:
    """Return the folder of the runs of a suite's table, and those of what was run apart."""
    return [RESULTS / name / suite for name in ("reference", *APART)]


def finer_of(suite: str) -> Callable[[], str]:
    """Return what compares the methods of a suite where they were searched more finely."""
    return lambda: finer(*folders(suite)[1:])


def finer(*searched: Path) -> str:
    """Return AuxiLearn against all others where the rates of the network were searched more finely.

    Args:
        searched: Runs of a suite in one setting, AuxiLearn's as published in the first folder.
    """
    parts = [part for folder in searched for part in _parts(records_of(folder)).items()]
    runs = [_finals(found) for _, found in parts]
    learnt = runs[[name for name, _ in parts].index(f"`{LEARNT}`")]
    scores = by_seed(learnt, METRIC)
    others = [found for found in runs if found is not learnt]
    pairs = [paired(scores, by_seed(found, METRIC)) for found in others]
    p_values = iter(zip(pairs, holm([pair.p for pair in pairs]).tolist(), strict=True))
    rows = []
    for (name, records), found in zip(parts, runs, strict=True):
        difference, p = ("–", "–") if found is learnt else _difference(*next(p_values))
        rows.append(
            {
                "method": name,
                "rates searched": _rates(_searches(records)) or "none",
                "lr": _rates(found),
                METRIC: percent(by_seed(found, METRIC).values()),
                f"`{LEARNT}` less it": difference,
                "p (Holm)": p,
            }
        )
    ends = [record.epochs[-1]["weight"][0] for record in learnt]
    return (
        f"{pipe_table(rows)}\n\nThe weight of the main loss that {listed([LEARNT])} (lr {_rates(learnt)}, "
        f"{percent(scores.values())}) ends with is {sum(ends) / len(ends):.1f} on average. Test {METRIC} in percent, "
        f"mean ± standard error of {len(learnt)} final runs; differences paired by seed, t-test, Holm's correction. "
        f"{origin(chain(*runs))}."
    )


def apart(reference: Path, *others: Path) -> str:
    """Return what was run apart against the methods of the suite's table, setting by setting.

    Args:
        reference: Runs of the suite's table.
        others: Runs apart.
    """
    records = [record for folder in others for record in _beside(reference, folder)]
    known = {record.spec.setting for record in records if record.spec.phase == "final"}
    rows, rates, shown = [], [], list[Record]()
    for setting in (each for each in suites.load(reference.name).settings if each in known):
        own = {name: succeeded(final_runs(reference), name, setting) for name in (*OTHERS, LEARNT)}
        parts = _parts(record for record in records if record.spec.setting == setting)
        rows += [{"setting": setting, **row} for row in _compared(parts, own)]
        rates.append(f"{', '.join(f'`{name}` {_rates(found)}' for name, found in own.items())} with {setting}")
        shown += chain(*map(_finals, parts.values()))
    return (
        f"{pipe_table(rows)}\n\nTest {METRIC} in percent, mean ± standard error of "
        f"{len({record.spec.seed for record in shown})} final runs; differences paired by seed, t-test, Holm's "
        f"correction for the column within a setting. Rates of the network in the table above: {'; '.join(rates)}. "
        f"{origin(shown)}."
    )


def _compared(parts: Mapping[str, list[Record]], own: Mapping[str, list[Record]]) -> list[dict[str, str]]:
    """Return a row for each part against each of the table's methods, all in one setting."""
    runs = {name: _finals(found) for name, found in parts.items()}
    rows = {
        name: {"method": name, "lr": _rates(found), METRIC: percent(by_seed(found, METRIC).values())}
        for name, found in runs.items()
    }
    for other, found_of_table in own.items():
        scores = by_seed(found_of_table, METRIC)
        pairs = [paired(by_seed(found, METRIC), scores) for found in runs.values()]
        p_values = holm([pair.p for pair in pairs]).tolist()
        for row, pair, p in zip(rows.values(), pairs, p_values, strict=True):
            row[f"less `{other}`"] = f"{100 * pair.difference:+.2f}"
            row[f"p (Holm) of `{other}`"] = p_text(p)
    for name, row in rows.items():
        row["trials"] = str(len(_searches(parts[name])))
    return list(rows.values())


def _difference(pair: Paired, p: float) -> tuple[str, str]:
    """Return a difference in percentage points and its p-value."""
    return f"{100 * pair.difference:+.2f}", p_text(p)


def _beside(reference: Path, folder: Path) -> list[Record]:
    """Return the runs of a folder that are not the table's too."""
    own = {record.spec.digest for record in records_of(reference)}
    return [record for record in records_of(folder) if record.spec.digest not in own]


def _parts(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return runs by what a table calls them, methods of generated labels in the order of its rows."""
    found: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: METHODS.index(record.spec.method)):
        name = f"`{record.spec.method}`"
        if record.spec.method == LEARNT and dict(record.spec.hyper)["mode"] == "corrected":
            name = f"{name}, corrected, {solver_of(record)}"
        found.setdefault(name, []).append(record)
    return found


def _finals(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.spec.phase == "final" and record.status == "ok"]


def _searches(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.spec.phase == "search"]


def _rates(runs: Iterable[Record]) -> str:
    """Return the network's rates that runs have."""
    return ", ".join(map(str, sorted({float(str(dict(record.spec.hyper)["lr"])) for record in runs})))
