"""Statistics by hand, by enumeration and by their symmetries; what too few seeds give is defined."""

import itertools
import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from benchmark.statistics import MOST_FLIPPED, holm, paired_difference, sign_flip_p, summarize

NAN = math.nan
T_2 = 0.95 * math.sqrt(2 / (1 - 0.95**2))
"""Quantile at 0.975 of Student's t with 2 degrees of freedom, whose distribution has a closed form."""

scores = st.floats(-10, 10).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=8)
quick = settings(max_examples=50)


def test_mean_and_standard_error_by_hand() -> None:
    found = summarize([1, 6, NAN, 2])
    assert (found.n, found.mean, found.sem) == (3, 3, pytest.approx(math.sqrt(7 / 3)))


@pytest.mark.parametrize(("values", "mean"), [([], NAN), ([NAN], NAN), ([4.0], 4.0)])
def test_too_few_values_have_no_error(values: list[float], mean: float) -> None:
    found = summarize(values)
    assert found.mean == pytest.approx(mean, nan_ok=True)
    assert math.isnan(found.sem)


def test_three_seeds_by_hand() -> None:
    found = paired_difference([5, 5, 9], [4, 3, 6])  # 1, 2, 3: mean 2, standard deviation 1
    t = 2 * math.sqrt(3)
    assert (found.n, found.difference) == (3, 2)
    assert found.p == pytest.approx(1 - t / math.sqrt(t**2 + 2))
    assert (found.low, found.high) == pytest.approx((2 - T_2 / math.sqrt(3), 2 + T_2 / math.sqrt(3)))
    assert found.sign_flip_p == 2 / 8


@pytest.mark.parametrize(
    ("differences", "low", "high"),
    [
        ([0, 1], 0, 1),  # the mean is 0 in 1/4 of the resamples
        ([1, 2, 3], 1, 3),  # 1 in 1/27, more than 2.5 %
        ([4, 2, 1, 3], 1.5, 3.5),  # at most 1.25 in 5/256, at most 1.5 in 15/256
    ],
)
def test_bootstrap_interval_by_hand(differences: list[float], low: float, high: float) -> None:
    found = paired_difference(differences, np.zeros(len(differences)))
    assert (found.bootstrap_low, found.bootstrap_high) == (low, high)


