"""From arms and records to the results of a table; nothing else is read but published numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan

import pandas as pd

from benchmark import precision
from benchmark.arm import Arm
from benchmark.campaign import choose, search_records
from benchmark.comparison import compare
from benchmark.fill import Command, fill_command
from benchmark.published import published
from benchmark.record import Record
from benchmark.spec import Value, called, is_sample
from benchmark.statistics import SEED, summarize
from benchmark.suite import Metric
from benchmark.tables.best import standings
from benchmark.tables.captions import caption, provenance
from benchmark.tables.data import Cell, Note, Published, Results, Row, State
from benchmark.tables.notes import Finals, absent_notes, final_records, key, notes_of, trials_note

MOST_TASKS_SHOWN = 12

Places = Mapping[tuple[str, str, str], Published]
"""Published numbers by setting, method and metric."""


def gather(
    arms: Sequence[Arm],
    records: Mapping[str, Record],
    *,
    title: str = "",
    command: Command = fill_command,
    references: Sequence[str] = (),
    seed: int = SEED,
    paper: Places | None = None,
) -> Results:
    """Return the results of a plan from the records there are.

    Args:
        arms: Methods in settings of one suite.
        records: Records by digest.
        title: What the table is called; none for that of the suite.
        command: Says how the missing runs of arms are made.
        references: Methods that all others are compared with; none for the default ones.
        seed: Of the bootstrap.
        paper: Published numbers to stand beside ours; None for all that are known of the suite.
    """
    suite = arms[0].suite
    finals = {key(arm): final_records(arm, records) for arm in arms}
    everything = [record for found in finals.values() for record in found]
    theirs = places_of(published(suite.name), suite.metrics) if paper is None else paper
    absent = absent_notes(arms, records, finals, command)
    rows = [_row(arm, records, finals[key(arm)], absent.get(key(arm)), theirs, everything) for arm in arms]
    name = called(suite.name, arms[0].data)
    return Results(
        suite=name,
        title=title or f"Results of suite {name}",
        caption=caption(arms, everything, records),
        rows=tuple(rows) if is_sample(arms[0].data) else _with_standings(rows),
        comparison=compare(arms, finals, references, seed=seed),
        weights=_weights(arms, finals),
        provenance=provenance(arms, everything),
        sample=is_sample(arms[0].data),
    )


def places_of(printed: pd.DataFrame, metrics: Sequence[Metric]) -> Places:
    """Return published numbers, which are percentages, in the units of records.

    Args:
        printed: Columns as in the files of `results/paper/`, of one suite.
        metrics: Of the suite.
    """
    percent = {metric.name: metric.percent for metric in metrics}
    found = {}
    for row in printed.to_dict("records"):
        unit = 100 if percent.get(row["metric"], True) else 1
        place = str(row["setting"]), str(row["method"]), str(row["metric"])
        found[place] = Published(row["mean"] / unit, row["sem"] / unit, int(row["runs"]))
    return found


def _row(
    arm: Arm,
    records: Mapping[str, Record],
    found: Sequence[Record],
    absent: Note | None,
    theirs: Places,
    everything: Sequence[Record],
) -> Row:
    good = [record for record in found if record.status == "ok"]
    notes = notes_of(arm, records, found, absent)
    columns = {(setting, metric) for setting, _, metric in theirs}
    cells = []
    for metric in arm.suite.metrics:
        values = {record.spec.seed: record.test[metric.name] for record in good}
        place = (arm.setting, arm.method, metric.name)
        in_table = (arm.setting, metric.name) in columns
        about = summarize(list(values.values()))
        cells.append(Cell(metric, values, about, theirs.get(place), in_table, sample=is_sample(arm.data)))
    text = precision.note(found, among=everything) if good else ""
    return Row(
        suite=arm.suite.name,
        setting=arm.setting,
        method=arm.method,
        state=_state(arm, good, notes),
        cells=tuple(cells),
        notes=notes,
        trials=None if arm.declined else sum(record is not None for record in search_records(arm, records)),
        planned=None if arm.declined else arm.trials,
        sampler=arm.search.sampler if arm.search else "",
        hyper=dict(found[0].spec.hyper) if found else _chosen(arm, records),
        steps=tuple(record.timing["step_sec"] for record in good),
        peak_bytes=_mean(record.memory["peak_bytes"] for record in good if "peak_bytes" in record.memory),
        cost_note=Note("precision", text) if text else None,
        trials_note=trials_note(arm, records),
    )


def _chosen(arm: Arm, records: Mapping[str, Record]) -> Mapping[str, Value]:
    point = None if arm.declined else choose(arm, records)
    return {} if point is None else {**arm.fixed, **point}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else nan


def _state(arm: Arm, good: Sequence[Record], notes: Sequence[Note]) -> State:
    kinds = {note.kind for note in notes}
    if arm.declined:
        return "declined"
    if good:
        return "partial" if kinds else "measured"
    return "failed" if "failed" in kinds else "missing"


def _with_standings(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows with the best of each setting and metric marked."""
    marked: dict[int, list[Cell]] = {number: list(row.cells) for number, row in enumerate(rows)}
    for setting in dict.fromkeys(row.setting for row in rows):
        numbers = [number for number, row in enumerate(rows) if row.setting == setting]
        for index, cell in enumerate(rows[numbers[0]].cells):
            column = [rows[number].cells[index].values for number in numbers]
            for number, standing in zip(numbers, standings(column, cell.metric), strict=True):
                marked[number][index] = replace(marked[number][index], standing=standing)
    return tuple(replace(row, cells=tuple(marked[number])) for number, row in enumerate(rows))


def _weights(arms: Sequence[Arm], finals: Finals) -> pd.DataFrame | None:
    """Return the weight of each task in the last epoch, mean over the final runs."""
    rows: dict[str, dict[tuple[str, str], str]] = {}
    for arm in arms:
        found = [record for record in finals[key(arm)] if record.status == "ok"]
        if found and len(found[0].tasks) <= MOST_TASKS_SHOWN:
            mean = pd.DataFrame([record.epochs[-1]["weight"] for record in found]).mean()
            row = rows.setdefault(arm.method, {("", "method"): arm.method})
            row |= {(arm.setting, task): f"{value:.3f}" for task, value in zip(found[0].tasks, mean, strict=True)}
    return frame_of(rows.values()) if rows else None


def frame_of(rows: Iterable[Mapping[tuple[str, str], str]]) -> pd.DataFrame:
    """Return rows as a frame with columns (setting, name); what a row does not have is a dash."""
    kept = list(rows)
    columns = pd.MultiIndex.from_tuples(dict.fromkeys(column for row in kept for column in row))
    return pd.DataFrame([[row.get(column, "–") for column in columns] for row in kept], columns=columns)
