"""What was searched, read from records: which values of hyper-parameters differ from the suite's own."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmark.campaign import score
from benchmark.record import Record
from benchmark.spec import Value
from benchmark.suite import Metric
from benchmark.values import Values

Hyper = tuple[tuple[str, Value], ...]
"""All hyper-parameters of a run, sorted by name, as a spec has them."""

Scores = Mapping[Hyper, float]
"""Validation score of each search run, higher is better; minus infinity for one that failed."""


def scores_of(records: Iterable[Record], metric: Metric) -> dict[Hyper, float]:
    """Return the validation score of each search run by its hyper-parameters."""
    sign = 1 if metric.higher_is_better else -1
    searched = [record for record in records if record.spec.phase == "search"]
    found = {record.spec.hyper: score(record, metric.name) for record in searched}
    return {hyper: -math.inf if value is None else sign * value for hyper, value in found.items()}


def asked_for(own: Values, records: Sequence[Record], metric: Metric) -> list[Values]:
    """Return, for each search over a grid that records are of, the values in which it differs from the suite's own.

    Final runs follow a complete search in which validation chose their setting. So each setting of final runs belongs
    to a grid around it whose runs are all there and of which it is the best, or to none where nothing was searched.
    Search runs beyond those are of a search that is not complete: of the suite's own grid, or of the values that they
    have.

    Args:
        own: Values of each hyper-parameter by default.
        records: Those of one method in one setting, under the same conditions, not of a search with a budget.
        metric: Selects.
    """
    scores = scores_of(records, metric)
    chosen = dict.fromkeys(record.spec.hyper for record in records if record.spec.phase == "final")
    grids = [grid_around(hyper, own, scores) for hyper in chosen]
    covered = {hyper for grid in grids for hyper in points(grid)}
    left = [hyper for hyper in scores if hyper not in covered]
    inside = [hyper for hyper in left if all(value in own.get(name, ()) for name, value in hyper)]
    if inside:
        grids.append({name: own[name] for name, _ in inside[0]})
    if outside := [hyper for hyper in left if hyper not in inside]:
        grids.append(_observed(outside, own))
    found: list[Values] = []
    for grid in grids:
        asked = {name: values for name, values in grid.items() if values != own.get(name)}
        if asked not in found:
            found.append(asked)
    return found


def grid_around(hyper: Hyper, own: Values, scores: Scores) -> Values:
    """Return the grid that led to a setting: the suite's own if it may have, else the largest one that may have.

    A grid may have if it holds the setting, all its runs are there and the setting is the best of it. Its values are,
    name by name, the suite's own, all that were searched, those beyond the suite's own, or that of the setting alone;
    records do not tell two searches from one over the values of both, so that trials are counted too many rather than
    too few. Where that leaves none, as others are as good and come first, the setting's values come first.
    """
    seen = _observed([each for each in scores if _names(each) == _names(hyper)], own)
    value_of = dict(hyper)
    choices = []
    for name in _in_order_of(own, _names(hyper)):
        beyond = tuple(value for value in seen.get(name, ()) if value not in own.get(name, ()))
        ways = (own.get(name, ()), seen.get(name, ()), beyond, (value_of[name],))
        kept = {frozenset(way): way for way in ways if value_of[name] in way}
        choices.append([(name, way) for way in kept.values()])
    grids = [dict(ways) for ways in itertools.product(*choices)]
    whole = [grid for grid in sorted(grids, key=size, reverse=True) if size(grid) > 1 and _complete(grid, scores)]
    first = [{name: _put_first(value_of[name], values) for name, values in grid.items()} for grid in whole]
    possible = [grid for grid in (*whole, *first) if winner(grid, scores) == hyper]
    if not possible:
        return {name: (value,) for name, value in hyper}
    ours = [grid for grid in possible if all(values == own.get(name) for name, values in grid.items())]
    return (ours or possible)[0]


def size(grid: Values) -> int:
    """Return the number of points of a grid."""
    return math.prod(map(len, grid.values()))


def _put_first(value: Value, values: tuple[Value, ...]) -> tuple[Value, ...]:
    return (value, *(each for each in values if each != value))


def _in_order_of(own: Values, names: Iterable[str]) -> list[str]:
    """Return names in the order in which a plan has them, which says which of equals comes first."""
    known = list(own)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))


def winner(grid: Values, scores: Scores) -> Hyper:
    """Return the point with the best score, the first of equals in the grid's order."""
    return max(points(grid), key=lambda hyper: scores[hyper])


def points(grid: Values) -> Iterator[Hyper]:
    """Yield every point of a grid as a spec has it, the last name varying first."""
    for values in itertools.product(*grid.values()):
        yield tuple(sorted(zip(grid, values, strict=True)))


def _complete(grid: Values, scores: Scores) -> bool:
    return all(hyper in scores for hyper in points(grid)) and any(scores[hyper] > -math.inf for hyper in points(grid))


def _observed(hypers: Iterable[Hyper], own: Values) -> Values:
    """Return the values that settings have of each hyper-parameter, the suite's own in its order first."""
    seen: dict[str, dict[Value, None]] = {}
    for hyper in hypers:
        for name, value in hyper:
            seen.setdefault(name, {})[value] = None
    return {
        name: tuple(dict.fromkeys([*(value for value in own.get(name, ()) if value in seen[name]), *seen[name]]))
        for name in _in_order_of(own, seen)
    }


def _names(hyper: Hyper) -> tuple[str, ...]:
    return tuple(name for name, _ in hyper)
