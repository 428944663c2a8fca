"""A table of all methods of one committed command, with its comparisons."""

from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path

from benchmark.findings.runs import listed, origin, records_of, succeeded
from benchmark.markdown import ABSENT, pipe_table
from benchmark.record import Record
from benchmark.report.suites import suite_results
from benchmark.tables.data import Cell, Results, Row

WORDS = {"better": "better", "worse": "worse", "no significant difference": "≈", "not tested": ABSENT}


def results_of(folder: Path, *, chosen: Callable[[Record], bool] = lambda _: True) -> Results:
    """Return the results of the one plan that the chosen records in a folder are of.

    Args:
        folder: Holds the records of a suite, whose name it has.
        chosen: Says which records count.

    Raises:
        ValueError: They are of several plans.
    """
    records = {record.spec.digest: record for record in records_of(folder) if chosen(record)}
    (found,) = suite_results(folder.name, records, results_dir=folder.parent)
    return found


def compared(folder: Path, references: Sequence[str], *, chosen: Callable[[Record], bool] = lambda _: True) -> str:
    """Return test metrics, trials and verdicts of every method in every setting, and where they come from.

    Published numbers stand beside ours where there are any, with the difference in standard errors.

    Args:
        folder: Holds the records of a suite, whose name it has.
        references: Methods that all others are compared with.
        chosen: Says which records count.
    """
    results = results_of(folder, chosen=chosen)
    numbers = results.comparison.numbers
    keys = zip(numbers["setting"], numbers["reference"], numbers["method"], strict=True)
    verdicts = dict(zip(keys, (WORDS[str(word)] for word in numbers["verdict"]), strict=True))
    table: dict[str, dict[str, str]] = {}
    shown = [row for row in results.rows if row.state not in ("missing", "declined")]
    shares = _control_shares(folder, chosen)
    for row in shown:
        line = table.setdefault(row.method, {"method": f"`{row.method}`"})
        for cell in row.cells:
            line[f"{row.setting} {cell.metric.name}"] = _text(cell)
            if cell.in_table:
                line[f"{row.setting} {cell.metric.name} paper"] = _published(cell)
        for reference in references:
            verdict = verdicts.get((row.setting, reference, row.method), ABSENT)
            line[f"{row.setting} vs {reference}"] = verdict
        if shares:
            line[f"{row.setting} share of controls"] = f"{100 * shares[row.setting, row.method]:.1f} %"
        line[f"{row.setting} trials"] = ABSENT if row.trials is None else str(row.trials)
    return f"{pipe_table(list(table.values()))}\n\n{_caption(folder, results, references, chosen)}"


def _control_shares(folder: Path, chosen: Callable[[Record], bool]) -> dict[tuple[str, str], float]:
    """Return which share of the weights controls have in the last epoch, mean over final runs; empty without any."""
    found: dict[tuple[str, str], list[float]] = {}
    for record in succeeded(record for record in records_of(folder) if record.spec.phase == "final" and chosen(record)):
        if record.spec.controls:
            weights = dict(zip(record.tasks, record.epochs[-1]["weight"], strict=True))
            noise = sum(weight for name, weight in weights.items() if name.startswith("control: "))
            found.setdefault((record.spec.setting, record.spec.method), []).append(noise / sum(weights.values()))
    return {key: sum(shares) / len(shares) for key, shares in found.items()}


def _text(cell: Cell) -> str:
    summary = cell.summary
    if not summary.n:
        return ABSENT
    scale, digits = (100, 2) if cell.metric.percent else (1, 3)
    error = "" if isnan(summary.sem) else f" ± {scale * summary.sem:.{digits}f}"
    return f"{scale * summary.mean:.{digits}f}{error}"


def _published(cell: Cell) -> str:
    if cell.published is None:
        return ABSENT
    scale, digits = (100, 2) if cell.metric.percent else (1, 3)
    text = f"{scale * cell.published.mean:.{digits}f} ± {scale * cell.published.sem:.{digits}f}"
    return text if isnan(cell.difference) else f"{text} ({cell.difference:+.1f} SE)"


def _caption(folder: Path, results: Results, references: Sequence[str], chosen: Callable[[Record], bool]) -> str:
    finals = [r for r in records_of(folder) if r.spec.phase == "final" and chosen(r)]
    lost = [record for record in finals if record.status != "ok"]
    failures = ""
    if lost:
        which = listed(sorted({record.spec.method for record in lost}))
        failures = f" {len(lost)} of {len(finals)} final runs gave no result ({which})."
    tests = (
        f" Vs {listed(references)}: paired t-test over the seeds with Holm's correction, where ≈ is no significant "
        "difference at 0.05."
    )
    number = _numbers(results.rows)
    percent = all(cell.metric.percent for row in results.rows for cell in row.cells)
    return (
        f"{'Percent, mean' if percent else 'Mean'} ± standard error of {number} final runs."
        f"{tests if references else ''}{failures} {origin(succeeded(finals))}."
    )


def _numbers(rows: Sequence[Row]) -> str:
    counts = sorted({row.cells[0].summary.n for row in rows if row.cells and row.cells[0].summary.n})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
