"""results/README.md, whether the protocol changes the ranking of methods on digits."""

from collections.abc import Collection, Sequence
from functools import cache
from itertools import combinations
from statistics import fmean
from typing import Any

from scipy import stats

from benchmark.findings.rankings import BUDGETS, GRIDS, WIDER
from benchmark.findings.runs import RESULTS, listed, paired
from benchmark.record import Record
from benchmark.statistics import ALPHA
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import Scores, differences, finals, grid_size, mean, rate, scores, searches

SAID = section("Does the protocol change the ranking?")
SETTING = "5-shot"
GRID, BUDGET, WIDE = (path.relative_to(RESULTS).as_posix() for path in (GRIDS, BUDGETS, WIDER))


@cache
def final_seeds() -> frozenset[int]:
    """Return the seeds of the final runs by equal budgets."""
    return frozenset(record.spec.seed for record in finals(BUDGET))


@cache
def methods() -> list[str]:
    """Return the methods."""
    return sorted({record.spec.method for record in finals(GRID, setting=SETTING)})


@cache
def draws() -> list[int]:
    """Return the seeds by which trials were drawn."""
    return sorted({record.spec.search.seed for record in searches(BUDGET) if record.spec.search})


def of_draw(runs: Sequence[Record], draw: int) -> list[Record]:
    """Return the runs of one draw of the trials."""
    return [record for record in runs if record.spec.search and record.spec.search.seed == draw]


@cache
def by_grids(seeds: Collection[int]) -> dict[str, Scores]:
    """Return the scores of all methods by the suite's grids, of some seeds."""
    found = {name: scores(finals(GRID, name, SETTING)) for name in methods()}
    return {name: {seed: own[seed] for seed in seeds} for name, own in found.items()}


@cache
def by_draw(draw: int) -> dict[str, Scores]:
    """Return the scores of all methods by one draw of the trials."""
    return {name: scores(of_draw(finals(BUDGET, name, SETTING), draw)) for name in methods()}


def averaged() -> dict[str, Scores]:
    """Return the scores by equal budgets, averaged over the draws."""
    return {
        name: {seed: fmean(by_draw(draw)[name][seed] for draw in draws()) for seed in final_seeds()}
        for name in methods()
    }


def tau(one: dict[str, Scores], other: dict[str, Scores]) -> float:
    """Return how far two rankings agree: Kendall's tau."""
    means = ([round(mean(found[name]), 9) for name in methods()] for found in (one, other))
    found: Any = stats.kendalltau(*means)
    return found.statistic


def changes(others: dict[str, Scores]) -> set[str]:
    """Return the methods whose accuracy differs significantly from that by grids."""
    grids = by_grids(frozenset(others[methods()[0]]))
    found = differences({name: (others[name], grids[name]) for name in methods()})
    return {name for name, each in found.items() if each.significant}


def at_the_end(folder: str, runs: Sequence[Record]) -> list[bool]:
    """Return for each method whether its final runs have the largest rate that was searched in a folder."""
    largest = {name: max(rate(record) for record in searches(folder, name, SETTING)) for name in methods()}
    chosen = {record.spec.method: rate(record) for record in runs}
    return [chosen[name] == largest[name] for name in methods()]


def test_what_was_compared() -> None:
    sizes = {name: grid_size("digits", name) for name in methods()}
    assert len(set(sizes.values())) > 1
    assert "the paper's protocol, where methods have grids of different sizes" in SAID
    (trials,) = {len(of_draw(searches(BUDGET, name, SETTING), draw)) for name in methods() for draw in draws()}
    assert {sizes[name] for name in methods() if name.startswith("auxilearn")} == {trials}
    as_many = f"{SPELLED[trials]} random trials for every method, as many as AuxiLearn's own grid has"
    assert f"{as_many}, drawn {SPELLED[len(draws())]} times" in SAID
    for name in methods():
        rates = [rate(record) for record in searches(GRID, name, SETTING)]
        assert all(min(rates) <= rate(record) <= max(rates) for record in searches(BUDGET, name, SETTING))
    drawn = {name: searches(folder, "scalarization", SETTING) for name, folder in (("grid", GRID), ("budget", BUDGET))}
    apart = {name: {len(set(record.epochs[0]["weight"][1:])) for record in runs} for name, runs in drawn.items()}
    assert apart["grid"] == {1}
    assert min(apart["budget"]) > 1
    assert "random trials draw from the ranges that the grids span, static weights one weight a task" in SAID


