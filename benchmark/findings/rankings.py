"""Does the search change the ranking? Grids against equal budgets of trials, wider grids and a single rate."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmark.comparison import p_phrase, p_text
from benchmark.findings.runs import (
    RESULTS,
    by_seed,
    final_runs,
    listed,
    origin,
    paired,
    percent,
    records_of,
    succeeded,
)
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.statistics import ALPHA, Paired, holm

GRIDS = RESULTS / "reference/digits"
BUDGETS = RESULTS / "equal-budget/digits"
WIDER = RESULTS / "rates/digits"
COARSE = RESULTS / "reference/cifar100-coarse"
COARSE_GRIDS = RESULTS / "rates/cifar100-coarse"
COARSE_BUDGETS = RESULTS / "equal-budget/cifar100-coarse"
COARSE_LOWER = RESULTS / "same-rates/cifar100-coarse"
METRIC = "top1"
MOST_SETS = 1000
"""Sets of seeds up to which all pairs are compared."""

Scores = Mapping[str, Mapping[int, float]]
"""Test metric by method and seed."""


@dataclass(frozen=True)
class Search:
    """What a search of every method gave in one setting: that of grids, or one draw of trials.

    Attributes:
        run: Methods of which there is a run, though it may have failed.
        scores: Test metric by method and seed.
        trials: Number of search runs by method.
        rates: Learning rate of the optimiser that validation chose, by method.
        tried: Learning rates that were tried, by method.
    """

    run: frozenset[str]
    scores: Scores
    trials: Mapping[str, int]
    rates: Mapping[str, float]
    tried: Mapping[str, Collection[float]]


class Compared:
    """Methods by one search and by others, which are averaged."""

    def __init__(self, first: Search, others: Sequence[Search]) -> None:
        self.first, self.others = first, others
        self.names = [name for name in first.scores if self._has_all(name)]
        self.left = sorted(first.run.intersection(*(each.run for each in others)).difference(self.names))
        self.means = {name: self._mean(name) for name in self.names}
        self.ranks = _ranks(first.scores, self.names)
        self.by_search = [_ranks(each.scores, self.names) for each in others]
        self.changes = [paired(self.means[name], first.scores[name]) for name in self.names]
        self.p_values = holm([change.p for change in self.changes]).tolist()

    def _has_all(self, method: str) -> bool:
        """Return whether a method has the same seeds everywhere."""
        return all(self.first.scores[method].keys() == each.scores.get(method, {}).keys() for each in self.others)

    def _mean(self, method: str) -> dict[int, float]:
        """Return the mean over the other searches by seed."""
        scores = [each.scores[method] for each in self.others]
        return {seed: sum(each[seed] for each in scores) / len(scores) for seed in scores[0]}

    def change_of_all(self) -> Paired:
        """Return the change of the mean over the methods, paired by seed."""
        here, there = (
            {seed: sum(scores[name][seed] for name in self.names) / len(self.names) for seed in scores[self.names[0]]}
            for scores in (self.first.scores, self.means)
        )
        return paired(there, here)


def ranking(grids: Path = GRIDS, budgets: Path = BUDGETS) -> str:
    """Return accuracy and rank of every method by grids and by equal budgets, and how far the two rankings agree."""
    return _compare(grids, budgets, "grid", "equal budget")


def wider(grids: Path = GRIDS, others: Path = WIDER) -> str:
    """Return accuracy and rank of every method by the suite's grids and by wider ones, and how far they agree."""
    return _compare(grids, others, "grid", "wider grid")


def rates_coarse(single: Path = COARSE, grids: Path = COARSE_GRIDS) -> str:
    """Return accuracy and rank on coarse classes with a single learning rate and with a grid of them."""
    return _compare(single, grids, "single rate", "grid")


def lower_coarse(grids: Path = COARSE_GRIDS, lower: Path = COARSE_LOWER) -> str:
    """Return the same by the grid and by a rate below it."""
    return _compare(grids, lower, "grid", "lower rate")


