"""results/README.md, the generated auxiliary tasks on CIFAR-10 and CIFAR-100."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from statistics import fmean

import pandas as pd
import pytest

from baselines.maxl import MAXL
from benchmark import datasets, suites
from benchmark.models.convnet import FOUR_NARROW
from benchmark.published import FOLDER
from benchmark.record import Record
from benchmark.suites._small_cifar import SmallCIFAR
from benchmark.suites.cifar10 import CIFAR10
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Difference,
    Scores,
    differences,
    finals,
    grid_size,
    less,
    less_one,
    mean,
    rate,
    scores,
    scores_by_method,
    searches,
    values,
)

CIFAR_10 = section("CIFAR-10: a generated auxiliary task on a CPU")
CIFAR_100 = section("CIFAR-100: a generated auxiliary task on a CPU")
TABLE, FINER, CORRECTED = (f"{name}/cifar10-convnet" for name in ("reference", "rates", "corrected"))
HUNDRED = "cifar100-convnet"
SETTING = "5%"
METHODS = ("stl", "maxl-f", "auxilearn")
ALL = ("auxilearn", "maxl", "maxl-f", "stl")


def machines(records: Iterable[Record]) -> set[str]:
    """Return the kinds of machine of runs."""
    return {str(record.environment["device"]) for record in records}


def has_rates_between(folder: str) -> bool:
    """Return whether all methods were searched there over the rates of the grid and others between these."""
    own = set(SmallCIFAR.grid["lr"])
    tried = [{rate(record) for record in searches(folder, name)} for name in ALL]
    found = tried[0]
    return all(each == found for each in tried) and own < found and (min(found), max(found)) == (min(own), max(own))


def rows_of(finer: str, corrected: str) -> dict[str, Scores]:
    """Return the scores of the rows of a finer search's table."""
    return {name: scores(finals(finer, name)) for name in ALL} | {"corrected": scores(finals(corrected))}


def all_pairs(found: Mapping[str, Scores]) -> dict[tuple[str, str], Difference]:
    """Return how each differs from each, corrected for the number of pairs."""
    return differences({pair: (found[pair[0]], found[pair[1]]) for pair in combinations(found, 2)})


def test_what_was_cut() -> None:
    (epochs,) = {record.spec.epochs for record in finals(TABLE)}
    network = f"a network of {SPELLED[len(FOUR_NARROW)]} convolutional layers, {epochs} epochs and a small grid"
    assert network in CIFAR_10
    assert f"(VGG-16, {CIFAR10.epochs} epochs)" in CIFAR_10
    assert {record.spec.method for record in finals(TABLE)} == set(METHODS)
    larger = grid_size("cifar10-convnet", "maxl") / grid_size("cifar10-convnet", "maxl-f")
    assert all(len(values(searches(FINER, "maxl"), name)) == 1 for name in MAXL.search_space)
    one_value = "stands in the second table with one value of each of its own hyper-parameters"
    assert f"`maxl`, whose own grid is {larger:.0f} times as large, {one_value}" in CIFAR_10


@pytest.mark.parametrize("suite", ["cifar10-convnet", "cifar100-convnet"])
def test_searches_are_of_the_small_grid(suite: str) -> None:
    for name in METHODS:
        assert len(searches(f"reference/{suite}", name, SETTING)) == grid_size(suite, name)


def test_the_order_is_the_papers() -> None:
    found = scores_by_method(TABLE, SETTING)
    printed = pd.read_csv(FOLDER / "table3_learned_auxiliary.csv")
    rows = printed[(printed.suite == "cifar10") & (printed.setting == SETTING)]
    published = dict(zip(rows["method"], rows["mean"], strict=True))
    assert sorted(found, key=lambda name: mean(found[name])) == sorted(found, key=lambda name: published[name])
    assert all(each.significant for reference in METHODS for each in less_one(found, reference).values())
    assert f"The {SPELLED[len(found)]} stand in the paper's order, and significantly." in CIFAR_10


