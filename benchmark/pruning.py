"""Pruning of hopeless trials: the median stopping rule (Golovin et al., Google Vizier, KDD 2017, Section 3.2)."""

import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from benchmark.suite import Metric

RULES = {"median": "the median stopping rule"}
"""Names of the rules, by that of the pruner."""

STARTUP = 5
"""Completed trials before which none is pruned; as in Optuna's MedianPruner."""

WARM_UP = 0.25
"""Share of its epochs that every trial trains: some methods and schedules start slowly."""


class Bars(NamedTuple):
    """What a trial has to reach at each epoch; it is given them when it begins and obeys them to its end.

    Attributes:
        medians: For each epoch the median, over completed trials, of the running average of the validation scores
            up to that epoch; None while no trial is pruned.
        trials: Number of completed trials.
    """

    medians: tuple[float | None, ...]
    trials: int


def verdict(bars: Bars | None, rows: Sequence[Mapping[str, Any]], metric: Metric) -> str:
    """Return why to prune a trial after the epochs of `rows`; empty if it goes on.

    It is pruned where its best score so far is strictly worse than the median. So a trial than which no other one is
    better at any epoch is never pruned.
    """
    if bars is None or not 0 < len(rows) < len(bars.medians):
        return ""
    bar = bars.medians[len(rows) - 1]
    scores = [row["validation"][metric.name] for row in rows]
    best = max(scores) if metric.higher_is_better else min(scores)
    if bar is None or not metric.improves(bar, best):
        return ""
    percent = 100 if metric.percent else 1
    found = f"best {metric.name} {percent * best:.4g}, median {percent * bar:.4g} of {bars.trials} trials"
    return f"{RULES['median']} at epoch {len(rows)} of {len(bars.medians)}: {found}"


def bars_of(curves: Sequence[Sequence[float]], epochs: int) -> Bars | None:
    """Return what the next trial has to reach, or None while there are too few trials to tell.

    Args:
        curves: Validation scores of each completed trial by epoch; one that was pruned or failed is not completed.
        epochs: Length of a trial.
    """
    if len(curves) < STARTUP:
        return None
    averages = [_running_averages(curve) for curve in curves]
    medians = (statistics.median(average[epoch] for average in averages) for epoch in range(epochs))
    warm_up = WARM_UP * epochs
    return Bars(tuple(None if epoch < warm_up else bar for epoch, bar in enumerate(medians, start=1)), len(curves))


def _running_averages(curve: Sequence[float]) -> list[float]:
    """Return the mean of the first 1, 2, ... scores, rounded once, so that none is above the greatest of them."""
    total, averages = Fraction(), []
    for count, score in enumerate(curve, start=1):
        total += Fraction(score)
        averages.append(float(total / count))
    return averages
