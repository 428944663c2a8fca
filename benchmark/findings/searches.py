"""Searches of all methods, and how one of them compares with others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.findings.runs import by_seed, paired, records_of, succeeded
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.statistics import Paired, holm

METRIC = "top1"

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
    """Methods by one search and by others, which are averaged.

    Args:
        what: What the first search is called, such as "grid".
        first: That search.
        other: What each of the others is called.
        others: At least one.
    """

    def __init__(self, what: str, first: Search, other: str, others: Sequence[Search]) -> None:
        self.what, self.first, self.other, self.others = what, first, other, others
        self.names = [name for name in first.scores if self._has_all(name)]
        self.left = sorted(first.run.intersection(*(each.run for each in others)).difference(self.names))
        self.means = {name: self._mean(name) for name in self.names}
        self.ranks = ranks(first.scores, self.names)
        self.by_search = [ranks(each.scores, self.names) for each in others]
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


def searches(folder: Path, setting: str, seeds: Collection[int]) -> list[Search]:
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


def ranks(scores: Scores, names: Sequence[str]) -> list[float]:
    """Return the rank of each method by its mean, 1 the best; ties share their mean rank."""
    from scipy import stats

    return stats.rankdata([-sum(scores[name].values()) / len(scores[name]) for name in names]).tolist()


def kendall(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return Kendall's tau of two rankings and its p-value."""
    from scipy import stats

    found: Any = stats.kendalltau(one, other)
    return found.statistic, found.pvalue