def test_rates_between_those_of_the_grid_and_more_runs() -> None:
    high, low = sorted(SmallCIFAR.grid["lr"], reverse=True)
    assert high == pytest.approx(10 * low)
    factor = f"the grid has {SPELLED[len(SmallCIFAR.grid['lr'])]} rates a factor of {SPELLED[round(high / low)]} apart"
    assert f"{factor}. So all were given rates between them, too" in CIFAR_10
    assert all(record.epochs[-1]["weight"][0] > 1 for record in finals(TABLE, "auxilearn"))
    assert "AuxiLearn also learns a weight of the main loss" in CIFAR_10
    assert has_rates_between(FINER)
    found = rows_of(FINER, CORRECTED)
    (number,) = {len(each) for each in found.values()}
    (_,) = machines([*finals(FINER), *finals(CORRECTED)])
    assert f"{SPELLED[number]} runs, on one kind of machine" in CIFAR_10
    assert len(searches(CORRECTED)) == grid_size("cifar10-convnet", "auxilearn")
    assert "and AuxiLearn in mode `corrected` the grid" in CIFAR_10


def test_learned_labels_are_better_than_those_of_an_untrained_generator() -> None:
    found = rows_of(FINER, CORRECTED)
    four = less_one(found, "auxilearn")
    pairs = all_pairs(found)
    ahead = pairs["auxilearn", "maxl-f"]
    assert ahead.significant
    assert four["maxl-f"].significant
    lead = f"by {ahead.points:.2f} points ({ahead.low:.2f} to {ahead.high:.2f}), which is significant among the"
    among = f"{SPELLED[len(four)]} comparisons of the table and among all {SPELLED[len(pairs)]} pairs of its rows"
    better = "So AuxiLearn is better than labels of a generator that was never trained"
    assert f"{better}: {lead} {among}." in CIFAR_10
    assert mean(found["maxl-f"]) < mean(found["maxl"]) < mean(found["auxilearn"])
    assert not pairs["maxl", "maxl-f"].significant
    assert not pairs["auxilearn", "maxl"].significant
    one_value = "`maxl`, which has one value of each of its own hyper-parameters, lies between"
    assert f"{one_value}, and can be told from neither." in CIFAR_10


def test_mode_corrected_and_the_rates_that_were_chosen() -> None:
    assert not all_pairs(rows_of(FINER, CORRECTED))["auxilearn", "corrected"].significant
    assert not less_one(rows_of(FINER, CORRECTED), "auxilearn")["corrected"].significant
    assert values(finals(CORRECTED), "mode") == {"corrected"}
    ends = [record.epochs[-1]["weight"][0] for record in finals(CORRECTED)]
    weight = f"in which the weight of the main loss ends at {min(ends):.1f} to {max(ends):.1f}"
    assert f"Nor can mode `corrected`, {weight}, be told from AuxiLearn's own." in CIFAR_10
    chosen = {name: {rate(record) for record in finals(FINER, name)} for name in ALL}
    (own,) = chosen.pop("auxilearn")
    (others,) = set[float]().union(*chosen.values())
    assert own == min(SmallCIFAR.grid["lr"])
    preferred = f"Validation gives the other {SPELLED[len(chosen)]} methods {others} and AuxiLearn {own}"
    assert f"{preferred}, the least rate there is" in CIFAR_10
    first = max(record.finished for record in finals(TABLE, "auxilearn"))
    assert all(first < record.finished for record in finals(FINER))
    points = {name: len(searches(FINER, name)) for name in ALL}
    number = SPELLED[points.pop("auxilearn")]
    (other,) = set(points.values())
    assert "The rates were chosen after AuxiLearn's first result was known" in CIFAR_10
    assert f"and its search has {number} points where the others' have {SPELLED[other]}." in CIFAR_10


def test_the_same_with_a_hundred_classes() -> None:
    content = datasets.load("cifar100").content
    assert content is not None
    assert len(content.names["label"]) == 100
    first, second = (suites.load(name) for name in ("cifar10-convnet", "cifar100-convnet"))
    assert first.grid == second.grid
    assert {record.spec.epochs for record in finals("reference/cifar100-convnet")} == {first.epochs}
    assert {record.spec.seed for record in finals("reference/cifar100-convnet")} == {
        record.spec.seed for record in finals(TABLE)
    }
    assert "The same with a hundred classes and the same cuts" in CIFAR_100


