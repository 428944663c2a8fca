"""results/README.md, the generated auxiliary tasks on CIFAR-10 and CIFAR-100."""

from collections.abc import Iterable
from itertools import combinations
from statistics import fmean

import pandas as pd
import pytest

from baselines.maxl import MAXL
from benchmark import datasets, suites
from benchmark.explanations import labels
from benchmark.findings.runs import RESULTS
from benchmark.models.convnet import FOUR_NARROW
from benchmark.pages.facts import facts_of
from benchmark.published import FOLDER
from benchmark.record import Record
from benchmark.suites._small_cifar import SmallCIFAR
from benchmark.suites.cifar10 import CIFAR10
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
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
TABLE, BETWEEN, CORRECTED = (f"{name}/cifar10-convnet" for name in ("reference", "rates", "corrected"))
SETTING = "5%"
METHODS = ("stl", "maxl-f", "auxilearn")
ALL = (*METHODS, "maxl")


def machines(records: Iterable[Record]) -> set[str]:
    """Return the kinds of machine of runs."""
    return {str(record.environment["device"]) for record in records}


def are_between(folder: str) -> bool:
    """Return whether the methods of the table were searched there over rates between those of the grid alone."""
    low, high = sorted(SmallCIFAR.grid["lr"])
    tried = {name: values(searches(folder, name), "lr") for name in METHODS}
    return all(len(rates) == 2 and all(low < float(str(each)) < high for each in rates) for rates in tried.values())


def again(suite: str) -> list[labels.Labels]:
    """Return AuxiLearn's final runs of a suite as they were trained once more."""
    rows = labels.read(RESULTS / labels.FILE)
    return [row for row in rows if (row.suite, row.method) == (suite, "auxilearn")]


def again_scores(suite: str) -> Scores:
    return {row.seed: 100 * row.top1 for row in again(suite)}


def test_what_was_cut() -> None:
    (epochs,) = {record.spec.epochs for record in finals(TABLE)}
    network = f"a network of {SPELLED[len(FOUR_NARROW)]} convolutional layers, {epochs} epochs and a small grid"
    assert network in CIFAR_10
    assert f"(VGG-16, {CIFAR10.epochs} epochs)" in CIFAR_10
    assert {record.spec.method for record in finals(TABLE)} == set(METHODS)
    larger = grid_size("cifar10-convnet", "maxl") / grid_size("cifar10-convnet", "maxl-f")
    assert all(len(values(searches(BETWEEN, "maxl"), name)) == 1 for name in MAXL.search_space)
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


def test_rates_between_those_of_the_grid() -> None:
    high, low = sorted(SmallCIFAR.grid["lr"], reverse=True)
    assert high == pytest.approx(10 * low)
    factor = f"the grid has {SPELLED[len(SmallCIFAR.grid['lr'])]} rates a factor of {SPELLED[round(high / low)]} apart"
    assert f"{factor}. So all were given rates between them" in CIFAR_10
    assert all(record.epochs[-1]["weight"][0] > 1 for record in finals(TABLE, "auxilearn"))
    assert "AuxiLearn also learns a weight of the main loss" in CIFAR_10
    assert are_between(BETWEEN)
    assert {record.spec.method for record in finals(BETWEEN)} == set(ALL)
    assert len(searches(CORRECTED)) == grid_size("cifar10-convnet", "auxilearn")
    assert "and AuxiLearn in mode `corrected` the grid" in CIFAR_10


def test_with_rates_between_an_untrained_generator_is_as_good() -> None:
    learnt = scores(finals(TABLE, "auxilearn"))
    rows = [(folder, name) for folder in (TABLE, BETWEEN) for name in ("stl", "maxl-f")]
    rows += [(BETWEEN, "maxl"), (BETWEEN, "auxilearn"), (CORRECTED, "auxilearn")]
    found = less({row: scores(finals(*row)) for row in rows}, learnt)
    assert found[BETWEEN, "stl"].significant
    assert found[BETWEEN, "stl"].points < 0
    assert not found[BETWEEN, "maxl-f"].significant
    better = "AuxiLearn with the grid's rate is significantly better than the single task with rates between, too"
    assert f"{better}, but not than `maxl-f` with them" in CIFAR_10
    assert "whose labels are those of a generator that was never trained" in CIFAR_10


