"""What is to be said of an arm that has not all its final runs: declined, failed, or missing with the command."""

from collections.abc import Mapping, Sequence

from benchmark.arm import Arm
from benchmark.campaign import choose, search_records
from benchmark.failures import counts
from benchmark.fill import Command
from benchmark.record import Record
from benchmark.tables.data import Note

Finals = Mapping[tuple[str, str], list[Record]]
"""Final records by setting and method, failed ones included."""


def key(arm: Arm) -> tuple[str, str]:
    """Return setting and method."""
    return arm.setting, arm.method


def final_records(arm: Arm, records: Mapping[str, Record]) -> list[Record]:
    """Return the records of the arm's final runs, failed ones included."""
    point = None if arm.declined else choose(arm, records)
    return [] if point is None else [records[s.digest] for s in arm.finals(point) if s.digest in records]


def notes_of(arm: Arm, records: Mapping[str, Record], found: Sequence[Record], absent: Note | None) -> tuple[Note, ...]:
    """Return what is to be said of an arm that has not all its runs."""
    if arm.declined:
        return (Note("declined", f"{arm.method} declines: {arm.declined}"),)
    where = f"{arm.method} in {arm.setting}"
    if reason := _no_choice(arm, records):
        return (Note("failed", f"{where}: {reason}"),)
    lost = counts(found, arm.seeds, "final runs")
    notes = [Note("failed", f"{where}: {lost}")] if lost else []
    return (*notes, absent) if absent else tuple(notes)


def _no_choice(arm: Arm, records: Mapping[str, Record]) -> str:
    """Return why there is nothing to choose from, a search without a result; empty where there is."""
    found = search_records(arm, records)
    if any(record is None or record.status == "ok" for record in found):
        return ""
    return counts(found, len(found), "search runs")


def trials_note(arm: Arm, records: Mapping[str, Record]) -> Note | None:
    """Return what is to be said of search runs without a result; None where all have one, or none has."""
    if arm.declined or _no_choice(arm, records):
        return None
    lost = counts(search_records(arm, records), arm.trials, "search runs")
    return Note("trials", f"{arm.method} in {arm.setting}: {lost}") if lost else None


def absent_notes(
    arms: Sequence[Arm], records: Mapping[str, Record], finals: Finals, command: Command
) -> Mapping[tuple[str, str], Note]:
    """Return the note on missing final runs of arms; those of a setting that lack as many share one command."""
    groups: dict[tuple, list[Arm]] = {}
    for arm in arms:
        missing = arm.seeds - len(finals[key(arm)])
        if not arm.declined and missing and not _no_choice(arm, records):
            groups.setdefault((arm.setting, missing, arm.seeds), []).append(arm)
    found = {}
    for (_, missing, seeds), group in groups.items():
        fill = command(*group)
        note = Note("missing", f"{missing} of {seeds} final runs missing; {fill.text}", fill.command)
        found |= {key(arm): note for arm in group}
    return found
