"""results/README.md, combiners on digits that are never trained."""

from statistics import fmean

import pytest

from benchmark import suites
from benchmark.findings.regressions import ILLUSTRATIVE, NOISY
from benchmark.findings.untrained import IDENTITY, NEVER, PUBLISHED, form_of
from benchmark.record import Record
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import Scores, differences, finals, mean, scores, steps, values
from tests.benchmark.prose.solvers import LINEAR, NONLINEAR, SETTINGS

SAID = section("Does the inverse Hessian help?")
FOLDER = "untrained/digits"
METHODS = (LINEAR, "auxilearn-deep-linear", NONLINEAR)


def runs(setting: str, method: str, form: str) -> list[Record]:
    """Return the final runs of one form of a method."""
    return [record for record in finals(FOLDER, method, setting) if form_of(record) == form]


def test_no_gain_is_seen_by_what_a_combiner_learns() -> None:
    pairs: dict[tuple[str, ...], tuple[Scores, Scores]] = {}
    for setting in SETTINGS:
        for method in METHODS:
            never = scores(runs(setting, method, NEVER))
            for form in (PUBLISHED, IDENTITY):
                pairs[setting, method, form] = scores(runs(setting, method, form)), never
    assert not any(each.significant for each in differences(pairs).values())
    (outer_every,) = {int(str(each)) for each in values(finals(FOLDER), "outer_every")}
    (number,) = {-(-steps(suites.load("digits"), setting, holds_out=True) // outer_every) for setting in SETTINGS}
    assert f"No gain is seen by what a combiner learns in the {number} outer steps of a run" in SAID
    assert "combiners that are never trained at all do no worse there" in SAID


def test_they_start_at_about_one() -> None:
    for setting in SETTINGS:
        for method in METHODS:
            found = [weight for record in runs(setting, method, NEVER) for weight in record.epochs[0]["weight"]]
            if method == NONLINEAR:
                assert fmean(found) == pytest.approx(1, abs=0.1)
            else:
                assert found == pytest.approx([1] * len(found))
    assert "what it starts with, weights of one, or of about one on average for the nonlinear combiner" in SAID


def test_they_give_what_auxilearn_has_over_the_single_task() -> None:
    ahead = []
    for setting in SETTINGS:
        single = mean(scores(finals("reference/digits", "stl", setting)))
        ahead += [mean(scores(runs(setting, method, NEVER))) - single for method in METHODS]
    low, high = (SPELLED[round(each)] for each in (min(ahead), max(ahead)))
    assert f"These give AuxiLearn what it has over the single task on digits, {low} to {high} points" in SAID


def test_learnt_weights_do_tell_tasks_apart_elsewhere() -> None:
    learnt = [record.epochs[-1]["weight"] for record in finals(f"reference/{ILLUSTRATIVE.name}", LINEAR)]
    assert fmean(helpful > harmful for _, helpful, harmful in learnt) > 0.75
    for folder in ("rates/illustrative",):
        deeper = [record.epochs[-1]["weight"] for record in finals(folder)]
        assert fmean(helpful > harmful for _, helpful, harmful in deeper) > 0.75
    noisy = [record.epochs[-1]["weight"][1:] for record in finals(f"reference/{NOISY.name}", LINEAR)]
    assert all(min(found[:10]) > max(found[-10:]) for found in noisy)
    assert "learnt weights do tell helpful from harmful in most runs, and noisy from less noisy" in SAID
