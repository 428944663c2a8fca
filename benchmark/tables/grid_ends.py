"""What validation chose at an end of its grid: a grid that goes further may give the method more."""

import math
from collections.abc import Mapping, Sequence

from benchmark.arm import Arm
from benchmark.campaign import choose, score, search_records
from benchmark.hyper import as_text
from benchmark.record import Record
from benchmark.space import ends
from benchmark.spec import Value

FEWEST = 3
"""Values of a grid from which a choice at an end of it says something: of two, each is an end."""

MOST_NAMED = 3
"""Methods that are named one by one; of more, their number is told."""


def phrase(arms: Sequence[Arm], records: Mapping[str, Record]) -> str:
    """Return which numbers were chosen at an end of their grid, setting by setting; empty for none.

    A choice of 0, or one that an inner value of the grid equals, is none of them.

    Args:
        arms: The table's, of one suite and one plan.
        records: Records by digest.
    """
    parts = []
    for setting in dict.fromkeys(arm.setting for arm in arms):
        chosen: dict[tuple[str, str], list[str]] = {}
        of: dict[str, int] = {}
        for arm in (arm for arm in arms if arm.setting == setting and choose(arm, records)):
            for name in _searched(arm):
                of[name] = of.get(name, 0) + 1
                if end := _end(arm, records, name):
                    chosen.setdefault((name, end), []).append(arm.method)
        told = [f"{end} ({_methods(who, of[name])})" for (name, end), who in chosen.items()]
        parts += [f"in {setting} the {', '.join(told)}"] if told else []
    return f" Chosen at an end of a grid of {FEWEST} values or more: {'; '.join(parts)}." if parts else ""


def _searched(arm: Arm) -> list[str]:
    """Return the names of the numbers that an arm searches by a grid of enough values."""
    if arm.declined or arm.search is not None:
        return []
    grids = {name: ends(domain) for name, domain in arm.space.items()}
    return [name for name, values in grids.items() if len(values) >= FEWEST and all(map(_is_number, values))]


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _end(arm: Arm, records: Mapping[str, Record], name: str) -> str:
    """Return the end of its grid at which a number was chosen, such as `largest lr 0.01`; empty for an inner one."""
    point = choose(arm, records)
    values = sorted(ends(arm.space[name]), key=lambda value: float(str(value)))
    outer = values[0], values[-1]
    if not point or point[name] not in outer or point[name] == 0:
        return ""
    metric = arm.suite.selection
    best = {True: -math.inf, False: -math.inf}  # of outer and of inner values
    for record in filter(None, search_records(arm, records)):
        if (value := score(record, metric.name)) is not None:
            place = dict(record.spec.hyper)[name] in outer
            best[place] = max(best[place], value if metric.higher_is_better else -value)
    end = "largest" if point[name] == values[-1] else "smallest"
    return f"{end} {name} {as_text(point[name])}" if best[True] > best[False] else ""


def _methods(names: Sequence[str], of: int) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} of {of} methods"