def test_bootstrap_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(3).exponential(size=15)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000).confidence_interval
    found = paired_difference(values, np.zeros(15))
    assert (found.bootstrap_low, found.bootstrap_high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


@quick
@given(pairs)
def test_p_is_that_of_the_paired_t_test_and_agrees_with_the_interval(pairs: list[tuple[float, float]]) -> None:
    method, reference = map(np.array, zip(*pairs, strict=True))
    found = paired_difference(method, reference)
    assume(np.ptp(method - reference) > 1e-9)
    assert found.p == pytest.approx(stats.ttest_rel(method, reference)[1], rel=1e-6)
    assert (found.low <= 0 <= found.high) == (found.p >= 0.05)
    assert found.low < found.difference < found.high
    assert found.bootstrap_low <= found.difference <= found.bootstrap_high


@quick
@given(pairs, st.randoms())
def test_the_order_of_seeds_does_not_matter(pairs: list[tuple[float, float]], random) -> None:
    shuffled = random.sample(pairs, len(pairs))
    one, other = (paired_difference(*zip(*found, strict=True)) for found in (pairs, shuffled))
    assert astuple(other) == pytest.approx(astuple(one), rel=0, abs=0, nan_ok=True)


@quick
@given(pairs)
def test_exchanging_the_methods_changes_the_sign_alone(pairs: list[tuple[float, float]]) -> None:
    one = paired_difference(*zip(*pairs, strict=True))
    n, difference, low, high, p, bootstrap_low, bootstrap_high, flipped = astuple(one)
    assume(difference)
    mirrored = (n, -difference, -high, -low, p, -bootstrap_high, -bootstrap_low, flipped)
    other = paired_difference(*reversed(list(zip(*pairs, strict=True))))
    assert astuple(other) == pytest.approx(mirrored, rel=1e-9, abs=1e-9, nan_ok=True)


@quick
@given(pairs, st.sampled_from([0.01, 100.0]))
def test_percentages_give_the_same_p_values_as_fractions(pairs: list[tuple[float, float]], scale: float) -> None:
    one = paired_difference(*zip(*pairs, strict=True))
    other = paired_difference(*(scale * np.array(pairs).T))
    assert (other.p, other.sign_flip_p) == pytest.approx((one.p, one.sign_flip_p), rel=1e-6, nan_ok=True)
    assert (other.low, other.bootstrap_high) == pytest.approx(
        (scale * one.low, scale * one.bootstrap_high), rel=1e-6, abs=1e-6, nan_ok=True
    )


def test_only_seeds_that_both_have_count() -> None:
    method, reference = [1.0, NAN, 2.0, 4.0, math.inf], [0.5, 7.0, 1.0, NAN, 0.0]
    assert paired_difference(method, reference) == paired_difference([1, 2], [0.5, 1])
    assert paired_difference(method, reference).n == 2
    assert paired_difference([0.5, 0.5, NAN], [0.5, 0.5, 0.1]).p == 1


@pytest.mark.parametrize(("method", "difference"), [([], NAN), ([NAN], NAN), ([0.7], 0.2)])
def test_fewer_than_two_seeds_are_no_test(method: list[float], difference: float) -> None:
    found = paired_difference(method, [0.5] * len(method))
    assert found.n == (not math.isnan(difference))
    assert found.difference == pytest.approx(difference, nan_ok=True)
    assert all(map(math.isnan, astuple(found)[2:]))


@pytest.mark.parametrize("reference", [[0.5, 0.7, 0.6], [0.1 + 0.4, 0.7, 0.1 * 6]])
def test_equal_scores_differ_by_nothing(reference: list[float]) -> None:
    found = paired_difference([0.5, 0.7, 0.6], reference)
    assert (found.difference, found.p, found.sign_flip_p) == (0, 1, 1)
    assert all(map(math.isnan, (found.low, found.high, found.bootstrap_low, found.bootstrap_high)))


@pytest.mark.parametrize("shift", [0.25, 0.01, -1 / 3])
def test_a_constant_difference_has_no_spread_to_test_by(shift: float) -> None:
    reference = np.array([0.93, 0.91, 0.88, 0.9])
    found = paired_difference(reference + shift, reference)  # equal but for rounding
    assert found.difference == pytest.approx(shift)
    assert math.isnan(found.p)
    assert math.isnan(found.low)
    assert math.isnan(found.bootstrap_high)
    assert found.sign_flip_p == 2 / 16


def test_two_scores_that_differ_in_one_seed_are_tested() -> None:
    found = paired_difference([0.9, 0.8, 0.85], [0.9, 0.8, 0.84])
    assert found.p == pytest.approx(1 - 1 / math.sqrt(3))  # t = 1 with 2 degrees of freedom
    assert found.sign_flip_p == 1


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        paired_difference([1.0, 2.0, 3.0], [1.0])


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1], 1), ([1, 2, 3], 2 / 8), ([3, 2, -1], 4 / 8), ([1, 2, -3], 1), ([1, 1, 1, 1, 1, 1], 2 / 64), ([0, 0], 1)],
)
def test_sign_flips_by_hand(differences: list[float], p: float) -> None:
    assert sign_flip_p(differences) == p


@quick
@given(st.lists(st.integers(-5, 5).map(lambda value: value / 10), min_size=1, max_size=7))
def test_sign_flips_by_enumeration(differences: list[float]) -> None:
    flips = [sum(s * round(10 * d) for s, d in zip(signs, differences, strict=True)) for signs in signs_of(differences)]
    observed = abs(sum(round(10 * d) for d in differences))
    assert sign_flip_p(differences) == np.mean([abs(flip) >= observed for flip in flips])


def signs_of(differences: list[float]) -> itertools.product:
    return itertools.product([1, -1], repeat=len(differences))


def test_sign_flips_are_enumerated_up_to_a_number() -> None:
    assert sign_flip_p(np.ones(MOST_FLIPPED)) == 2.0 ** (1 - MOST_FLIPPED)
    assert math.isnan(sign_flip_p(np.ones(MOST_FLIPPED + 1)))
    assert math.isnan(sign_flip_p([]))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_what_was_not_tested_is_no_part_of_the_family() -> None:
    assert holm([NAN, 0.02, NAN, 0.04]).tolist() == pytest.approx([NAN, 0.04, NAN, 0.04], nan_ok=True)
    assert np.isnan(holm([NAN])).all()


families = arrays(float, st.integers(1, 5), elements=st.floats(0, 1))


@quick
@given(families)
def test_holm_is_the_closed_test_of_bonferroni(p: np.ndarray) -> None:
    indices = range(len(p))
    subsets = [s for size in indices for s in itertools.combinations(indices, size + 1)]
    slow = [max(min(1, len(s) * p[list(s)].min()) for s in subsets if index in s) for index in indices]
    assert holm(p).tolist() == pytest.approx(slow)


@quick
@given(families, st.randoms())
def test_holm_keeps_the_order_lies_between_p_and_bonferroni_and_follows_permutations(p: np.ndarray, random) -> None:
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(1, len(p) * p) + 1e-15).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
    order = random.sample(range(len(p)), len(p))
    assert holm(p[order]).tolist() == corrected[order].tolist()
