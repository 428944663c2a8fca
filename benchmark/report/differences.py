"""Whether two records of one run say the same: bit by bit on one kind of machine, but for rounding on two."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from benchmark.record import Record

ROUNDING = 1e-5
"""Relative difference that rounding on another kind of machine explains: less than one sample of 100,000."""

NOTHING = 1e-9
"""Absolute difference that is none where a number is zero but for rounding."""

MACHINE = ("device", "torch", "threads")
"""What bits depend on, in a record's environment."""

ABSENT = "absent"


def difference(one: Record, other: Record) -> str:
    """Return the first field in which two records of a run are in conflict, with both values; empty where none is.

    A failure is no result, and in conflict with none. Times, memory, environment, date, attempts and the reason are
    of the machine and the day. All else must be equal where device, torch and threads are; where they are not,
    fractions may differ by `ROUNDING`, whole numbers and words never.
    """
    if "failed" in (one.status, other.status):
        return ""
    ours, theirs = dict(_fields(one)), dict(_fields(other))
    exact = all(one.environment.get(name) == other.environment.get(name) for name in MACHINE)
    for name in dict.fromkeys([*ours, *theirs]):
        pair = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        if not _same(*pair, exact=exact):
            return f"{name} is {pair[0]} and {pair[1]}"
    return ""


def _same(one: Any, other: Any, *, exact: bool) -> bool:
    if one == other:
        return True
    rounded = not exact and any(isinstance(each, float) for each in (one, other))
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other))
    return rounded and numbers and math.isclose(one, other, rel_tol=ROUNDING, abs_tol=NOTHING)


def _fields(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield every number and word of a record that is a result, by name, those of the test set first."""
    yield from _leaves("test", record.test)
    yield from _leaves("selected", record.selected, record.tasks)
    yield "status", record.status
    yield from _leaves("task", record.tasks)
    for place, row in enumerate(record.epochs, start=1):
        yield from _leaves(f"epoch {place}:", row, record.tasks)


def _leaves(name: str, value: Any, tasks: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """Yield what a value is made of, entries of lists by the task that they are of where there are as many."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name} {key}", inner, tasks)
    elif isinstance(value, list | tuple):
        names = tasks if len(tasks) == len(value) else [str(place) for place in range(1, len(value) + 1)]
        for place, inner in zip(names, value, strict=True):
            yield from _leaves(f"{name} {place}", inner, tasks)
    else:
        yield name, value
