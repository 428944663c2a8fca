"""What is to be said of an arm: declined, failed, missing with the command, or chosen at an end of its grid."""

from collections.abc import Mapping, Sequence

from benchmark.arm import Arm
from benchmark.campaign import choose, search_records
from benchmark.failures import counts
from benchmark.fill import Command, is_known
from benchmark.hyper import as_text
from benchmark.record import Record
from benchmark.space import Point, ends
from benchmark.tables.data import Note

FEWEST = 3
"""Values of a grid from which a choice at an end of it says something: of two, each is an end."""

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
    notes = []
    if failed := [record for record in found if record.status != "ok"]:
        reason = f"{failed[0].status}, {failed[0].reason}"
        notes.append(Note("failed", f"{where}: {len(failed)} of {arm.seeds} final runs {reason}"))
    return (*notes, absent) if absent else tuple(notes)


def _no_choice(arm: Arm, records: Mapping[str, Record]) -> str:
    """Return why there is nothing to choose from, a search of which every run failed; empty where there is."""
    found = search_records(arm, records)
    failed = [record for record in found if record is not None and record.status != "ok"]
    if not failed or len(failed) < len(found):
        return ""
    return f"all {len(failed)} search runs {failed[0].status}, {failed[0].reason}"


def trials_notes(arm: Arm, records: Mapping[str, Record]) -> tuple[Note, ...]:
    """Return what is to be said of a search: runs without a result, and what was chosen at an end of its grid."""
    if arm.declined or _no_choice(arm, records):
        return ()
    lost = counts(search_records(arm, records), arm.trials, "search runs")
    point = choose(arm, records)
    at_ends = _at_ends(arm, point) if point and arm.search is None else []
    return (*([Note("trials", f"{arm.method} in {arm.setting}: {lost}")] if lost else []), *at_ends)


def _at_ends(arm: Arm, point: Point) -> list[Note]:
    """Return a note for each number that is the largest or smallest, but for 0, of the three or more in its grid."""
    found = []
    for name, values in arm.space.items():
        numbers = sorted(value for value in ends(values) if isinstance(value, int | float))
        if len(numbers) >= FEWEST and point[name] in (numbers[0], numbers[-1]) and point[name] != 0:
            end = "largest" if point[name] == numbers[-1] else "smallest"
            chosen = f"{name} {as_text(point[name])}, the {end} of {len(numbers)} values"
            found.append(Note("edge", f"chosen at an end of its grid: {chosen}"))
    return found


def absent_notes(
    arms: Sequence[Arm], records: Mapping[str, Record], finals: Finals, command: Command
) -> Mapping[tuple[str, str], Note]:
    """Return the note on missing final runs of arms; those of a setting that lack as many share one command."""
    groups: dict[tuple, list[Arm]] = {}
    for arm in arms:
        missing = arm.seeds - len(finals[key(arm)])
        if not arm.declined and missing and not _no_choice(arm, records):
            groups.setdefault((arm.setting, missing, arm.seeds, is_known(arm)), []).append(arm)
    found = {}
    for (_, missing, seeds, _), group in groups.items():
        fill = command(*group)
        note = Note("missing", f"{missing} of {seeds} final runs missing; {fill.text}", fill.command)
        found |= {key(arm): note for arm in group}
    return found
