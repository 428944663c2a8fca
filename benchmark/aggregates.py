"""Aggregates over suites and metrics, on plain arrays: ranks, interquartile means, relative improvements."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from benchmark.statistics import ALPHA, SEED, Array, Statistic, bootstrap, finite


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % stratified percentile bootstrap interval.

    All are NaN where a suite has no score, and the interval is where one has a single score.
    """

    value: float
    low: float
    high: float


def mean_ranks(scores: ArrayLike) -> Array:
    """Return each method's mean rank over suites, (methods,), from scores (suites, methods), higher is better.

    1 is best and ties share their mean rank (Demsar 2006). A suite where a method has no score is left out.
    """
    from scipy import stats

    table = np.asarray(scores, float)
    whole = table[np.isfinite(table).all(axis=1)]
    return stats.rankdata(-whole, axis=1).mean(axis=0) if len(whole) else np.full(table.shape[1], nan)


def friedman_p(scores: ArrayLike) -> float:
    """Return the p-value of Friedman's test that all methods rank alike, from scores (suites, methods).

    Chi-squared with methods - 1 degrees of freedom (Friedman 1937; Demsar 2006, Section 3.2.2), which is conservative
    for few suites. NaN for fewer than three methods or two suites that have all scores, and where all scores are equal.
    """
    from scipy import stats

    table = np.asarray(scores, float)
    whole = table[np.isfinite(table).all(axis=1)]
    if len(whole) < 2 or table.shape[1] < 3 or not np.ptp(whole, axis=1).any():
        return nan
    return stats.friedmanchisquare(*whole.T).pvalue.item()


def nemenyi_critical_difference(methods: int, suites: int) -> float:
    """Return by how much two mean ranks must differ to be significant at 0.05 (Nemenyi; Demsar 2006, Section 3.2.2).

    It is for use after Friedman's test. NaN for fewer than two methods or no suite.
    """
    from scipy import stats

    studentized = stats.studentized_range.ppf(1 - ALPHA, methods, np.inf).item() / 2**0.5
    return studentized * (methods * (methods + 1) / (6 * suites)) ** 0.5 if suites else nan


def interquartile_mean(suites: Sequence[ArrayLike], *, seed: int = SEED) -> Estimate:
    """Return the mean of the middle half of one method's scores over all suites (Agarwal et al. 2021).

    Every suite has the same weight, however many runs it has, and half of the weight is cut to the run, of which a part
    may count. With equally many runs of each suite, a multiple of four in all, it is what Agarwal et al. compute.

    Args:
        suites: Scores of the runs on each suite, (runs,) each, on a scale common to all suites.
        seed: Of the bootstrap, which resamples the runs of each suite on their own (stratified).
    """
    return _estimate(_middle_mean, suites, seed)


def probability_of_improvement(
    method: Sequence[ArrayLike], reference: Sequence[ArrayLike], *, seed: int = SEED
) -> Estimate:
    """Return how likely a run of one method beats one of another, mean over suites (Agarwal et al. 2021).

    A tie is half a win. Runs are taken as independent, not as paired.

    Args:
        method: Scores of the runs on each suite, (runs,) each, higher is better.
        reference: Those of the other method, suite by suite.
        seed: Of the bootstrap, which resamples the runs of each suite on their own (stratified).

    Raises:
        ValueError: They differ in their number of suites.
    """
    if len(method) != len(reference):
        raise ValueError(f"the method has {len(method)} suites, the reference {len(reference)}")

    def win_rate(*suites: Array) -> Array:
        return _win_rate(suites[: len(method)], suites[len(method) :])

    return _estimate(win_rate, [*method, *reference], seed)


def relative_improvement(
    values: ArrayLike, reference: ArrayLike, *, higher_is_better: ArrayLike, tasks: Sequence[str]
) -> float:
    """Return Delta_m in percent, better is positive: mean over tasks of the mean over each one's metrics.

    The convention of Maninis et al. (2019, one metric a task) and of Lin and Zhang (2023, several).

    Args:
        values: Metrics of the method, (metrics,).
        reference: Those of the single-task runs, positive; if one is not, NaN is returned.
        higher_is_better: Direction of each metric, (metrics,).
        tasks: The task of each metric.

    Raises:
        ValueError: The arguments differ in length.
    """
    gains = _relative_gains(values, reference, higher_is_better)
    if len(tasks) != len(gains):
        raise ValueError(f"{len(gains)} metrics need a task each, not {len(tasks)}")
    of_task = [gains[np.array(tasks) == name].mean() for name in dict.fromkeys(tasks)]
    return 100 * np.mean(of_task).item()


def relative_drop(values: ArrayLike, reference: ArrayLike, *, higher_is_better: ArrayLike) -> float:
    """Return Delta_m in percent, better is negative: mean over all metrics, whatever their task.

    The convention of Liu et al. (CAGrad, 2021) and Navon et al. (Nash-MTL, 2022). Arguments as above.
    """
    return -100 * _relative_gains(values, reference, higher_is_better).mean().item()


def _relative_gains(values: ArrayLike, reference: ArrayLike, higher_is_better: ArrayLike) -> Array:
    """Return the gain of each metric as a share of the reference, (metrics,); better is positive."""
    arguments = [np.asarray(argument, float) for argument in (values, reference, higher_is_better)]
    found, base, higher = np.stack(arguments)
    return np.where(higher, 1, -1) * (found - base) / np.where(base > 0, base, nan)


def _middle_mean(*suites: Array) -> Array:
    """Return the mean of the middle half of all scores, (...,), from scores (..., runs) of each suite."""
    scores = np.concatenate(suites, axis=-1)
    weights = np.concatenate([np.full(each.shape[-1], 1 / (len(suites) * each.shape[-1])) for each in suites])
    order = np.argsort(scores, axis=-1, kind="stable")
    ends = np.cumsum(weights[order], axis=-1)
    kept = np.clip(np.minimum(ends, 0.75) - np.maximum(ends - weights[order], 0.25), 0, None)
    return (kept * np.take_along_axis(scores, order, axis=-1)).sum(-1) / kept.sum(-1)


def _win_rate(method: Sequence[Array], reference: Sequence[Array]) -> Array:
    """Return the mean over suites of P(method > reference), (...,), from scores (..., runs) of each suite."""
    signs = [np.sign(x[..., :, None] - y[..., None, :]) for x, y in zip(method, reference, strict=True)]
    return np.mean([(1 + sign.mean(axis=(-2, -1))) / 2 for sign in signs], axis=0)


def _estimate(statistic: Statistic, suites: Sequence[ArrayLike], seed: int) -> Estimate:
    found = [finite(scores) for scores in suites]
    if not found or not all(map(len, found)):
        return Estimate(nan, nan, nan)
    return Estimate(float(statistic(*found)), *bootstrap(statistic, found, seed=seed))