def test_auxilearn_trained_again_beside_the_runs_of_that_kind_of_machine() -> None:
    rows = [(BETWEEN, "maxl"), (BETWEEN, "auxilearn"), (CORRECTED, "auxilearn")]
    retrained = {row.device for row in again("cifar10-convnet")}
    assert all(machines(finals(*row)) == retrained for row in rows)
    others = [(folder, name) for folder in (TABLE, BETWEEN) for name in METHODS]
    assert all(machines(finals(*row)).isdisjoint(retrained) for row in others if row not in rows)
    assert "The table's runs are of two kinds of machine." in CIFAR_10
    assert f"trained again (below) on that of the last {SPELLED[len(rows)]} rows" in CIFAR_10
    maxl, wider, corrected = (
        differences({row: (again_scores("cifar10-convnet"), scores(finals(*row))) for row in rows})[row] for row in rows
    )
    above = f"are {maxl.points:.2f} points above `maxl`, {wider.points:.2f} above AuxiLearn with rates between and"
    p_values = f"(p = {maxl.p:.3f}, {wider.p:.3f} and {corrected.p:.3f}, corrected for the {SPELLED[len(rows)]})"
    assert f"{above} {corrected.points:.2f} above its mode `corrected` {p_values}" in CIFAR_10


def test_rates_between_are_not_seen_to_help_auxilearn() -> None:
    (chosen,) = {rate(record) for record in finals(BETWEEN, "auxilearn")}
    best: dict[float, float] = {}
    for record in searches(BETWEEN, "auxilearn"):
        best[rate(record)] = max(best.get(rate(record), 0), record.selected["validation"]["top1"])
    (other,) = best.keys() - {chosen}
    images = facts_of("cifar10-convnet").sizes[SETTING].validation
    ahead = round(images * (best[chosen] - best[other]))
    preferred = f"of which validation preferred {chosen} to {other} by {ahead} of {images:,} images"
    assert f"So the rates between, {preferred}, are not seen to help AuxiLearn" in CIFAR_10
    assert mean(scores(finals(BETWEEN, "auxilearn"))) < mean(scores(finals(TABLE, "auxilearn")))
    assert values(finals(CORRECTED), "mode") == {"corrected"}
    ends = [record.epochs[-1]["weight"][0] for record in finals(CORRECTED)]
    assert f"in mode `corrected` the weight of the main loss ends at {min(ends):.1f} to {max(ends):.1f}" in CIFAR_10
    first = max(record.finished for record in finals(TABLE, "auxilearn"))
    later = min(record.finished for record in finals(BETWEEN, "auxilearn"))
    assert all(
        first < record.finished < later for name in ("stl", "maxl-f", "maxl") for record in finals(BETWEEN, name)
    )
    known = "These rates were chosen after AuxiLearn's first result was known, and AuxiLearn had them after the others'"
    assert f"{known} results were." in CIFAR_10


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


