"""A table of all methods of one committed command, with its comparisons."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark import suites
from benchmark.controls import is_control
from benchmark.figures.weights import mean_share
from benchmark.findings import held
from benchmark.findings.runs import final_runs, listed, origin, records_of, succeeded
from benchmark.markdown import ABSENT, pipe_table
from benchmark.planned import PLANS, read_plans
from benchmark.record import Record
from benchmark.report.suites import suite_results
from benchmark.tables.data import Results, Row
from benchmark.tables.sheet import difference_text, mean_text, published_text, trials_text

WORDS = {"better": "better", "worse": "worse", "no significant difference": "≈", "not tested": ABSENT}


def results_of(
    folder: Path, references: Sequence[str] = (), *, chosen: Callable[[Record], bool] = lambda _: True
) -> Results:
    """Return the results of the one plan that the chosen records in a folder are of.

    Args:
        folder: Holds the records of a suite, whose name it has.
        references: Methods that all others are compared with; none for the default ones.
        chosen: Says which records count.

    Raises:
        ValueError: They are of several plans, or of none.
    """
    records = {record.spec.digest: record for record in records_of(folder) if chosen(record)}
    planned = read_plans(folder / PLANS)
    (found,) = suite_results(folder.name, records, planned=planned, references=references, results_dir=folder.parent)
    return found


def by_setting(folder: Path, references: Sequence[str]) -> str:
    """Return what `compared` says, a table for each setting with records."""
    known = {record.spec.setting for record in final_runs(folder)}
    settings = [setting for setting in suites.load(folder.name).settings if setting in known]
    return "\n\n".join(
        compared(folder, references, chosen=lambda record, setting=setting: record.spec.setting == setting)
        for setting in settings
    )


def compared(folder: Path, references: Sequence[str], *, chosen: Callable[[Record], bool] = lambda _: True) -> str:
    """Return test metrics, trials and verdicts of every method in every setting, and where they come from.

    Published numbers stand beside ours where there are any, with the difference in standard errors.

    Args:
        folder: Holds the records of a suite, whose name it has.
        references: Methods that all others are compared with.
        chosen: Says which records count.
    """
    results = results_of(folder, references, chosen=chosen)
    numbers = results.comparison.numbers
    keys = zip(numbers["setting"], numbers["reference"], numbers["method"], strict=True)
    verdicts = dict(zip(keys, (WORDS[str(word)] for word in numbers["verdict"]), strict=True))
    table: dict[str, dict[str, str]] = {}
    shown = [row for row in results.rows if row.state not in ("missing", "declined")]
    shares = _control_shares(folder, chosen)
    for row in shown:
        line = table.setdefault(row.method, {"method": f"`{row.method}`"})
        for cell in row.cells:
            line[f"{row.setting} {cell.metric.name}"] = mean_text(
                cell.summary.mean, cell.summary.sem, percent=cell.metric.percent
            )
            if cell.in_table:
                line[f"{row.setting} {cell.metric.name} paper"] = published_text(cell)
                line[f"{row.setting} {cell.metric.name} Δ/SE"] = difference_text(cell)
        for reference in references:
            verdict = verdicts.get((row.setting, reference, row.method), ABSENT)
            line[f"{row.setting} vs {reference}"] = verdict
        if shares:
            share = shares.get((row.setting, row.method))
            line[f"{row.setting} share of controls"] = ABSENT if share is None else f"{100 * share:.1f} %"
        line[f"{row.setting} trials"] = trials_text(row)
    columns = dict.fromkeys(column for line in table.values() for column in line)
    lines = [{column: line.get(column, ABSENT) for column in columns} for line in table.values()]
    return f"{pipe_table(lines)}\n\n{_caption(folder, results, references, chosen)}"


def _control_shares(folder: Path, chosen: Callable[[Record], bool]) -> dict[tuple[str, str], float | None]:
    """Return the share of all weights' magnitudes that controls end with, by setting and method; empty without any."""
    finals = [r for r in records_of(folder) if r.spec.phase == "final" and r.spec.controls and chosen(r)]
    runs: dict[tuple[str, str], list[Record]] = {}
    for record in succeeded(finals):
        runs.setdefault((record.spec.setting, record.spec.method), []).append(record)
    return {key: mean_share(found, is_control) for key, found in runs.items()}


def _caption(folder: Path, results: Results, references: Sequence[str], chosen: Callable[[Record], bool]) -> str:
    finals = [r for r in records_of(folder) if r.spec.phase == "final" and chosen(r)]
    lost = [record for record in finals if record.status != "ok"]
    failures = ""
    if lost:
        which = listed(sorted({record.spec.method for record in lost}))
        failures = f" {len(lost)} of {len(finals)} final runs gave no result ({which})."
    tests = (
        f" Vs {listed(references)}: paired t-test over the seeds with Holm's correction for the column, where ≈ is no "
        "significant difference at 0.05."
    )
    number = _numbers(results.rows)
    percent = all(cell.metric.percent for row in results.rows for cell in row.cells)
    return (
        f"{'Percent, mean' if percent else 'Mean'} ± standard error of {number} final runs."
        f"{tests if references else ''}{failures}{held.parts(finals)} {origin(succeeded(finals))}."
    )


def _numbers(rows: Sequence[Row]) -> str:
    counts = sorted({row.cells[0].summary.n for row in rows if row.cells and row.cells[0].summary.n})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
