"""results/README.md, its beginning, its data and the commands whose tables stand in the main README."""

import baselines
from benchmark import suites
from benchmark.findings.held import COMPLETE, known
from benchmark.findings.runs import RESULTS
from benchmark.statistics import ALPHA
from tests.benchmark.prose.page import PREFACE, SPELLED, section
from tests.benchmark.prose.scores import finals, grid_size, mean, scores_by_method, searches

GLANCE = section("At a glance")
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
    assert f"{tables}; in the others there are records alone" in said


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