def test_on_cifar_100_a_rate_between_gives_as_much() -> None:
    table, between = "reference/cifar100-convnet", "rates/cifar100-convnet"
    found = less_one(scores_by_method(table, SETTING), "maxl-f")["auxilearn"]
    assert found.significant
    assert found.points > 0
    folders = [(table, "stl"), (table, "maxl-f"), *((between, name) for name in ALL)]
    folders += [("same-rates/cifar100-convnet", "maxl-f"), ("corrected/cifar100-convnet", "auxilearn")]
    rows = {row: scores(finals(*row)) for row in folders}
    assert not any(each.significant for each in less(rows, scores(finals(table, "auxilearn"))).values())
    own = scores_by_method(table, SETTING)
    three = {(one, other): (own[one], own[other]) for one, other in combinations(METHODS, 2)}
    assert not any(each.significant for each in differences(three).values())
    pairs = (
        f"corrected for the {SPELLED[len(three)]} pairs of this table, or for the {SPELLED[len(rows)]} rows of the next"
    )
    here = "Here AuxiLearn is significantly better than `maxl-f` of the two comparisons of a column"
    assert f"{here}; {pairs}, it is not." in CIFAR_100
    assert all(record.epochs[-1]["weight"][0] > 1 for record in finals(table, "auxilearn"))
    assert "Its weight of the main loss again makes its steps longer." in CIFAR_100
    assert are_between(between)
    assert values(finals("same-rates/cifar100-convnet", "maxl-f"), "lr") == values(finals(table, "auxilearn"), "lr")
    assert "With rates between those of the grid, and for `maxl-f` also the rate that AuxiLearn has" in CIFAR_100


def test_on_cifar_100_no_two_methods_can_be_told_apart() -> None:
    table, between = "reference/cifar100-convnet", "rates/cifar100-convnet"
    found = scores_by_method(between, SETTING)
    assert set(found) == set(ALL)
    assert not any(each.significant for name in ALL for each in less_one(found, name).values())
    (lr,), (_,) = values(finals(between), "lr"), machines(finals(between))
    low, high = min(map(mean, found.values())), max(map(mean, found.values()))
    same = f"all {SPELLED[len(ALL)]} methods have {lr}, on one kind of machine, and means from {low:.2f} to {high:.2f}"
    assert f"With rates between, {same}: three runs cannot tell any two of them apart" in CIFAR_100
    pairs = [one for name in ALL for one in less_one(found, name).values()]
    widest = max(abs(end) for pair in pairs for end in (pair.low, pair.high))
    equal = f"nor show that they are equal, for the 95 % intervals of their differences reach {widest:.1f} points"
    assert equal in CIFAR_100
    assert {len(each) for each in found.values()} == {3}
    retrained = again_scores("cifar100-convnet")
    for learnt in (scores(finals(table, "auxilearn")), retrained):
        assert not any(each.significant for each in less(found, learnt).values())
    assert machines(finals(between)) == {row.device for row in again("cifar100-convnet")}
    higher = mean(retrained) - mean(scores(finals(table, "auxilearn")))
    assert abs(higher - 0.5) < 0.05
    nor = "Nor can AuxiLearn with the grid's rate be told from them, neither its runs in the table nor those"
    machine = "on their kind of machine (below), whose mean is half a point above the table's"
    assert f"{nor} trained again {machine}." in CIFAR_100


def test_in_mode_corrected_steps_stay_shorter() -> None:
    table, between, corrected = (f"{name}/cifar100-convnet" for name in ("reference", "rates", "corrected"))
    assert values(finals(corrected), "mode") == {"corrected"}
    assert len(searches(corrected)) == grid_size("cifar100-convnet", "auxilearn")
    assert "and AuxiLearn in mode `corrected` with the grid" in CIFAR_100
    ends, published = (
        fmean(record.epochs[-1]["weight"][0] for record in finals(folder, "auxilearn")) for folder in (corrected, table)
    )
    assert ends < published
    assert f"the weight of the main loss ends at {ends:.1f} on average" in CIFAR_100
    best = [record.selected["validation"]["top1"] for record in searches(corrected)]
    assert best.count(max(best)) > 1
    assert best.count(max(best)) == 2
    assert "In mode `corrected` two points of the search tie, and the first of them was taken" in CIFAR_100
    single = {folder: scores(finals(folder, "stl")) for folder in (table, between)}
    low, high = map(mean, single.values())
    assert low < mean(scores(finals(corrected))) < high
    assert not any(each.significant for each in less(single, scores(finals(corrected))).values())
    between_them = "its mean, between those of the single task with the grid's rates and with rates between"
    assert f"{between_them}, differs from neither significantly" in CIFAR_100
