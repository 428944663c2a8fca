"""results/README.md, coarse classes with all epochs of the suite."""

from benchmark import suites
from benchmark.findings.rankings import COARSE_FULL, COARSE_GRIDS
from benchmark.findings.runs import RESULTS
from tests.benchmark.helpers import ROOT
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Scores,
    differences,
    finals,
    less_one,
    mean,
    order,
    rate,
    scores_by_method,
    searches,
)

SAID = section("CIFAR-100: with all epochs")
FULL, SHORT = (folder.relative_to(RESULTS).as_posix() for folder in (COARSE_FULL, COARSE_GRIDS))
SETTING, BEST = "5-shot", "scalarization"
COMBINERS = LINEAR, NONLINEAR = "auxilearn-linear", "auxilearn-nonlinear"


def by_full() -> dict[str, Scores]:
    """Return the scores with all epochs."""
    return scores_by_method(FULL, SETTING)


def by_short() -> dict[str, Scores]:
    """Return the scores of the same methods with half of them."""
    found = scores_by_method(SHORT, SETTING)
    return {name: found[name] for name in by_full()}


def test_what_was_run() -> None:
    assert by_full().keys() == scores_by_method(SHORT, SETTING).keys()
    assert f"All {SPELLED[len(by_full())]} methods that were searched with all of them" in SAID
    epochs = suites.load("cifar100-coarse").epochs
    assert {len(record.epochs) for record in finals(FULL)} == {epochs}
    assert {2 * len(record.epochs) for record in finals(SHORT)} == {epochs}
    assert "The sections above have half of the suite's epochs" in SAID
    assert {rate(record, "weight_decay") for record in (*finals(FULL), *finals(SHORT))} == {0.0005}
    rates = {name: {rate(record) for record in searches(FULL, name)} for name in by_full()}
    assert {name for name, found in rates.items() if found != {rate(r) for r in searches(SHORT, name)}} == {*COMBINERS}
    (weight,) = {rate(record, "auxiliary_weight") for record in finals(FULL, BEST)}
    assert f"the constant with its weight of {weight:g}" in SAID
    for name, own in {"famo": "gamma", "gradnorm": "alpha"}.items():
        assert {rate(r, own) for r in searches(FULL, name)} == {rate(r, own) for r in finals(SHORT, name)}
    assert "`famo` and `gradnorm` with the values of their own that the shorter runs chose" in SAID
    for name in COMBINERS:
        assert {rate(r, "auxiliary_lr") for r in (*searches(FULL, name), *finals(SHORT, name))} == {0.001}
    assert "AuxiLearn's combiners with the rate of the outer step that these chose" in SAID


def test_the_rate_that_was_left_out_was_the_worst() -> None:
    for name in COMBINERS:
        tried = [record for record in searches(SHORT, name) if rate(record, "auxiliary_lr") == 0.001]
        worst = min(tried, key=lambda record: record.selected["validation"]["top1"])
        assert rate(worst) == max(map(rate, tried))
        assert {rate(record) for record in searches(FULL, name)} == {rate(record) for record in tried} - {rate(worst)}
        assert f"without the network's largest rate, the worst of the {SPELLED[len(tried)]} there for both" in SAID


def test_the_ranking_and_the_rates_are_the_same() -> None:
    full, short = by_full(), by_short()
    assert order(full) == order(short)
    assert f"The ranking of the {SPELLED[len(full)]} is the same" in SAID
    chosen = {name: [{rate(r) for r in finals(folder, name)} for folder in (FULL, SHORT)] for name in full}
    ((name, ((now,), (before,))),) = ((name, rates) for name, rates in chosen.items() if rates[0] != rates[1])
    assert f"all rates are chosen as before but for `{name}`'s, {now:g} instead of {before:g}" in SAID


def test_every_mean_is_higher() -> None:
    full, short = by_full(), by_short()
    changes = differences({name: (own, short[name]) for name, own in full.items()})
    assert all(each.points > 0 for each in changes.values())
    assert max(changes, key=lambda name: changes[name].points) == BEST
    assert changes[BEST].significant
    by_most = f"the constant's by most, {changes[BEST].points:.1f} points, significantly"
    assert f"With all epochs every mean is higher, {by_most}" in SAID


def test_advantages_over_the_single_task() -> None:
    full, short = by_full(), by_short()
    now, then = (mean(of[BEST]) - mean(of["stl"]) for of in (full, short))
    pairs = {
        name: tuple({seed: of[name][seed] - of["stl"][seed] for seed in of[name]} for of in (full, short))
        for name in full
        if name != "stl"
    }
    growth = differences({name: (after, before) for name, (after, before) in pairs.items()})[BEST]
    assert growth.points > 0
    assert not growth.significant
    seeds = SPELLED[len(full[BEST])]
    grown = f"{now:.1f} points after {then:.1f}, though the growth is not significant on {seeds} seeds"
    assert f"So is its advantage over the single task, {grown}" in SAID
    under_best = less_one(full, BEST)
    assert all(each.significant and each.points < 0 for each in under_best.values())
    others = SPELLED[len(under_best)]
    assert f"The constant is significantly better than each of the other {others}, corrected for them" in SAID
    under_before, (_, next_best, *_) = less_one(short, BEST), order(full)
    assert not under_before[next_best].significant
    behind = f"{-under_before[next_best].points:.1f} points behind it after ten epochs and not significantly"
    told = f"`{next_best}`, the next best, which was {behind}, is {-under_best[next_best].points:.1f} points behind"
    assert told in SAID
    others = ("uncertainty", *COMBINERS)
    over_one, under_equal = less_one(full, "stl"), less_one(full, "equal")
    assert not any(over_one[name].significant for name in ("equal", *others))
    assert not any(under_equal[name].significant or under_equal[name].points > 0 for name in others)
    *first, last = (f"{over_one[name].points:.1f}" for name in ("equal", *others))
    points = f"{', '.join(first)} and {last} points above the single task, none significantly"
    who = "Equal weights, uncertainty weighting and AuxiLearn's linear and nonlinear combiner"
    below = f"none of the last {SPELLED[len(others)]} is significantly below equal weights"
    assert f"{who} are {points}, and {below}" in SAID


def test_machines() -> None:
    own = {name: {record.environment["device"] for record in finals(FULL, name)} for name in by_full()}
    later = {"famo", "gradnorm", "uncertainty", NONLINEAR}
    (one,), (other,) = (set.union(*(own[name] for name in own if (name in later) == new)) for new in (True, False))
    assert one != other
    who = "`famo`, `gradnorm`, `uncertainty` and the nonlinear combiner"
    assert f"{who} have their long runs from a machine of another kind" in SAID


def test_many_are_still_not_done() -> None:
    found = finals(FULL)
    last = sum(record.selected["epoch"] == len(record.epochs) for record in found)
    assert f"{last} of the {len(found)} runs still have their best epoch last" in SAID


def test_elsewhere() -> None:
    number = SPELLED[len(by_full())]
    assert f"10 epochs instead of the suite's 20 (all for {number} of the methods)" in section(
        "CIFAR-100: coarse classes as auxiliary task"
    )
    assert f"half of the suite's epochs, but for {number} methods with five labels a class" in section("Not measured")
    assert order(by_full())[0] == BEST
    assert f"It is the best of them again with all twenty epochs, which {number} of the methods had" in section(
        "Auxiliary learning, compared fairly", ROOT / "README.md"
    )
