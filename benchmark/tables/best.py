"""Which methods of a column are best: the best mean, and those that a test cannot tell from it."""

from collections.abc import Mapping, Sequence

from benchmark.statistics import ALPHA, holm, paired_difference, summarize
from benchmark.suite import Metric
from benchmark.tables.data import Standing

FEWEST = 2
"""Runs from which on a mean can be best: one run has no error."""


def standings(column: Sequence[Mapping[int, float]], metric: Metric) -> list[Standing]:
    """Return where each method of one column stands.

    The best mean is `best`, the first of equals. A method is a `tie` if the two-sided paired t-test against the best
    one, over the seeds that both have, does not reject at 0.05 after Holm's correction for all tests of the column.
    The best one is picked by the same numbers, so that a tie is generous, and with few seeds most methods are ties:
    "not shown to be worse", never "equal". What cannot be tested is no tie, but for differences of nothing at all.

    Args:
        column: Values by seed of each method, units as you like; fewer than two runs take no part.
        metric: Its direction.
    """
    found: list[Standing] = [""] * len(column)
    means = {number: summarize(list(runs.values())).mean for number, runs in enumerate(column) if len(runs) >= FEWEST}
    if len(means) < 2:
        return found
    pick = max if metric.higher_is_better else min
    best = pick(means, key=lambda number: means[number])
    others = [number for number in means if number != best]
    p_values = holm([_p(column[number], column[best]) for number in others])
    found[best] = "best"
    for number, p in zip(others, p_values, strict=True):
        if p >= ALPHA:
            found[number] = "tie"
    return found


def _p(method: Mapping[int, float], best: Mapping[int, float]) -> float:
    seeds = sorted(method.keys() & best.keys())
    return paired_difference([method[seed] for seed in seeds], [best[seed] for seed in seeds]).p
