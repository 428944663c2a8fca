"""results/README.md, coarse classes with all epochs of the suite."""

from itertools import pairwise

from benchmark import suites
from benchmark.controls import is_control
from benchmark.figures.weights import mean_share
from benchmark.findings.rankings import COARSE_FULL, COARSE_GRIDS
from benchmark.findings.runs import RESULTS
from benchmark.findings.static import constants_of
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Scores,
    differences,
    finals,
    less_one,
    mean,
    order,
    rate,
    scores,
    scores_by_method,
    searches,
)

SAID = section("CIFAR-100: with all epochs")
FULL, SHORT = (folder.relative_to(RESULTS).as_posix() for folder in (COARSE_FULL, COARSE_GRIDS))
CONSTANTS = "static-full-length/cifar100-coarse"
ALONE, ONE_RATE = "full-length-alone/cifar100-coarse", "reference/cifar100-coarse"
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
    number = SPELLED[len(by_full()) + len(scores_by_method(ALONE, SETTING))]
    assert f"10 epochs instead of the suite's 20 (all for {number} of the methods)" in section(
        "CIFAR-100: coarse classes as auxiliary task"
    )
    assert f"half of the suite's epochs, but for {number} methods with five labels a class" in section("Not measured")


def test_the_best_of_those_without_a_shorter_search() -> None:
    alone = scores_by_method(ALONE, SETTING)
    (name,) = alone
    rest = [each for each in order(scores_by_method(ONE_RATE, SETTING)) if each not in by_full()]
    assert rest[0] == name
    assert f"Of the methods without such a search `{name}` has the best mean with one rate" in SAID
    own = {rate(record, "beta") for record in finals(ONE_RATE, name, SETTING)}
    assert {rate(record, "beta") for record in (*searches(ALONE), *finals(ALONE))} == own
    assert {rate(record) for record in searches(ALONE)} == {rate(record) for record in searches(FULL, "equal")}
    assert "the same search of the rate, and the value of its own that it had there" in SAID
    found = {**by_full(), **alone}
    above, over_one = less_one(found, BEST)[name], less_one(found, "stl")[name]
    assert not above.significant
    assert over_one.significant
    lead = f"by {above.points:.2f} points ({above.low:.2f} to {above.high:.2f})"
    told = f"{lead}, which is not significant on {SPELLED[len(alone[name])]} seeds"
    assert f"Its mean is higher than the constant's, {told}" in SAID
    assert f"and {over_one.points:.1f} points above the single task's, which is" in SAID


def test_how_its_weights_grow() -> None:
    runs = finals(ALONE)
    ratios = [[row["weight"][1] / row["weight"][0] for row in record.epochs] for record in runs]
    assert all(later > earlier for own in ratios for earlier, later in pairwise(own))
    ends = [own[-1] for own in ratios]
    assert f"grows all along, to {min(ends):,.0f} to {max(ends):,.0f} times that of the fine ones" in SAID
    shares = [100 * (mean_share([record], is_control) or 0) for record in runs]
    constant = 100 * (mean_share(finals(FULL, BEST), is_control) or 0)
    left = f"leaves {min(shares):.0f} to {max(shares):.0f} % of all to the two controls"
    assert f"{left}, which the constant gives {constant:.0f} %" in SAID


def by_constant() -> dict[str, Scores]:
    """Return the scores of constants with all epochs, by their weights as commands give them."""
    known = {**constants_of(COARSE_FULL), **constants_of(RESULTS / CONSTANTS)}
    return {name: scores(r for r in found if r.spec.phase == "final") for name, found in known.items()}


def test_other_constants() -> None:
    found, learnt = by_constant(), scores_by_method(ALONE, SETTING)["ol-aux"]
    assert set(found) == {"20", "80", "320", "1/20/1/1"}
    from_first = less_one(found, "20")
    assert not any(each.significant for each in from_first.values())
    furthest = max(abs(each.points) for each in from_first.values())
    number = SPELLED[len(from_first)]
    told = f"the {number} are within {furthest:.1f} points of the constant of 20, none significantly apart from it"
    assert f"None does, as far as {SPELLED[len(learnt)]} runs tell: {told}" in SAID
    above = differences({name: (learnt, own) for name, own in found.items()})
    assert not any(each.significant for each in above.values())
    low, high = (pick(each.points for each in above.values()) for pick in (min, max))
    assert low > 0
    lead = f"{low:.1f} to {high:.1f} points above all {SPELLED[len(found)]}, significantly above none"
    assert f"the mean of `ol-aux` is {lead}" in SAID


def test_the_constant_that_raises_the_coarse_classes_alone() -> None:
    found, alone = by_constant(), "1/20/1/1"
    folder = RESULTS / "static-weights/cifar100-coarse"
    before = {
        name: scores(r for r in own if r.spec.phase == "final" and r.spec.setting == SETTING)
        for name, own in constants_of(folder).items()
    }
    before["20"] = scores(finals(ONE_RATE, BEST, SETTING))
    for each in (found, {name: before[name] for name in found}):
        assert max(each, key=lambda name: mean(each[name])) == alone
    assert min(before, key=lambda name: mean(before[name]) if name in found else 100) == "20"
    assert "had no lower mean than 20" in SAID
    now, then = (mean(each[alone]) - mean(each["20"]) for each in (found, before))
    assert f"has the best mean of them, as with ten epochs, but {now:.1f} instead of {then:.1f} points above 20" in SAID
    (own,) = {rate(r) for r in (*finals(FULL, BEST), *finals(CONSTANTS))}
    (theirs,) = {rate(r) for r in finals(ALONE)}
    assert f"All {SPELLED[len(found)]} chose the same rate, {own:g}, and `ol-aux` {theirs:g}" in SAID
    assert {len(r.epochs) for r in finals(CONSTANTS)} == {suites.load("cifar100-coarse").epochs}
    most = max(float(name) for name in found if "/" not in name)
    assert f"neither a constant of up to {most:g} nor one for the coarse classes alone has it" in SAID