def ranking_coarse(grids: Path = COARSE_GRIDS, budgets: Path = COARSE_BUDGETS) -> str:
    """Return the same on coarse classes by grids and by equal budgets."""
    return _compare(grids, budgets, "grid", "equal budget")


def _compare(folder: Path, others: Path, first: str, name: str) -> str:
    here, there = (dict.fromkeys(record.spec.setting for record in final_runs(each)) for each in (folder, others))
    all_seeds, seeds = ({record.spec.seed for record in final_runs(each)} for each in (folder, others))
    parts, draws = [], 1
    for setting in here:
        if setting in there:
            (one,), several = _searches(folder, setting, seeds), _searches(others, setting, seeds)
            found = Compared(one, several)
            (everything,) = _searches(folder, setting, all_seeds)
            luck = [
                _luck_of_finals(everything.scores, found.names, len(seeds), first),
                _luck_of_draws(found, first, name),
            ]
            numbers = " ".join(filter(None, [*luck, _rates(found, first, name)]))
            parts += filter(None, [_table(found, first, name), _sentence(setting, found, first, name), numbers])
            draws = max(draws, len(several))
    averaged = f", of {name}s the mean over {draws} draws of the trials" if draws > 1 else ""
    caption = (
        f"Test {METRIC} in percent, mean ± standard error over the same {len(seeds)} seeds of final runs{averaged}; "
        f"change: {name} less {first}, paired by seed, t-test, Holm's correction. "
        f"{first.capitalize()}s: {_origin(folder, seeds)}. {name.capitalize()}s: {_origin(others, seeds)}."
    )
    return "\n\n".join([*parts, caption])


def _origin(folder: Path, seeds: Collection[int]) -> str:
    return origin(succeeded(final_runs(folder, chosen=lambda record: record.spec.seed in seeds)))


def _searches(folder: Path, setting: str, seeds: Collection[int]) -> list[Search]:
    """Return what each search gave, by the sampler's seed."""
    found: dict[int, list[Record]] = {}
    for record in records_of(folder):
        if record.spec.setting == setting:
            search = record.spec.search
            found.setdefault(search.seed if search else 0, []).append(record)
    return [_search(found[seed], seeds) for seed in sorted(found)]


def _search(records: Sequence[Record], seeds: Collection[int]) -> Search:
    finals, trials = [], {}
    tried: dict[str, set[float]] = {}
    for record in records:
        method = record.spec.method
        if record.spec.phase == "search":
            trials[method] = trials.get(method, 0) + 1
            tried.setdefault(method, set()).add(_rate(record.spec))
        elif record.status == "ok" and record.spec.seed in seeds:
            finals.append(record)
    methods = dict.fromkeys(record.spec.method for record in finals)
    scores = {name: by_seed(succeeded(finals, name), METRIC) for name in sorted(methods)}
    run = frozenset(record.spec.method for record in records)
    return Search(run, scores, trials, {record.spec.method: _rate(record.spec) for record in finals}, tried)


def _rate(spec: Spec) -> float:
    return float(str(dict(spec.hyper)["lr"]))


def _ranks(scores: Scores, names: Sequence[str]) -> list[float]:
    """Return the rank of each method by its mean, 1 the best; ties share their mean rank."""
    from scipy import stats

    return stats.rankdata([-sum(scores[name].values()) / len(scores[name]) for name in names]).tolist()