def test_on_cifar_100_one_of_two_comparisons_is_significant_and_none_of_three() -> None:
    own = scores_by_method(f"reference/{HUNDRED}", SETTING)
    found = less_one(own, "maxl-f")["auxilearn"]
    assert found.significant
    assert found.points > 0
    three = all_pairs(own)
    assert not any(each.significant for each in three.values())
    here = "Here AuxiLearn is significantly better than `maxl-f` when corrected for the two comparisons of a column"
    assert f"{here}; corrected for the {SPELLED[len(three)]} pairs of this table it is not." in CIFAR_100
    assert has_rates_between(f"rates/{HUNDRED}")
    rows = rows_of(f"rates/{HUNDRED}", f"corrected/{HUNDRED}")
    (number,) = {len(each) for each in rows.values()}
    (_,) = machines([*finals(f"rates/{HUNDRED}"), *finals(f"corrected/{HUNDRED}")])
    again = f"The same again with rates between those of the grid and {SPELLED[number]} runs on one kind of machine"
    assert f"{again}, and AuxiLearn in mode `corrected` with the grid" in CIFAR_100
    assert len(searches(f"corrected/{HUNDRED}")) == grid_size(HUNDRED, "auxilearn")


def test_on_cifar_100_no_two_methods_can_be_told_apart() -> None:
    found = scores_by_method(f"rates/{HUNDRED}", SETTING)
    assert set(found) == set(ALL)
    (number,) = {len(each) for each in found.values()}
    (lr,) = values(finals(f"rates/{HUNDRED}"), "lr")
    pairs = all_pairs(found)
    assert not any(each.significant for each in pairs.values())
    assert not any(each.significant for name in ALL for each in less_one(found, name).values())
    low, high = min(map(mean, found.values())), max(map(mean, found.values()))
    same = f"All {SPELLED[len(ALL)]} methods have {lr} now, and means from {low:.2f} to {high:.2f}"
    assert f"{same}: {SPELLED[number]} runs cannot tell any two of them apart" in CIFAR_100
    widest = max(abs(end) for pair in pairs.values() for end in (pair.low, pair.high))
    equal = f"nor show that they are equal, for the 95 % intervals of their differences reach {widest:.1f} points"
    assert equal in CIFAR_100
    ahead, on_ten = pairs["auxilearn", "maxl-f"], all_pairs(rows_of(FINER, CORRECTED))["auxilearn", "maxl-f"]
    assert on_ten.significant
    assert ahead.low < on_ten.points < ahead.high
    lead = f"AuxiLearn less `maxl-f` is {ahead.points:.2f} ({ahead.low:.2f} to {ahead.high:.2f})"
    assert f"What learned labels give on CIFAR-10 is not seen here, nor is it excluded: {lead}." in CIFAR_100


def test_on_cifar_100_mode_corrected() -> None:
    corrected = f"corrected/{HUNDRED}"
    assert values(finals(corrected), "mode") == {"corrected"}
    best = [record.selected["validation"]["top1"] for record in searches(corrected)]
    assert best.count(max(best)) == 2
    assert "In mode `corrected` two points of the search tie, and the first of them was taken" in CIFAR_100
    end = fmean(record.epochs[-1]["weight"][0] for record in finals(corrected))
    assert f"the weight of the main loss ends at {end:.1f} on average" in CIFAR_100
    found, own = scores_by_method(f"rates/{HUNDRED}", SETTING), scores(finals(corrected))
    assert mean(own) < min(map(mean, found.values()))
    assert {rate(record) for record in searches(corrected)} == set(SmallCIFAR.grid["lr"])
    assert not any(each.significant for each in less(found, own).values())
    none = f"differs from none of the {SPELLED[len(found)]} significantly"
    assert f"Its mean is the lowest, but it was not given the rates between, and {none}." in CIFAR_100
