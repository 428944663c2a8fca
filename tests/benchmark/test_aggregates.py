"""Aggregates by hand, by the literature's tables and by their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.aggregates import (
    interquartile_mean,
    mean_ranks,
    nemenyi_critical_difference,
    probability_of_improvement,
    relative_drop,
    relative_improvement,
)

NAN = math.nan
quick = settings(max_examples=30)
runs = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=5)


def test_mean_ranks_by_hand() -> None:
    scores = [[0.9, 0.8, 0.7], [0.5, 0.6, 0.5], [0.1, NAN, 0.9]]
    assert mean_ranks(scores).tolist() == [1.75, 1.5, 2.75]


def test_mean_ranks_without_a_whole_suite_are_not_known() -> None:
    assert np.isnan(mean_ranks([[1.0, NAN]])).tolist() == [True, True]


@quick
@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=6), st.permutations(range(4)))
def test_mean_ranks_share_out_a_fixed_sum_and_follow_permutations(scores: list[list[int]], order: list[int]) -> None:
    ranks = mean_ranks(scores)
    assert ranks.sum() == pytest.approx(1 + 2 + 3 + 4)
    assert mean_ranks(np.array(scores)[:, order]).tolist() == pytest.approx(ranks[order].tolist())
    assert mean_ranks(-np.array(scores)).tolist() == pytest.approx((5 - ranks).tolist())


DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Critical values of Nemenyi's test at 0.05 by number of methods (Demsar 2006, Table 5 a)."""


@pytest.mark.parametrize(("methods", "value"), DEMSAR.items())
def test_nemenyi_has_the_values_of_demsar(methods: int, value: float) -> None:
    found = nemenyi_critical_difference(methods, 14)
    assert found == pytest.approx(value * math.sqrt(methods * (methods + 1) / 6 / 14), rel=3e-4)


def test_nemenyi_of_the_example_of_demsar() -> None:
    assert nemenyi_critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_nemenyi_of_two_methods_is_a_normal_quantile() -> None:
    assert nemenyi_critical_difference(2, 9) == pytest.approx(stats.norm.ppf(0.975) / 3, rel=1e-6)


@pytest.mark.parametrize(("methods", "suites"), [(1, 5), (0, 5), (4, 0)])
def test_nemenyi_of_nothing_to_compare_is_not_known(methods: int, suites: int) -> None:
    assert math.isnan(nemenyi_critical_difference(methods, suites))


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([[0, 1, 2, 3, 100]]).value == pytest.approx(2)
    assert interquartile_mean([[0, 1, NAN, 5]]).value == pytest.approx((4 * 1 + 5) / 6)  # of 5 a quarter of what 1 has
    # sixths of 1, 3 and 80, tenths of the others: a sixth of 2, then 3, 4, 5, 6, then a sixth of 70
    found = interquartile_mean([[1, 80, 3], [5, 4, 6, 70, 2]]).value
    assert found == pytest.approx(2 * (2 / 60 + 3 / 6 + (4 + 5 + 6) / 10 + 70 / 60))


@quick
@given(st.lists(st.lists(st.integers(0, 99).map(float), min_size=8, max_size=8), min_size=1, max_size=4))
def test_with_equally_many_runs_it_is_the_trimmed_mean(suites: list[list[float]]) -> None:
    assert interquartile_mean(suites).value == pytest.approx(stats.trim_mean(np.concatenate(suites), 0.25))


