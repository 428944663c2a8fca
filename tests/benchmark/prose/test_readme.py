"""README.md, what it says of results in its own words."""

from pathlib import Path

import pytest

from baselines.scalarization import Scalarization
from benchmark import suites
from benchmark.findings.runs import RESULTS
from benchmark.planned import PLANS, read_plans
from benchmark.record import Store
from benchmark.report.paper import paper_tables
from benchmark.report.paper_summary import summary
from benchmark.report.reading import Found
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import newest, read
from benchmark.statistics import ALPHA, paired_difference
from tests.benchmark.helpers import ROOT
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.parts import share_of_weights
from tests.benchmark.prose.scores import (
    Scores,
    differences,
    finals,
    less_one,
    mean,
    rate,
    scores,
    scores_by_method,
    searches,
)

README = ROOT / "README.md"
FIRST = section("Auxiliary learning, compared fairly", README)
COSTS = section("What things cost", README)
DIGITS, COARSE = "reference/digits", "reference/cifar100-coarse"
SETTINGS = ("5-shot", "10-shot")


def by_default(setting: str) -> dict[str, Scores]:
    """Return the scores of the suite's default methods with its own number of seeds."""
    suite = suites.load("digits")
    runs = {name: finals(DIGITS, name, setting) for name in suite.default_methods}
    return {name: scores(r for r in own if r.spec.seed <= suite.final_seeds) for name, own in runs.items()}


@pytest.mark.parametrize("setting", SETTINGS)
def test_three_runs_show_little(setting: str) -> None:
    found = by_default(setting)
    number = SPELLED[len(found["stl"])]
    assert all(mean(own) > mean(found["stl"]) for name, own in found.items() if name != "stl")
    assert "The mean of every method is above that of the single task" in FIRST
    assert not any(each.significant for each in less_one(found, "stl").values())
    assert f"with {number} runs no difference from it is significant after Holm's correction" in FIRST
    everything = scores_by_method(DIGITS, setting)
    more = SPELLED[len(everything["stl"])]
    assert all(each.significant and each.points > 0 for each in less_one(everything, "stl").values())
    assert f"with {more} runs all are" in FIRST


def test_how_much_of_the_paper_is_measured() -> None:
    found = {}
    for folder in (RESULTS / "reference").iterdir():
        store = Store(folder)
        store.read()
        found[folder.name] = Found(store.records, read_plans(folder / PLANS))
    measured = {
        table.title: sum(line["measured"] for line in summary(table).to_dict("records"))
        for table in paper_tables(found, seed=0, results_dir=RESULTS, sample=False)
    }
    (number,) = {count for title, count in measured.items() if "preprint" in title}
    assert sum(measured.values()) == number
    told = f"None of the numbers in the paper's own tables has been measured yet, and of the first preprint's {number}"
    assert f"{told}, on MNIST: the suites of photographs and scenes wait" in FIRST


def test_most_differences_from_equal_weighting_are_within_their_errors() -> None:
    within = []
    for setting in SETTINGS:
        found = by_default(setting)
        for name, own in found.items():
            if name not in ("stl", "equal"):
                seeds = sorted(own)
                pair = paired_difference([own[seed] for seed in seeds], [found["equal"][seed] for seed in seeds])
                within.append(pair.p >= ALPHA)
    assert sum(within) > len(within) / 2
    assert "Most differences from equal weighting are within their errors." in FIRST


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_method_is_above_a_constant(setting: str) -> None:
    found = scores_by_method(COARSE, setting)
    assert max(found, key=lambda name: mean(found[name])) == "scalarization"
    (epochs,) = {record.spec.epochs for record in finals(COARSE)}
    cut = f"On CIFAR-100 with coarse classes, {SPELLED[epochs]} epochs and {SPELLED[len(found['stl'])]} runs"
    assert f"{cut}, no method has a higher mean than one constant weight of all auxiliary tasks" in FIRST
    number = SPELLED[len(Scalarization.search_space["auxiliary_weight"])]
    assert f"found by a search of {number} values (`scalarization`)" in FIRST


def test_learned_labels() -> None:
    ten, hundred = (f"rates/{name}-convnet" for name in ("cifar10", "cifar100"))
    (epochs,) = {run.spec.epochs for run in finals(ten) + finals(hundred)}
    (number,) = {len(scores(finals(folder, name))) for folder in (ten, hundred) for name in ("auxilearn", "maxl-f")}
    for folder in (ten, hundred):
        tried = {rate(run) for run in searches(folder)}
        assert (
            f"a small network, {epochs} epochs, {SPELLED[len(tried)]} learning rates and {SPELLED[number]} runs"
            in FIRST
        )
    ahead = less_one(scores_by_method(ten, "5%"), "auxilearn")["maxl-f"]
    assert ahead.significant
    assert ahead.points < 0
    assert "AuxiLearn is significantly better on CIFAR-10 than labels that were never trained" in FIRST
    assert 0.5 < share_of_weights() < 1
    assert "most of it by the weights of the losses that it learns beside the labels" in FIRST
    found = scores_by_method(hundred, "5%")
    assert not any(each.significant for name in found for each in less_one(found, name).values())
    assert "and on CIFAR-100 no two methods can be told apart." in FIRST


def test_harmful_tasks() -> None:
    said = section("What methods do to harmful tasks", README)
    number = SPELLED[len(scores(finals(DIGITS, "stl", "5-shot")))]
    assert f"The table has all methods, {number} final runs each." in said
    assert f"adds nothing here that {number} runs could show: they do as well if they are never trained" in said


def test_most_searches_end_at_the_largest_rate_and_going_further_changes_no_method() -> None:
    largest = max(float(str(lr)) for lr in suites.load("digits").grid["lr"])
    chosen = {(run.spec.setting, run.spec.method): rate(run) for run in finals(DIGITS)}
    assert sum(found == largest for found in chosen.values()) > len(chosen) / 2
    assert "Most of these searches end at the largest learning rate of their grid." in FIRST
    tried = max(rate(run) for run in searches("rates/digits", setting="5-shot"))
    assert f"goes on to {SPELLED[round(tried / largest)]} times that rate" in FIRST
    table, wider = (scores_by_method(f"{name}/digits", "5-shot") for name in ("reference", "rates"))
    assert set(wider) <= set(table)
    assert not any(
        each.significant for each in differences({name: (wider[name], table[name]) for name in wider}).values()
    )
    assert "changes no method significantly with 5 images" in FIRST


def test_channels_last_do_not_gain_everywhere() -> None:
    here, elsewhere = ({row.what: row for row in rows} for rows in machines(Path("speed/layout.csv")))
    (loses,) = [what for what, row in here.items() if row.value < 1]
    assert loses == "channels first to last, a step of cifar10"
    assert (round(here[loses].value, 1), round(elsewhere[loses].value, 2)) == (0.9, 1.05)
    assert all(row.value > 1 for row in elsewhere.values())
    assert set(here) == set(elsewhere)
    assert "VGG-16, that of `cifar10`, loses a tenth by it here and gained a twentieth on another processor" in COSTS
    assert "no other step or evaluation loses on either" in COSTS


def machines(file: Path) -> list[list[Measurement]]:
    """Return a file's measurements by machine, those of the one that measured last first."""
    found = read(RESULTS / file, Measurement)
    last = newest(found)
    return [last, [row for row in found if row not in last]]
