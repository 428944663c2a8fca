"""What the page shows at once, as plain values for its script; every text of a cell is the one of all other formats."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from benchmark.report.page import runs
from benchmark.report.page.source import Source, shown_names
from benchmark.report.suites import OWN_PLAN, Plan
from benchmark.suite import Metric
from benchmark.tables import sheet
from benchmark.tables.data import Cell, Note, Results, Row
from benchmark.tables.sheet import MIB, Content

LEGEND = sheet.LEGEND.format(best="Bold with ★", tie="≈")


def content(source: Source) -> dict[str, Any]:
    """Return what the page's script draws, but for curves."""
    records = sorted(source.records.values(), key=lambda record: (record.finished, record.spec.digest))
    index = {record.spec.digest: number for number, record in enumerate(records)}
    counted = source.counted()
    names = shown_names(list(dict.fromkeys(line.path for line in source.lines.values())))
    stands = [source.lines.get(record.spec.digest) for record in records]
    counting = {record.spec.digest for record in counted}
    first = source.plans[0].results
    return {
        "title": first.title,
        "sample": first.sample,
        "plans": [_plan(plan, source, index) for plan in source.plans],
        "runs": [
            runs.run(record, line, names, counts=record.spec.digest in counting)
            for record, line in zip(records, stands, strict=True)
        ],
        "provenance": runs.provenance(counted, first.provenance.protocol),
        "commands": [{"label": label, "command": command} for label, command in source.commands],
    }


def _plan(plan: Plan, source: Source, index: Mapping[str, int]) -> dict[str, Any]:
    """Return one plan: its tables, and its searches as places in the list of runs."""
    arms = [arm for arm in plan.arms if not arm.declined]
    searches = [runs.search(arm, source.records, index) for arm in arms]
    return {**table(plan.results, plan.arms[0].suite.metrics), "arms": searches}


def table(results: Results, metrics: Sequence[Metric]) -> dict[str, Any]:
    """Return the tables of all settings, their notes and comparisons."""
    numbers = {note: number for number, note in enumerate(results.notes, start=1)}
    ranked = any(cell.standing for row in results.rows for cell in row.cells)
    compared = any(cell.compared for row in results.rows for cell in row.cells)
    return {
        "name": results.title,
        "brief": results.title.removeprefix(f"Results of suite {results.suite}").removeprefix(": ") or OWN_PLAN,
        "caption": results.caption,
        "legend": " ".join([LEGEND] * ranked + [sheet.DIFFERENCE] * compared),
        "metrics": [{"name": m.name, "percent": m.percent, "higher": m.higher_is_better} for m in metrics],
        "settings": results.settings,
        "methods": results.methods,
        "columns": _columns(results, metrics),
        "tables": [
            {"setting": setting, "rows": [_row(row, numbers) for row in results.rows if row.setting == setting]}
            for setting in results.settings
        ],
        "notes": [_note(note, number) for note, number in numbers.items()],
        "comparison": _comparison(results),
    }


COSTS = (
    {"key": "n", "label": "runs", "help": "final runs that the means are of", "higher": True},
    {
        "key": "trials",
        "label": "trials",
        "help": "search runs made, of those planned where some are missing",
        "higher": False,
    },
    {"key": "step", "label": "s/step", "help": "seconds a training step, mean over final runs", "higher": False},
    {"key": "memory", "label": "MiB", "help": "peak memory, mean over final runs", "higher": False},
)
"""Columns that every table has."""


def _columns(results: Results, metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    for metric in metrics:
        name = metric.name
        unit = "in percent, " if metric.percent else ""
        texts = {"m": (name, f"test {name}, {unit}mean ± standard error over the final runs")}
        mine = [cell for row in results.rows for cell in row.cells if cell.metric.name == name]
        if any(cell.in_table for cell in mine):
            texts["p"] = (f"{name} published", "in the paper")
        if any(cell.compared for cell in mine):
            texts["d"] = (f"{name} Δ/SE", "measured less published, in standard errors of the difference")
        common = {"metric": name, "higher": metric.higher_is_better}
        columns += [
            {"key": f"{kind}:{name}", "label": label, "help": said, **common} for kind, (label, said) in texts.items()
        ]
    return [*columns, *COSTS]


def _row(row: Row, numbers: Mapping[Note, int]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for cell in row.cells:
        cells |= {f"{kind}:{cell.metric.name}": found for kind, found in _metric(row, cell, numbers).items()}
    runs_of = max((cell.summary.n for cell in row.cells), default=0)
    cells["n"] = _cell(Content(str(runs_of)), runs_of)
    cells["trials"] = _cell(sheet.trials([row], numbers), row.trials)
    cells["step"] = _cell(sheet.seconds(row, numbers), row.step_sec)
    cells["memory"] = _cell(sheet.memory(row), row.peak_bytes / MIB)
    return {"method": row.method, "cells": cells}


def _metric(row: Row, cell: Cell, numbers: Mapping[Note, int]) -> dict[str, Any]:
    """Return what was measured, what was published, and the difference, where the paper has the column."""
    sem = cell.summary.sem if isfinite(cell.summary.sem) else None
    found = {"m": {**_cell(sheet.measured(row, cell, numbers), cell.summary.mean), "sem": sem}}
    if cell.in_table:
        published = None if cell.published is None else cell.published.mean
        found["p"] = _cell(Content(sheet.published_text(cell)), published)
    if cell.compared:
        found["d"] = _cell(Content(sheet.difference_text(cell)), cell.difference)
    return found


def _cell(text: Content, value: float | None) -> dict[str, Any]:
    """Return a cell and the number that it sorts by, None for one without."""
    found: dict[str, Any] = {"text": text.text, "value": value if value is not None and isfinite(value) else None}
    found |= {text.standing: True} if text.standing else {}
    return found | ({"notes": list(text.marks)} if text.marks else {})


def _note(note: Note, number: int) -> dict[str, Any]:
    return {"number": number, "text": note.text.removesuffix(note.command).rstrip(), "command": note.command}


def _comparison(results: Results) -> dict[str, Any]:
    if results.comparison.numbers.empty:
        return {"caption": "", "tables": []}
    tables = [
        {"setting": setting, "head": list(frame.columns), "rows": [[str(v) for v in row] for row in frame.to_numpy()]}
        for setting, frame in results.comparison.by_setting()
    ]
    return {"caption": results.comparison.caption, "tables": tables}
