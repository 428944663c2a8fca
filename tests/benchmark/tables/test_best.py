"""The best of a column and those that a test cannot tell from it, by hand."""

import math

import pytest

from benchmark.suite import Metric
from benchmark.tables.best import standings

TOP = Metric("top1")


def runs(*values: float) -> dict[int, float]:
    return dict(enumerate(values, start=1))


def test_best_and_ties_by_hand() -> None:
    best = runs(5, 6, 7)
    # less by 1, 2, 3: t = 2 sqrt(3) with 2 degrees of freedom, p = 1 - t / sqrt(t^2 + 2) = 0.074: no difference
    near = runs(4, 4, 4)
    # less by 3, 3.1, 3.2: t = 3.1 / (0.1 / sqrt(3)) = 53.7, p = 0.00035, twice that by Holm: worse
    far = runs(2, 2.9, 3.8)
    assert standings([near, best, far], TOP) == ["tie", "best", ""]


def test_holm_counts_all_methods_of_the_column() -> None:
    best, near = runs(5, 6, 7), runs(4.4, 4.9, 5.4)  # less by 0.6, 1.1, 1.6: t = 3.81, p = 0.0625 alone
    p = 1 - (t := 1.1 / (0.5 / math.sqrt(3))) / math.sqrt(t**2 + 2)
    assert p == pytest.approx(0.0625, abs=0.001)
    worse = runs(3.9, 4.8, 5.7)  # less by 1.1, 1.2, 1.3: t = 20.8, p = 0.0023
    assert standings([best, worse], TOP) == ["best", ""]
    crowd = [
        runs(*(value - delta for value, delta in zip((5, 6, 7), (0.1 * n, -0.1, 0.1), strict=True)))
        for n in range(1, 25)
    ]
    assert standings([best, worse, *crowd], TOP)[1] == "tie", "0.0023 times 25 is above 0.05"
    assert standings([best, near], TOP) == ["best", "tie"]


def test_errors_are_best_when_smallest_and_equal_columns_tie() -> None:
    error = Metric("mse", higher_is_better=False)
    assert standings([runs(2, 2.1, 2.05), runs(1, 1.2, 1.1)], error) == ["", "best"]
    assert standings([runs(1, 2, 3), runs(1, 2, 3)], error) == ["best", "tie"]


@pytest.mark.parametrize("column", [[runs(5)], [runs(5, 6)], [runs(5), runs(6)], [runs(), runs(5, 6)]])
def test_with_nothing_to_compare_nothing_is_best(column: list[dict[int, float]]) -> None:
    assert standings(column, TOP) == [""] * len(column)
