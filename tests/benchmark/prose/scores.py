"""Committed runs as the page's sentences compare them: scores by seed in percent, sizes of searches, steps of runs."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple, TypeVar

import torch
from scipy import stats

import baselines
from benchmark import suites
from benchmark.data import Shuffler
from benchmark.findings.runs import RESULTS, by_seed, final_runs, paired, records_of, succeeded
from benchmark.record import Record
from benchmark.space import size
from benchmark.spec import Value
from benchmark.statistics import ALPHA, holm
from benchmark.suite import Suite
from benchmark.values import searched, values_of

Scores = Mapping[int, float]
"""Test accuracy in percent by seed."""

Name = TypeVar("Name")


class Difference(NamedTuple):
    """A mean difference in percentage points with its 95 % interval and the p-value corrected for those beside it."""

    points: float
    low: float
    high: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < ALPHA


def hyper(record: Record) -> dict[str, Value]:
    """Return a run's hyper-parameters by name."""
    return dict(record.spec.hyper)


def rate(record: Record, name: str = "lr") -> float:
    """Return one of a run's hyper-parameters that is a number."""
    return float(str(hyper(record)[name]))


def values(records: Iterable[Record], name: str) -> set[Value]:
    """Return the values that runs have of a hyper-parameter."""
    return {hyper(record)[name] for record in records}


def scores(records: Iterable[Record], metric: str = "top1") -> Scores:
    """Return the test scores of the final runs of one method in one setting."""
    return {seed: 100 * value for seed, value in by_seed(records, metric).items()}


def finals(folder: str, method: str = "", setting: str = "") -> list[Record]:
    """Return the successful final runs in a folder of the results."""
    return succeeded(final_runs(RESULTS / folder), method, setting)


def searches(folder: str, method: str = "", setting: str = "") -> list[Record]:
    """Return the search runs in a folder of the results, whether they gave a result or not."""
    specs = ((record, record.spec) for record in records_of(RESULTS / folder))
    asked = [record for record, spec in specs if method in ("", spec.method) and setting in ("", spec.setting)]
    return [record for record in asked if record.spec.phase == "search"]


def scores_by_method(folder: str, setting: str) -> dict[str, Scores]:
    """Return the test scores of all methods in a setting."""
    names = dict.fromkeys(record.spec.method for record in finals(folder, setting=setting))
    return {name: scores(finals(folder, name, setting)) for name in names}


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's correlation."""
    found: Any = stats.spearmanr(one, other)
    return found.statistic


def mean(found: Scores) -> float:
    """Return the mean score."""
    return fmean(found.values())


def order(found: Mapping[str, Scores]) -> list[str]:
    """Return methods, the best first."""
    return sorted(found, key=lambda name: -mean(found[name]))


def differences(pairs_of: Mapping[Name, tuple[Scores, Scores]]) -> dict[Name, Difference]:
    """Return how scores differ from those beside them, paired by seed, with Holm's correction for their number."""
    pairs = {name: paired(found, reference) for name, (found, reference) in pairs_of.items()}
    p_values = holm([pair.p for pair in pairs.values()]).tolist()
    return {
        name: Difference(pair.difference, pair.low, pair.high, p)
        for (name, pair), p in zip(pairs.items(), p_values, strict=True)
    }


def less(others: Mapping[Name, Scores], reference: Scores) -> dict[Name, Difference]:
    """Return how several scores differ from one reference's."""
    return differences({name: (found, reference) for name, found in others.items()})


def less_one(found: Mapping[str, Scores], reference: str) -> dict[str, Difference]:
    """Return how all other methods differ from one of them."""
    return less({name: each for name, each in found.items() if name != reference}, found[reference])


def grid_size(suite: str, method: str) -> int:
    """Return the number of points that a method's whole grid has in a suite."""
    return int(size(searched(values_of(suites.load(suite), method, baselines.load(method), sample=False))))


def steps(suite: Suite, setting: str, *, holds_out: bool) -> int:
    """Return the training steps of a run; methods that hold the auxiliary set out train on fewer samples."""
    data = suite.data(setting, 1)
    samples = data.train if holds_out else torch.cat([data.train, data.auxiliary])
    return suite.epochs * (suite.steps_per_epoch or len(Shuffler(samples, suite.batch_size, torch.Generator())))
