"""results/README.md, its beginning, its data and the commands whose tables stand in the main README."""

import pytest

import baselines
from benchmark import suites
from benchmark.controls import is_control
from benchmark.figures.weights import mean_share
from benchmark.findings.harm import HARMFUL
from benchmark.findings.held import COMPLETE, known
from benchmark.findings.runs import RESULTS
from benchmark.statistics import ALPHA
from tests.benchmark.helpers import ROOT
from tests.benchmark.prose.page import PAGE, PREFACE, SPELLED, section
from tests.benchmark.prose.scores import finals, grid_size, less_one, mean, scores_by_method, searches

GLANCE = section("At a glance")
GPU = PAGE.read_text(encoding="utf-8").partition("### On one H100")[2].replace("\n", " ")
MNIST, CIFAR_10 = "MNIST: a generated auxiliary task", "CIFAR-10: a generated auxiliary task on a CPU"
CIFAR_100 = "CIFAR-100: a generated auxiliary task on a CPU"
DIGITS, COARSE = "reference/digits", "reference/cifar100-coarse"


def numbers_of_runs(folder: str) -> set[int]:
    """Return how many final runs the methods of a folder have in a setting."""
    settings = {record.spec.setting for record in finals(folder)}
    return {len(found) for setting in settings for found in scores_by_method(folder, setting).values()}


def test_tables_lie_beside_the_records_of_one_folder_alone() -> None:
    said = section(PREFACE)
    folders = {path.parent.parent.name for path in RESULTS.glob("*/*/records.jsonl")}
    with_tables = {path.parent.parent.name for path in RESULTS.glob("*/*/table.*")}
    (name,) = with_tables
    assert {path.parent for path in RESULTS.glob(f"{name}/*/records.jsonl")} == {
        path.parent for path in RESULTS.glob(f"{name}/*/table.csv")
    }
    assert folders > with_tables
    command = f"`python -m benchmark.report --suite digits --results-dir results/{name} --output build` makes"
    tables = f"Folders below `{name}` have tables beside their records, which {command}"
    assert f"{tables}; in the others there are records and what commands asked for (`plans.jsonl`) alone" in said


def test_intervals_miss() -> None:
    assert f"one in {SPELLED[round(1 / ALPHA)]} is expected to miss the truth" in GLANCE
    assert "not corrected for their number" in GLANCE


def test_runs_of_the_picture() -> None:
    problem = suites.load("digits").problem("5-shot", 1)
    fit = {name for name in baselines.names() if baselines.load(name).declines(problem) is None}
    assert {record.spec.method for record in finals(DIGITS)} == fit
    for setting in ("5-shot", "10-shot"):
        for name in fit:
            assert len(searches(DIGITS, name, setting)) == grid_size("digits", name)
    (number,) = numbers_of_runs(DIGITS)
    assert f"Digits: all methods with their own grids, {SPELLED[number]} runs" in GLANCE
    (number,) = numbers_of_runs(COARSE)
    runs = finals(COARSE)
    (epochs,) = {record.spec.epochs for record in runs}
    (_,) = {dict(record.spec.hyper)["lr"] for record in runs}
    assert f"CIFAR-100: {SPELLED[epochs]} epochs at one learning rate, {SPELLED[number]} runs" in GLANCE
    assert {record.spec.method for record in runs} == fit


def test_a_constant_is_the_best_on_coarse_classes() -> None:
    for setting in ("5-shot", "10-shot"):
        means = {name: mean(found) for name, found in scores_by_method(COARSE, setting).items()}
        assert max(means, key=lambda name: means[name]) == "scalarization"
    assert "why `scalarization`, one constant, is the best there" in GLANCE


@pytest.mark.parametrize("setting", ["5-shot", "10-shot"])
def test_whether_auxiliary_tasks_help(setting: str) -> None:
    found = less_one(scores_by_method(DIGITS, setting), "stl")
    assert all(each.significant and each.points > 0 for each in found.values())
    assert "On digits all methods are significantly better than the single task" in GLANCE
    found = less_one(scores_by_method(COARSE, setting), "stl")
    better = [name for name, each in found.items() if each.significant and each.points > 0]
    (number,) = numbers_of_runs(COARSE)
    beside = f"On CIFAR-100, with {SPELLED[number]} runs, {SPELLED[len(better)]} of {len(found)} are with either number"
    assert beside in GLANCE


def test_all_means_but_one_are_higher() -> None:
    tables = [scores_by_method(COARSE, setting) for setting in ("5-shot", "10-shot")]
    lower = [name for found in tables for name, own in found.items() if mean(own) < mean(found["stl"])]
    assert len(lower) == 1
    assert "of labels, and all means but one are higher" in GLANCE


