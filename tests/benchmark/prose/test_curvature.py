"""results/README.md, the inverse Hessian on digits, each solver with its own search."""

from collections.abc import Sequence
from statistics import fmean, median

import pytest

from benchmark.findings.curvature import IDENTITY, by_solver
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import finals, mean, rate, scores, searches, values
from tests.benchmark.prose.solvers import DIGITS, KEYS, LINEAR, NONLINEAR, SETTINGS, gains, measured, solvers

SAID = section("Does the inverse Hessian help?")
PAPER = "neumann 3 (mode paper)"
WEAKLY, STRONGLY = "cg 50, damping 3", "cg 50, damping 10"
SOLVED = 1e-3
"""Residual below which a system is solved."""


def largest(row: dict[str, Sequence[float]]) -> float:
    """Return the largest weight of an epoch."""
    return max(map(abs, row["weight"]))


def test_what_was_compared() -> None:
    runs = finals(DIGITS)
    terms = {record.spec.hyper: rate(record, "terms") for record in by_solver(runs)[PAPER]}
    (number,) = set(terms.values())
    assert f"the published form (mode `paper`, {SPELLED[int(number)]} terms) beside them" in SAID
    tried = by_solver(searches(DIGITS))
    assert tried.keys() == by_solver(runs).keys()
    for setting, method in KEYS:
        for found in tried.values():
            own = {each.spec.hyper for each in found if (each.spec.setting, each.spec.method) == (setting, method)}
            assert len(own) > 1
    assert "Each has its own search." in SAID


@pytest.mark.parametrize("folder", [DIGITS, "curvature/mnist", "curvature/cifar100-coarse"])
def test_no_gain_is_significant(folder: str) -> None:
    keys = {(record.spec.setting, record.spec.method) for record in finals(folder)}
    found = [each for key in keys for each in gains(*key, folder).values()]
    assert not any(each.significant and each.points > 0 for each in found)
    assert "none of the three shows a significant gain" in SAID


@pytest.mark.parametrize(("setting", "method"), KEYS)
def test_residuals(setting: str, method: str) -> None:
    found = solvers(setting, method)
    for name in ("neumann 3", "neumann 10"):
        assert f"it is {fmean(measured(found[name], 'residual')):.1f} for the Neumann series" in SAID
    assert fmean(measured(found["cg 10"], "residual")) > 10
    assert min(measured(found["cg 10"], "stopped")) == 1
    stop = "which meet negative curvature and stop in every outer step"
    assert f"above 10 for conjugate gradients, {stop}" in SAID
    columns = found["nystrom 10"]
    assert fmean(measured(columns, "residual")) > 10
    (terms,), (damping,) = values(columns, "terms"), values(columns, "damping")
    assert f"for Nyström's {SPELLED[int(str(terms))]} columns with a damping of {damping}" in SAID


@pytest.mark.parametrize(("setting", "method"), KEYS)
def test_the_published_series_is_the_gradient_again(setting: str, method: str) -> None:
    found = solvers(setting, method)
    paper = found[PAPER]
    assert fmean(measured(paper, "residual")) == pytest.approx(1, abs=0.005)
    assert fmean(measured(paper, "cosine_to_identity")) > 0.9995
    assert "Near 1 it says that each of the J + 1 terms of the series is the gradient again" in SAID
    (terms,) = values(paper, "terms")
    long, short = (fmean(measured(own, "hypergradient_norm", until=1)) for own in (paper, found[IDENTITY]))
    assert long / short == pytest.approx(int(str(terms)) + 1, rel=0.2)
    assert "the direction is that of the identity, J + 1 times as long" in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_with_damping_systems_are_solved(setting: str) -> None:
    linear, nonlinear = solvers(setting, LINEAR), solvers(setting, NONLINEAR)
    stopped: list[float] = []
    for found in (linear, nonlinear):
        assert max(measured(found[WEAKLY], "stopped", since=9)) == 0
        assert max(measured(found[WEAKLY], "residual", since=9)) < SOLVED
        assert fmean(measured(found[WEAKLY], "residual", until=8)) > 0.1
        stopped += [fmean(measured(found[WEAKLY], "stopped", since=at, until=at)) for at in (1, 2, 3)]
        assert fmean(measured(found[WEAKLY], "cosine_to_identity")) < 0.92
    assert min(stopped) > 0.5 if setting == "5-shot" else max(stopped) == pytest.approx(0.5, abs=0.05)
    where = "in the first three most steps stop with five labels a class, and up to half with ten"
    rest = f"in all but the first eight epochs (where the mean residual comes from; {where})"
    assert f"With 3 they do for both combiners, {rest}" in SAID
    assert "the direction differs from the identity's" in SAID
    assert max(measured(linear[STRONGLY], "residual")) < SOLVED
    assert max(measured(linear[STRONGLY], "stopped")) == 0
    assert "with 10, for the linear combiner in every step, to a residual of 0" in SAID
    assert fmean(measured(linear[STRONGLY], "cosine_to_identity")) > 0.98
    assert "the direction is almost the identity's" in SAID
    solved = [gains(setting, LINEAR)[WEAKLY], gains(setting, NONLINEAR)[WEAKLY], gains(setting, LINEAR)[STRONGLY]]
    assert all(not each.significant and abs(each.points) < 0.25 for each in solved)
    assert "The accuracy is the identity's in all of these." in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_solutions_with_strong_damping_are_short(setting: str) -> None:
    found = solvers(setting, LINEAR)
    short, whole = (median(measured(found[name], "hypergradient_norm")) for name in (STRONGLY, IDENTITY))
    assert short <= whole / 10
    assert "The solution with 10 is a tenth of the gradient or less" in SAID
    tried = {name: values(own, "auxiliary_lr") for name, own in by_solver(searches(DIGITS, LINEAR, setting)).items()}
    assert {float(str(each)) for each in tried[STRONGLY]} == {10 * float(str(each)) for each in tried[WEAKLY]}
    assert tried[WEAKLY] == tried[IDENTITY]
    assert "rates ten times as large were searched; those of 3 are the suite's" in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_strong_damping_is_too_fast_for_the_nonlinear_combiner(setting: str) -> None:
    runs = solvers(setting, NONLINEAR)[STRONGLY]
    assert median(max(map(largest, record.epochs)) for record in runs) > 1000
    assert "its weights grow by orders of magnitude" in SAID
    doubled = [
        row["diagnostics"]["stopped"]
        for record in runs
        for before, row in zip(record.epochs, record.epochs[1:], strict=False)
        if largest(row) > max(10.0, 2 * largest(before))
    ]
    assert fmean(doubled) > 0.9
    assert "the steps in which they do so stop at negative curvature again" in SAID
    others = [scores(own) for method in (LINEAR, NONLINEAR) for own in solvers(setting, method).values()]
    assert mean(scores(runs)) == min(map(mean, others))
    assert not gains(setting, NONLINEAR)[STRONGLY].significant
    assert "its means are the lowest of each setting, though not significantly" in SAID
