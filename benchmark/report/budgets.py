"""What was searched with a budget of trials, read from records: from which ranges, and how many trials."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmark.arm import Arm
from benchmark.plugins import load_method
from benchmark.record import Record
from benchmark.space import Space, digest
from benchmark.values import Values, in_ranges, searched


@dataclass(frozen=True)
class Drawn:
    """One search with a budget, but for its number of trials.

    Attributes:
        asked: Values of hyper-parameters that are not the suite's own.
        ranges: Digest of what was drawn from where `asked` does not say it, as the user gave a grid; else empty.
        names: The hyper-parameters that were searched, where `ranges` is given.
    """

    asked: Values
    ranges: str = ""
    names: tuple[str, ...] = ()


def drawn_from(own: Values, method: str, records: Sequence[Record], n_tasks: int) -> list[Drawn]:
    """Return the searches that records of one method in one setting are of.

    A record has a digest of the ranges that it was drawn from. The suite's own are tried first, then those with the
    values fixed that all its records share. If the digest is that of neither, the ranges are not known, only
    which hyper-parameters were searched.
    """
    found: list[Drawn] = []
    for mark in dict.fromkeys(record.spec.search.space for record in records if record.spec.search):
        mine = [record for record in records if record.spec.search and record.spec.search.space == mark]
        found += [each for each in _of_digest(own, method, mine, mark, n_tasks) if each not in found]
    return found


def _of_digest(own: Values, method: str, records: Sequence[Record], mark: str, n_tasks: int) -> Iterator[Drawn]:
    if digest(space := _space(own, {}, method, n_tasks)) == mark:
        rest = {tuple(pair for pair in record.spec.hyper if pair[0] not in space) for record in records}
        defaults = _space_free(own, space)
        for pairs in sorted(rest, key=str):
            yield Drawn({name: (value,) for name, value in pairs if defaults.get(name, (value,)) != (value,)})
        return
    values: dict[str, dict] = {}
    for record in records:
        for name, value in record.spec.hyper:
            values.setdefault(name, {})[value] = None
    constant = {name: tuple(seen) for name, seen in values.items() if len(seen) == 1 and tuple(seen) != own.get(name)}
    shared = load_method(method).one_a_task  # a search of one weight a task holds the weight of all at its default
    without = {name: each for name, each in constant.items() if name not in shared}
    for asked in (constant, without):
        if digest(_space(own, asked, method, n_tasks)) == mark:
            yield Drawn(asked)
            return
    yield Drawn(constant, mark, tuple(name for name, seen in values.items() if len(seen) > 1))


def _space(own: Values, asked: Values, method: str, n_tasks: int) -> Space:
    return searched(in_ranges({**own, **asked}, asked, load_method(method), n_tasks))


def _space_free(own: Values, space: Space) -> Values:
    """Return the values by default of what is not searched."""
    return {name: values for name, values in own.items() if name not in space and len(values) == 1}


def budgets_of(records: Iterable[Record]) -> list[int]:
    """Return the numbers of trials of final runs, the smallest first."""
    searches = [record.spec.search for record in records if record.spec.search is not None]
    return sorted({search.trials for search in searches if search.trials is not None})


def trials_so_far(records: Iterable[Record]) -> int:
    """Return how many trials the longest search has, counted to its last one."""
    searches = [record.spec.search for record in records if record.spec.search is not None]
    return max((search.trial + 1 for search in searches if search.trial is not None), default=0)


def asked_by(arms: Iterable[Arm], records: Iterable[Record], trials: int) -> bool:
    """Return whether a budget with these arms asks for all final runs after that number of trials, and so made them.

    A method with fewer points than a larger budget has trials tries each of them once, and has their number.
    """
    known = {(arm.setting, arm.method, arm.search) for arm in arms}
    specs = [record.spec for record in records if record.spec.search and record.spec.search.trials == trials]
    return bool(specs) and all((spec.setting, spec.method, spec.search) in known for spec in specs)


def with_ranges_of(arm: Arm, drawn: Drawn, trials: int) -> Arm:
    """Return an arm whose ranges are known by their digest alone, as far as choosing among its records needs it."""
    if not drawn.ranges or arm.search is None:
        return arm
    fixed = {**{name: values[0] for name, values in drawn.asked.items()}}
    kept = {name: value for name, value in arm.fixed.items() if name not in drawn.names}
    space = dict.fromkeys(drawn.names, ("?",))
    search = dataclasses.replace(arm.search, space=drawn.ranges, trials=trials)
    return dataclasses.replace(arm, space=space, fixed={**kept, **fixed}, search=search)
