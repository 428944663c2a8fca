"""results/README.md, coarse classes as auxiliary task and what controls cost."""

from baselines.auxilearn_linear import AuxiLearnLinear
from baselines.scalarization import Scalarization
from benchmark import datasets
from benchmark.controls import is_control
from benchmark.figures.weights import mean_share
from benchmark.findings.coarse import STATIC, UNSTEADY, ratio_of
from benchmark.findings.runs import listed
from benchmark.suites.cifar100_coarse import CIFAR100Coarse
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    differences,
    finals,
    less_one,
    mean,
    scores,
    scores_by_method,
    searches,
    spearman,
    values,
)

SAID = section("CIFAR-100: coarse classes as auxiliary task")
COST = section("CIFAR-100: what controls cost")
FOLDER, WITHOUT = "reference/cifar100-coarse", "without-controls/cifar100-coarse"
FEW, MORE = CIFAR100Coarse.settings


def test_the_question() -> None:
    content = datasets.load("cifar100").content
    assert content is not None
    classes, coarse = len(content.names["label"]), len(content.names["coarse"])
    assert classes == 100
    assert f"a few labels of each of the hundred classes, the {SPELLED[coarse]} coarse classes" in SAID
    (controls,) = {record.spec.controls for record in finals(FOLDER)}
    assert f"the {SPELLED[len(controls)]} controls, tasks of a hundred classes that say nothing of the image" in SAID


def test_what_was_cut() -> None:
    runs = [*finals(FOLDER), *searches(FOLDER)]
    (epochs,), (lr,) = {record.spec.epochs for record in runs}, values(runs, "lr")
    assert f"{epochs} epochs instead of the suite's {CIFAR100Coarse.epochs}" in SAID
    assert len(CIFAR100Coarse.grid["lr"]) > 1
    assert f"one learning rate of the optimiser ({lr}) instead of its grid" in SAID
    tried = {name: {record.spec.hyper for record in searches(FOLDER, name)} for name in scores_by_method(FOLDER, FEW)}
    searched = {name: len(found) for name, found in tried.items() if found}
    constants = len(Scalarization.search_space["auxiliary_weight"])
    assert searched.pop(STATIC) == constants
    assert set(searched) == {name for name in tried if name.startswith("auxilearn")}
    rates = set(AuxiLearnLinear.search_space["auxiliary_lr"])
    assert all(values(searches(FOLDER, name), "auxiliary_lr") == rates for name in searched)
    assert set(searched.values()) == {len(rates)} == {2}
    assert all(len({record.spec.hyper for record in finals(FOLDER, name)}) == 1 for name in tried)
    but_for = f"but for static weights (all {SPELLED[constants]} of their grid) and AuxiLearn's rate (both)"
    assert f"one value of each method's own hyper-parameters {but_for}" in SAID


def test_half_of_the_runs_end_with_their_best_epoch() -> None:
    runs = finals(FOLDER)
    last = sum(record.selected["epoch"] == record.spec.epochs for record in runs)
    assert abs(last / len(runs) - 0.5) < 0.02
    assert "Half of the runs have their best epoch last" in SAID


def test_accuracy_goes_with_the_weight_of_the_coarse_classes() -> None:
    for setting in (FEW, MORE):
        found = scores_by_method(FOLDER, setting)
        ratios = [sum(map(ratio_of, own)) / len(own) for own in (finals(FOLDER, name, setting) for name in found)]
        assert spearman(ratios, [mean(each) for each in found.values()]) > 0.7
        unsteady = finals(FOLDER, UNSTEADY, setting)
        in_order = sorted(unsteady, key=ratio_of)
        assert in_order == sorted(unsteady, key=lambda record: record.test["top1"])
    assert "Accuracy goes with this ratio, between methods and between the runs of the nonlinear combiner." in SAID


def test_a_constant_has_the_best_mean() -> None:
    for setting in (FEW, MORE):
        found = scores_by_method(FOLDER, setting)
        assert max(found, key=lambda name: mean(found[name])) == STATIC
        runs = finals(FOLDER, STATIC, setting)
        assert values(runs, "auxiliary_weight") == {max(Scalarization.search_space["auxiliary_weight"])}
        share = mean_share(runs, is_control)
        assert share is not None
        assert abs(share - 2 / 3) < 0.02
    assert "The best mean of all, with both numbers of labels, is that of a constant: static weights" in SAID
    chosen = "for which the search took the largest value of its grid"
    assert f"{chosen}, and whose controls have two thirds of the weight" in SAID


def test_who_is_worse_than_the_constant() -> None:
    tests = {setting: less_one(scores_by_method(FOLDER, setting), STATIC) for setting in (FEW, MORE)}
    worse = [name for name, each in tests[FEW].items() if each.significant and each.points < 0]
    assert abs(len(worse) / len(tests[FEW]) - 0.5) < 0.05
    assert not any(each.significant for each in tests[MORE].values())
    words = [SPELLED[int(setting.removesuffix("-shot"))] for setting in (FEW, MORE)]
    half = f"With {words[0]} labels half of the methods are significantly worse than it"
    assert f"{half}, with {words[1]} none" in SAID
    assert not any(found[name].significant for found in tests.values() for name in ("ol-aux", "famo"))
    assert "from `ol-aux` and `famo` it does not differ significantly with either" in SAID


def test_what_controls_cost() -> None:
    without = scores_by_method(WITHOUT, FEW)
    assert f"For {SPELLED[len(without)]} of the methods" in COST
    pairs = differences({name: (found, scores(finals(FOLDER, name, FEW))) for name, found in without.items()})
    shares = {name: mean_share(finals(FOLDER, name, FEW), is_control) or 0.0 for name in without}
    wasteful = sorted((name for name, share in shares.items() if share > 0.5), key=lambda name: -pairs[name].points)
    assert {round(pairs[name].points) for name in wasteful} == {1, 2}
    named = f"Without controls {listed(wasteful)}"
    means = "which leave most of their weight to them, have means that are higher by a point or two"
    assert f"{named}, {means}" in COST
    seeds = {record.spec.seed for record in finals(WITHOUT)}
    assert not any(each.significant for each in pairs.values())
    assert f"though not significantly on {SPELLED[len(seeds)]} seeds" in COST
    assert all(pairs[name].points <= 0 for name in without if name not in wasteful)
    assert "the others lose nothing by the controls" in COST
