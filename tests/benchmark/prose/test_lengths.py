"""results/README.md, the inverse Hessian on digits with hypergradients of one length, and with the same rates."""

import math
from collections import Counter
from statistics import fmean, median

import pytest

from benchmark import suites
from benchmark.findings.curvature import IDENTITY, solver_of
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import finals, hyper, mean, rate, scores, searches, values
from tests.benchmark.prose.solvers import KEYS, LINEAR, NONLINEAR, gains, lengths, measured, solvers

SAID = section("Does the inverse Hessian help?")
LENGTHS, SAME = "equal-lengths/digits", "same-rates/digits"
RATES = ("auxiliary_lr", "lr", "weight_decay")


@pytest.mark.parametrize(("setting", "method"), KEYS)
def test_lengths_differ_a_thousandfold(setting: str, method: str) -> None:
    found = lengths(solvers(setting, method))
    assert max(found.values()) > 1000 * min(found.values())
    assert "Lengths differ a thousandfold and more between solvers" in SAID


def test_what_was_done_about_it() -> None:
    runs = [*finals(LENGTHS), *searches(LENGTHS)]
    clipped = [fmean(measured(own, "clipped")) for key in KEYS for own in solvers(*key, LENGTHS).values()]
    assert min(clipped) > 0.95
    assert "Here all hypergradients are clipped to a length below nearly all of them" in SAID
    (length,) = {rate(record, "clip_norm") for record in runs}
    rates = sorted(rate(record, "auxiliary_lr") for record in {each.spec.hyper: each for each in runs}.values())
    low, high = f"{length * rates[0]:.4f}", f"{length * rates[-1]:g}"
    assert f"{SPELLED[len(set(rates))]} rates give steps of {low} to {high} before momentum" in SAID
    assert {rate(record, "auxiliary_weight_decay") for record in runs} == {0}
    assert "without the combiner's weight decay" in SAID


def test_whom_the_gain_is_over() -> None:
    better = [(key, name) for key in KEYS for name, each in gains(*key, LENGTHS).items() if each.significant]
    assert better == [(("10-shot", NONLINEAR), "nystrom 10")]
    assert "Nyström's gain for the nonlinear combiner with ten labels a class" in SAID
    plain = solvers("10-shot", NONLINEAR, LENGTHS)[IDENTITY]
    assert values(plain, "auxiliary_lr") == {max(rate(each, "auxiliary_lr") for each in searches(LENGTHS))}
    data = suites.load("digits").data("10-shot", 1)
    assert f"by {len(data.validation)} images that validate, took the largest rate" in SAID
    first, last = (
        median(measured(plain, "hypergradient_norm", since=at, until=at)) for at in (1, plain[0].spec.epochs)
    )
    assert last > 1000 * first
    assert "its hypergradient grows by orders of magnitude there" in SAID
    means = [
        mean(scores(own)) for method in (LINEAR, NONLINEAR) for own in solvers("10-shot", method, LENGTHS).values()
    ]
    assert mean(scores(plain)) == min(means)
    assert "its mean is the lowest of the setting" in SAID


@pytest.mark.parametrize("name", RATES)
def test_the_same_rates_are_those_that_searches_took_most_often(name: str) -> None:
    taken = {(record.spec.setting, record.spec.method, solver_of(record)): record for record in finals(LENGTHS)}
    often = Counter(rate(record, name) for record in taken.values()).most_common(1)
    assert {rate(record, name) for record in finals(SAME)} == {often[0][0]}
    assert not searches(SAME)
    assert "once more without a search" in SAID
    assert "that weight decay of the network which the searches took most often, each by itself" in SAID


def test_with_lengths_and_rates_the_same() -> None:
    found = [each for key in KEYS for each in gains(*key, SAME).values()]
    assert not any(each.significant for each in found)
    assert "On digits that holds with hypergradients of one length and the same rates too" in SAID
    farthest = math.ceil(10 * max(max(abs(each.low), abs(each.high)) for each in found)) / 10
    cosines = [fmean(measured(own, "cosine_to_identity")) for key in KEYS for own in solvers(*key, SAME).values()]
    ends = f"all intervals end within {farthest:.1f} points of zero"
    assert f"{ends}, and mean cosines to the identity's direction go down to {min(cosines):.2f}" in SAID
    assert {hyper(record)["clip_norm"] for record in finals(SAME)} == values(finals(LENGTHS), "clip_norm")