@quick
@given(st.lists(runs, min_size=1, max_size=3))
def test_each_suite_has_the_same_weight_in_the_middle_half(suites: list[list[float]]) -> None:
    several = 4 * math.lcm(*map(len, suites))
    repeated = np.concatenate([np.repeat(suite, several // len(suite)) for suite in suites])
    assert interquartile_mean(suites).value == pytest.approx(stats.trim_mean(repeated, 0.25))


def test_each_suite_is_resampled_on_its_own() -> None:
    constant = interquartile_mean([[0, 0, 0], [1, 1, 1]])
    assert (constant.value, constant.low, constant.high) == pytest.approx((0.5, 0.5, 0.5))
    one = interquartile_mean([[0, 1]])
    assert (one.value, one.low, one.high) == (0.5, 0, 1)


def test_the_interval_is_that_of_rows_drawn_with_replacement() -> None:
    draw = np.random.default_rng(5)
    suites = [draw.normal(size=6), draw.normal(1, 2, size=9)]
    drawn = [np.concatenate([draw.choice(suite, len(suite)) for suite in suites]) for _ in range(4000)]
    even = np.concatenate([np.repeat(drawn, 3, axis=1)[:, :18], np.repeat(drawn, 2, axis=1)[:, 12:]], axis=1)
    means = np.sort(even)[:, 9:-9].mean(axis=1)  # of 18 each
    found = interquartile_mean(suites)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.06)


@quick
@given(st.lists(runs, min_size=1, max_size=3), st.randoms())
def test_the_order_of_runs_does_not_matter(suites: list[list[float]], random) -> None:
    shuffled = [random.sample(scores, len(scores)) for scores in suites]
    assert interquartile_mean(shuffled) == interquartile_mean(suites)
    assert probability_of_improvement(shuffled, suites) == probability_of_improvement(suites, suites)


@pytest.mark.parametrize("suites", [[], [[]], [[1.0, 2.0], []], [[1.0], [NAN]]])
def test_a_suite_without_scores_leaves_nothing_to_aggregate(suites: list[list[float]]) -> None:
    others: list[list[float]] = [[1.0]] * len(suites)
    for found in (interquartile_mean(suites), probability_of_improvement(others, suites)):
        assert all(map(math.isnan, (found.value, found.low, found.high)))


def test_probability_of_improvement_by_hand() -> None:
    found = probability_of_improvement([[1, 2]], [[1, 0]])
    assert found.value == (0.5 + 1 + 1 + 1) / 4
    assert (found.low, found.high) == (0.5, 1)
    sure = probability_of_improvement([[1, 1], [0, 0, 0]], [[0, 0], [1, 1, 1]])
    assert (sure.value, sure.low, sure.high) == (0.5, 0.5, 0.5)  # suites count alike, whatever their runs


def test_a_single_run_has_a_value_and_no_interval() -> None:
    for found in (interquartile_mean([[1, 2], [3]]), probability_of_improvement([[1, 2]], [[0]])):
        assert math.isfinite(found.value)
        assert math.isnan(found.low)
        assert math.isnan(found.high)


@quick
@given(st.lists(st.tuples(runs, runs), min_size=1, max_size=3))
def test_probability_of_improvement_is_that_of_mann_and_whitney_and_adds_up_to_one(
    suites: list[tuple[list[float], list[float]]],
) -> None:
    method, reference = zip(*suites, strict=True)
    found = probability_of_improvement(method, reference)
    shares = [stats.mannwhitneyu(x, y, method="asymptotic").statistic / len(x) / len(y) for x, y in suites]
    assert found.value == pytest.approx(np.mean(shares))
    assert found.value + probability_of_improvement(reference, method).value == pytest.approx(1)
    if min(map(len, (*method, *reference))) > 1:
        assert 0 <= found.low <= found.high <= 1


def test_methods_on_different_numbers_of_suites_are_refused() -> None:
    with pytest.raises(ValueError, match="the method has 1 suites, the reference 2"):
        probability_of_improvement([[1.0]], [[1.0], [2.0]])


METRICS = ([0.5, 0.8, 0.9], [0.4, 1.0, 1.0])
"""Gains of 25 %, and of 20 and 10 % in errors."""
HIGHER = [True, False, False]


def test_delta_m_by_hand_in_both_conventions() -> None:
    tasks = ["segmentation", "depth", "depth"]
    assert relative_improvement(*METRICS, higher_is_better=HIGHER, tasks=tasks) == pytest.approx((25 + 15) / 2)
    assert relative_drop(*METRICS, higher_is_better=HIGHER) == pytest.approx(-(25 + 20 + 10) / 3)


def test_the_conventions_are_opposite_where_each_task_has_one_metric() -> None:
    improvement = relative_improvement(*METRICS, higher_is_better=HIGHER, tasks=["a", "b", "c"])
    assert improvement == pytest.approx(-relative_drop(*METRICS, higher_is_better=HIGHER))


@pytest.mark.parametrize(
    ("values", "reference"), [([1.0, 2.0], [1.0, 0.0]), ([1.0, 2.0], [-1.0, 1.0]), ([NAN, 1], [1, 1])]
)
def test_delta_m_without_a_positive_reference_is_not_known(values: list[float], reference: list[float]) -> None:
    assert math.isnan(relative_drop(values, reference, higher_is_better=[True, True]))
    assert math.isnan(relative_improvement(values, reference, higher_is_better=[True, True], tasks=["a", "b"]))


def test_delta_m_of_nothing_gained_is_zero() -> None:
    assert relative_drop(METRICS[1], METRICS[1], higher_is_better=HIGHER) == 0


@pytest.mark.parametrize("higher", [[True], [True, False]])
def test_a_metric_without_direction_or_task_is_refused(higher: list[bool]) -> None:
    with pytest.raises(ValueError, match="shape"):
        relative_drop(*METRICS, higher_is_better=higher)
    with pytest.raises(ValueError, match="3 metrics need a task each, not 2"):
        relative_improvement(*METRICS, higher_is_better=HIGHER, tasks=["a", "b"])