def _kendall(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return Kendall's tau of two rankings and its p-value."""
    from scipy import stats

    found: Any = stats.kendalltau(one, other)
    return found.statistic, found.pvalue


def _table(found: Compared, first: str, name: str) -> str:
    rows = [
        {
            "method": f"`{method}`",
            first: percent(found.first.scores[method].values()),
            "rank": f"{found.ranks[i]:g}",
            "trials": str(found.first.trials.get(method, 0)),
            name: percent(found.means[method].values()),
            f"its rank{' by draw' * (len(found.others) > 1)}": ", ".join(f"{each[i]:g}" for each in found.by_search),
            "its trials": str(found.others[0].trials.get(method, 0)),
            "change": f"{100 * found.changes[i].difference:+.2f}",
            "p (Holm)": p_text(found.p_values[i]),
        }
        for i, method in enumerate(found.names)
    ]
    return pipe_table([row for _, row in sorted(zip(found.ranks, rows, strict=True), key=lambda pair: pair[0])])


def _sentence(setting: str, found: Compared, first: str, name: str) -> str:
    names = found.names
    theirs = _ranks(found.means, names)
    changed = [method for method, p in zip(names, found.p_values, strict=True) if p < ALPHA]
    tau, p = _kendall(found.ranks, theirs)
    best, other = (names[each.index(min(each))] for each in (found.ranks, theirs))
    kept = f"{listed([best])} is the best under both"
    if best != other:
        kept = f"{listed([best])} is the best by {first}s, {listed([other])} by {name}s"
    lower = sum(change.difference < 0 for change in found.changes)
    joint = found.change_of_all()
    return (
        f"{setting}: Kendall's tau of the two rankings of {len(names)} methods is {tau:.2f} ({p_phrase(p)}); {kept}. "
        f"Methods whose accuracy changes significantly: {listed(changed)}. By {name}s {lower} of {len(names)} are "
        f"lower; the mean over the methods changes by {100 * joint.difference:+.2f} percentage points (paired by seed, "
        f"{p_phrase(joint.p)})."
        + (f" Left out, as they do not have the same seeds everywhere: {listed(found.left)}." if found.left else "")
    )


def _luck_of_finals(scores: Scores, names: Sequence[str], size: int, first: str) -> str:
    """Return how far rankings by disjoint sets of so many seeds agree under one protocol, where there are enough."""
    seeds = sorted(set.intersection(*(set(scores[name]) for name in names)))
    if math.comb(len(seeds), size) > MOST_SETS:
        return ""
    taus = []
    for half in combinations(seeds, size):
        for other in combinations([seed for seed in seeds if seed not in half], size):
            if half < other:
                sums = ([sum(scores[name][seed] for seed in part) for name in names] for part in (half, other))
                taus.append(_kendall(*sums)[0])
    if not taus:
        return ""
    return (
        f"Chance of the final runs alone: two rankings by {first}s, each of {size} of the {len(seeds)} seeds and "
        f"none in common, have a tau of {_spread(taus)} pairs)."
    )


def _luck_of_draws(found: Compared, first: str, name: str) -> str:
    """Return how far the rankings of several draws agree with each other, and with the first ranking."""
    if len(found.others) == 1:
        return ""
    among = [_kendall(one, other)[0] for one, other in combinations(found.by_search, 2)]
    across = [_kendall(found.ranks, each)[0] for each in found.by_search]
    return (
        f"Chance of the draw alone: rankings by {name}s of the same size and final seeds, whose trials were drawn "
        f"anew, have a tau of {_spread(among)} pair{'s' * (len(among) > 1)}); that by {first}s has one of "
        f"{_spread(across)} draws) with them."
    )


def _spread(taus: Sequence[float]) -> str:
    return f"{sum(taus) / len(taus):.2f} on average ({min(taus):.2f} to {max(taus):.2f} over {len(taus)}"


def _rates(found: Compared, first: str, name: str) -> str:
    """Return how many of the searches of several learning rates end at the largest or smallest that they had."""
    parts = []
    for what, searches in ((first, (found.first,)), (name, found.others)):
        several = [
            (each.rates[method], each.tried[method])
            for each in searches
            for method in found.names
            if len(each.tried.get(method, ())) > 1
        ]
        if several:
            largest, smallest = (sum(rate == end(tried) for rate, tried in several) for end in (max, min))
            ends = " searches end at the largest learning rate that they had" * (not parts)
            parts.append(f"{what}s {largest} of {len(several)}{ends}, {smallest} at the smallest")
    return f"By {'; by '.join(parts)}." if parts else ""
