"""results/README.md, coarse classes with a search of the learning rate, and by equal budgets."""

from statistics import fmean

from benchmark.findings.rankings import COARSE, COARSE_BUDGETS, COARSE_GRIDS, COARSE_LOWER
from benchmark.findings.runs import RESULTS, listed, paired
from benchmark.statistics import ALPHA
from benchmark.suites.cifar100_coarse import CIFAR100Coarse
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Scores,
    differences,
    finals,
    grid_size,
    less_one,
    mean,
    order,
    rate,
    scores_by_method,
    searches,
)

SAID = section("CIFAR-100: with a search of the learning rate")
PROTOCOL = section("Does the protocol change the ranking?")
SINGLE, GRIDS, BUDGETS, LOWER = (
    folder.relative_to(RESULTS).as_posix() for folder in (COARSE, COARSE_GRIDS, COARSE_BUDGETS, COARSE_LOWER)
)
SETTING = "5-shot"
BEST = "scalarization"


def by_grids() -> dict[str, Scores]:
    """Return the scores of the methods whose rate was searched."""
    return scores_by_method(GRIDS, SETTING)


def by_one_rate() -> dict[str, Scores]:
    """Return the scores of the same methods with a single rate."""
    found = scores_by_method(SINGLE, SETTING)
    return {name: found[name] for name in by_grids()}


def rates() -> dict[str, float]:
    """Return the rate that validation chose for each method."""
    return {record.spec.method: rate(record) for record in finals(GRIDS)}


def gains() -> dict[str, float]:
    """Return how many points each method's mean gains by the search."""
    grids, single = by_grids(), by_one_rate()
    return {name: mean(own) - mean(single[name]) for name, own in grids.items()}


def test_what_was_searched() -> None:
    (one,) = {rate(record) for record in finals(SINGLE)}
    elsewhere = ("static-weights", "without-controls")
    assert {rate(record) for folder in elsewhere for record in finals(f"{folder}/cifar100-coarse")} == {one}
    assert f"The three sections above have one learning rate, {one}." in SAID
    tried = {rate(record) for record in searches(GRIDS)}
    assert tried == set(CIFAR100Coarse.grid["lr"])
    (_,) = {rate(record, "weight_decay") for record in searches(GRIDS)}
    names = by_grids()
    decays = len(CIFAR100Coarse.grid["weight_decay"])
    assert all(decays * len(searches(GRIDS, name)) == grid_size("cifar100-coarse", name) for name in names)
    methods = f"{SPELLED[len(names)].capitalize()} of the methods with the {SPELLED[len(tried)]} rates of the suite"
    assert f"{methods} and all values of their own hyper-parameters, one weight decay, and five labels a class" in SAID
    assert {record.spec.setting for record in finals(GRIDS)} == {SETTING}


def test_seven_keep_their_order() -> None:
    single, grids = order(by_one_rate()), order(by_grids())
    (moved,) = [name for name in grids if without(single, name) == without(grids, name)]
    assert moved == "auxilearn-nonlinear"
    assert f"{SPELLED[len(grids) - 1].capitalize()} of the {SPELLED[len(grids)]} keep their order" in SAID
    assert (single.index(moved) + 1, grids.index(moved) + 1) == (4, 7)
    assert hypers(GRIDS, moved) == hypers(SINGLE, moved)
    falls = "the nonlinear combiner falls from the fourth place to the seventh, with the hyper-parameters that it had"
    assert falls in SAID
    assert grids[0] == BEST
    (weight,) = {rate(record, "auxiliary_weight") for record in finals(GRIDS, BEST)}
    assert rates()[BEST] == rate(finals(SINGLE, BEST)[0])
    assert f"the constant of {weight:g} stays the best, with the rate that it had" in SAID


def without(names: list[str], name: str) -> list[str]:
    """Return all names but one."""
    return [other for other in names if other != name]


def hypers(folder: str, name: str) -> set[object]:
    """Return the hyper-parameters of a method's final runs."""
    return {record.spec.hyper for record in finals(folder, name, SETTING)}


def test_accuracy_rises() -> None:
    smallest = [name for name, chosen in rates().items() if chosen == min(rate(r) for r in searches(GRIDS))]
    number, methods = (SPELLED[len(found)] for found in (smallest, rates()))
    grids, single = by_grids(), by_one_rate()
    here, there = (
        {seed: fmean(found[name][seed] for name in found) for seed in found[BEST]} for found in (single, grids)
    )
    change = paired(there, here)
    assert change.p < ALPHA
    assert change.difference > 0
    pairs = {name: (grids[name], single[name]) for name in grids}
    assert not any(each.significant for each in differences(pairs).values())
    rises = "in the mean over the methods accuracy rises, though no single method's does significantly"
    assert f"{number.capitalize()} of {methods} take the smallest rate, and {rises}" in SAID


def test_the_single_task_gains_most() -> None:
    found, grids, single = gains(), by_grids(), by_one_rate()
    assert max(found, key=lambda name: found[name]) == "stl"
    most = "The mean of the single task gains most, so that every method's advantage over it is smaller"
    before, after = (mean(of[BEST]) - mean(of["stl"]) for of in (single, grids))
    points = f"the constant's by {SPELLED[round(before - after)]} points ({before:.1f} to {after:.1f})"
    advantages = {
        name: tuple(
            {seed: own[seed] - of["stl"][seed] for seed in own} for own, of in ((grids[name], grids), (one, single))
        )
        for name, one in single.items()
        if name != "stl"
    }
    changes = differences({name: (now, then) for name, (now, then) in advantages.items()})
    assert all(each.points < 0 and not each.significant for each in changes.values())
    seeds = SPELLED[len(grids["stl"])]
    assert f"{most}, {points}, none significantly on {seeds} seeds" in SAID
    seven = SPELLED[len(changes)]
    said = section("At a glance")
    assert f"makes the means of {seven} methods differ less from the single task's" in said