def test_which_method_is_the_best() -> None:
    better = [
        (name, setting)
        for setting in ("5-shot", "10-shot")
        for name, each in less_one(scores_by_method(DIGITS, setting), "rlw").items()
        if each.significant and each.points > 0
    ]
    assert better == [("auxinash", "10-shot")]
    one = "On digits one is significantly better than random weights (`auxinash`, with ten labels a class)"
    assert f"None stands out. {one}" in GLANCE
    folders = ("full-length/cifar100-coarse", "full-length-alone/cifar100-coarse")
    everything = {name: own for folder in folders for name, own in scores_by_method(folder, "5-shot").items()}
    found = less_one(everything, "scalarization")
    worse = [name for name, each in found.items() if each.significant and each.points < 0]
    higher = [name for name, each in found.items() if each.points > 0]
    assert sorted((*worse, *higher)) == sorted(found)
    assert higher == ["ol-aux"]
    assert not found["ol-aux"].significant
    above = f"it is significantly better than {SPELLED[len(worse)]}"
    assert f"with all epochs {above} methods, and one, `ol-aux`, has a higher mean, though not significantly" in GLANCE
    assert "On CIFAR-100 with ten epochs the best mean is that of one constant weight" in GLANCE
    told = f"which {SPELLED[len(everything)]} of the methods had, {above} of them, and one, `ol-aux`, has a higher mean"
    assert told in section("Auxiliary learning, compared fairly", ROOT / "README.md")


@pytest.mark.parametrize("setting", ["5-shot", "10-shot"])
@pytest.mark.parametrize("name", ["auxilearn-linear", "auxilearn-deep-linear", "auxilearn-nonlinear"])
def test_combiners_leave_harmful_tasks_about_what_equal_weights_do(name: str, setting: str) -> None:
    for folder, chosen in ((DIGITS, HARMFUL.__contains__), (COARSE, is_control)):
        own, equal = (mean_share(finals(folder, method, setting), chosen) for method in (name, "equal"))
        assert own is not None
        assert own == pytest.approx(equal, abs=0.06)
    assert "its combiners leave them about what equal weights do" in GLANCE


def test_the_harmful_regression_and_the_noisiest_are_silenced() -> None:
    for record in finals("reference/illustrative", "auxilearn-linear"):
        share = mean_share([record], lambda task: task == "harmful")
        assert share is not None
        assert share < 0.16
    for record in finals("reference/noisy-auxiliaries", "auxilearn-linear"):
        weights = record.epochs[-1]["weight"][1:]
        assert max(weights[-10:]) < 0.01 < min(weights[:10])
    assert "it does, or nearly: the harmful one of two, and the noisiest of a hundred" in GLANCE


def test_sections_say_what_the_beginning_does() -> None:
    assert "A significant gain is seen on none of three data sets" in GLANCE
    assert "none of the three shows a significant gain" in section("Does the inverse Hessian help?")
    assert "Not by more than chance does; but equal budgets end lower in the mean over the methods" in GLANCE
    protocol = section("Does the protocol change the ranking?")
    assert "three draws cannot show whether the ranking changes" in protocol
    assert "equal budgets end lower in the mean over the methods" in protocol
    assert "On MNIST no more than those of a generator that was never trained" in GLANCE
    assert "What is gained with 5 and 10 %, an untrained generator gains as well." in section(MNIST)
    assert "on CIFAR-100 no two methods can be told apart" in GLANCE
    assert "five runs cannot tell any two of them apart" in section(CIFAR_100)
    assert "on CIFAR-10 AuxiLearn is significantly better than these, by its weights more than by its labels" in GLANCE
    assert "AuxiLearn is better than labels of a generator that was never trained" in section(CIFAR_10)
    assert "Table 1 on one H100 more than the hour aimed at" in GLANCE
    assert "is what this suite aims at. It is not reached" in GPU
    assert "gradients of each of its 313 tasks, for `gradnorm`, take most of it" in GLANCE


def test_what_is_complete() -> None:
    said = section("The data")
    complete = {row["data set"]: row["held"].startswith(COMPLETE) for row in known().values()}
    assert complete["MNIST"]
    assert "MNIST is the complete release" in said
    assert not complete["CIFAR-10"]
    assert not complete["CIFAR-100"]
    assert "Of CIFAR-10 and CIFAR-100 a part lay on the machine" in said


def test_all_methods_on_digits() -> None:
    (number,) = numbers_of_runs(DIGITS)
    assert f"All methods, {SPELLED[number]} final runs each" in section("Digits: what methods do to harmful tasks")