def test_rankings_agree_as_far_as_chance_lets_them() -> None:
    grids = by_grids(final_seeds())
    across = [tau(grids, by_draw(draw)) for draw in draws()]
    among = [tau(by_draw(one), by_draw(other)) for one, other in combinations(draws(), 2)]
    assert max(across) < min(among)
    assert "The ranking by grids agrees with each draw less than any two draws agree with each other" in SAID
    number = SPELLED[len(draws()) + 1]
    chance = f"one of {number} rankings has to agree least, and by chance it is that of the grids one time in {number}"
    assert chance in SAID
    seeds = {record.spec.seed for record in finals(GRID)}
    halves = [tuple(sorted(seeds.difference(half))) for half in combinations(sorted(seeds), len(final_seeds()))]
    finals_alone = [
        tau(by_grids(half), by_grids(tuple(sorted(seeds.difference(half))))) for half in halves if min(seeds) in half
    ]
    assert abs(fmean(finals_alone) - fmean(among)) < 0.1
    assert "other final runs shuffle the methods about as much as another draw does" in SAID
    runs = SPELLED[len(final_seeds())]
    assert f"A ranking by one search and {runs} runs is to be read with that in mind" in SAID
    assert f"{SPELLED[len(draws())]} draws cannot show whether the ranking changes" in SAID


def test_equal_budgets_end_lower() -> None:
    here, there = (
        {seed: fmean(found[name][seed] for name in methods()) for seed in final_seeds()}
        for found in (by_grids(final_seeds()), averaged())
    )
    change = paired(there, here)
    assert change.p < ALPHA
    assert change.difference < 0
    assert "equal budgets end lower in the mean over the methods" in SAID
    assert "but they do show that the accuracy does" in SAID


def test_random_trials_seldom_come_near_the_largest_rate() -> None:
    grid = {rate(record) for record in searches(GRID, "stl", SETTING)}
    near = fmean(rate(record) > 0.75 * max(grid) for record in searches(BUDGET))
    assert near < 1 / 8 < 1 / len(grid)
    assert fmean(at_the_end(GRID, finals(GRID, setting=SETTING))) > 0.9
    assert "random trials seldom come near the largest rate, at which nearly all grids end" in SAID


def test_no_single_change_is_significant() -> None:
    assert not changes(averaged())
    first = changes(by_draw(draws()[0]))
    single = "No single method's change is significant once the draws are averaged"
    assert f"{single}; with the first draw alone {SPELLED[len(first)]} was ({listed(sorted(first))})" in SAID


def test_a_wider_grid_changes_hardly_anything() -> None:
    known = {rate(record) for record in searches(GRID, setting=SETTING)}
    added = sorted({rate(record) for record in searches(WIDE)} - known)
    assert min(added) > max(known)
    assert fmean(at_the_end(GRID, finals(GRID, setting=SETTING))) > 0.9
    assert "By grids nearly all methods end at the edge, the largest learning rate" in SAID
    assert not any(at_the_end(WIDE, finals(WIDE)))
    assert f"with {added[0]:g} and {added[1]:g} added none ends at the largest any more" in SAID
    wide = {name: scores(finals(WIDE, name)) for name in methods()}
    rates = [
        {record.spec.method: rate(record) for record in finals(folder, setting=SETTING)} for folder in (GRID, WIDE)
    ]
    same = [name for name in methods() if rates[0][name] == rates[1][name]]
    assert len(methods()) / 2 < len(same) < len(methods())
    assert all(wide[name] == by_grids(frozenset(wide[name]))[name] for name in same)
    assert "most end at the rate that they had, with the same final runs" in SAID
    assert not changes(wide)
    assert "no method's accuracy changes significantly" in SAID