def test_what_the_machine_changes() -> None:
    devices, commits = (
        [{str(record.environment[name]) for record in finals(folder)} for folder in (SINGLE, GRIDS)]
        for name in ("device", "commit")
    )
    assert devices[0].isdisjoint(devices[1])
    assert commits[0] != commits[1]
    same = [name for name in by_grids() if hypers(GRIDS, name) == hypers(SINGLE, name)]
    assert set(same) == {BEST, "auxilearn-nonlinear"}
    apart = max(abs(found - by_one_rate()[name][seed]) for name in same for seed, found in by_grids()[name].items())
    runs = "single runs of the constant and the nonlinear combiner, which have the same hyper-parameters in both"
    assert f"{runs}, change by up to {apart:.1f} points" in SAID


def test_who_differs() -> None:
    against_one = less_one(by_grids(), "stl")
    not_better = {name for name, each in against_one.items() if not (each.significant and each.points > 0)}
    assert not_better == {"auxilearn-linear", "auxilearn-nonlinear"}
    better = "all but AuxiLearn's two combiners are significantly better than the single task"
    assert f"{better}, corrected for the {SPELLED[len(against_one)]}" in SAID
    against_best = less_one(by_grids(), BEST)
    assert {name for name, each in against_best.items() if not each.significant} == {"famo", "auxilearn-nonlinear"}
    assert all(each.points < 0 for each in against_best.values())
    assert "all but `famo` and the nonlinear combiner significantly worse than the constant" in SAID


def test_a_rate_below_the_grid() -> None:
    found = scores_by_method(LOWER, SETTING)
    (lower,) = {rate(record) for record in finals(LOWER)}
    assert lower < min(rate(record) for record in searches(GRIDS))
    (weight,) = {rate(record, "auxiliary_weight") for record in finals(LOWER, BEST)}
    assert f"{SPELLED[len(found)].capitalize()} of the methods with one below it" in SAID
    assert f"the constant with its weight of {weight:g}" in SAID
    grids = by_grids()
    changes = differences({name: (own, grids[name]) for name, own in found.items()})
    assert changes["stl"].points > 0
    assert not changes["stl"].significant
    assert "With it the single task's mean is higher still, though not significantly" in SAID
    assert changes[BEST].significant
    falls = f"the constant falls by {SPELLED[round(-changes[BEST].points)]} points, significantly"
    assert f"{falls}: it is better with larger rates, in {SPELLED[finals(LOWER)[0].spec.epochs]} epochs" in SAID
    best = {name: max(mean(found[name]), mean(grids[name])) for name in ("stl", BEST)}
    above = f"the constant is {best[BEST] - best['stl']:.1f} points above the single task"
    assert f"With the better of the two tables' rates for each, {above}" in SAID


def test_equal_budgets_rank_alike() -> None:
    budgets = scores_by_method(BUDGETS, SETTING)
    grids = {name: found for name, found in by_grids().items() if name in budgets}
    assert order(grids) == order(budgets)
    number = SPELLED[len(grids)]
    assert f"The ranking of these {number} is the same" in PROTOCOL
    runs = SPELLED[len(budgets[BEST])]
    assert f"on real images, in one draw and {runs} runs, both protocols rank {number} methods alike" in PROTOCOL
    here, there = (
        {seed: fmean(found[name][seed] for name in found) for seed in found[BEST]} for found in (grids, budgets)
    )
    change = paired(there, here)
    assert change.p < ALPHA
    assert change.difference < 0
    assert "the mean over them is lower, as on digits" in PROTOCOL
    *_, fourth, fifth, _ = (mean(grids[name]) for name in order(grids))
    luck = f"by grids the fourth and the fifth are {fourth - fifth:.2f} points apart"
    assert f"It is one draw and {runs} runs, and {luck}" in PROTOCOL
    (trials,) = {len(searches(BUDGETS, name)) for name in budgets}
    assert trials == len(searches(GRIDS, "auxilearn-linear"))
    as_many = f"with {SPELLED[trials]} random trials each, as many as AuxiLearn's own grid has points there"
    assert as_many in PROTOCOL


def test_what_random_trials_seldom_draw() -> None:
    budgets = scores_by_method(BUDGETS, SETTING)
    changes = {name: mean(found) - mean(by_grids()[name]) for name, found in budgets.items()}
    assert min(changes, key=lambda name: changes[name]) == BEST
    drawn = [str(dict(record.spec.hyper)["task_weights"]).split("/") for record in searches(BUDGETS, BEST)]
    largest = max(float(coarse) / float(fine) for fine, coarse, *_ in drawn)
    near = f"none of its trials has a weight near 20 for the coarse classes, the largest is {largest:.0f}"
    assert f"The constant loses most: {near}" in PROTOCOL
    smallest = min(rate(record) for record in searches(GRIDS))
    assert fmean(rate(record) < smallest / 0.75 for record in searches(BUDGETS)) < 1 / 8
    at_it = [name for name in budgets if rates()[name] == smallest]
    ended = f"the smallest rate, at which {SPELLED[len(at_it)]} of {SPELLED[len(budgets)]} grids end here"
    assert f"random trials seldom come near {ended}, does not explain all of it" in PROTOCOL
    spared = [name for name in at_it if changes[name] >= 0]
    assert f"{listed(spared)}, which end there too, lose nothing" in PROTOCOL
