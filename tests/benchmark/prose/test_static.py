"""results/README.md, how far a constant gets on coarse classes."""

import re
from statistics import fmean

import pytest

from baselines.scalarization import Scalarization
from benchmark.controls import is_control
from benchmark.figures.weights import mean_share
from benchmark.findings import static
from benchmark.findings.held import known
from benchmark.record import Record
from benchmark.statistics import ALPHA
from benchmark.suites.cifar100_coarse import VALIDATION_SHARE, CIFAR100Coarse
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Scores,
    differences,
    finals,
    less,
    less_one,
    mean,
    rate,
    scores,
    scores_by_method,
    searches,
    values,
)

SAID = section("CIFAR-100: how far a constant gets")
METHODS, WEIGHTS = "reference/cifar100-coarse", "static-weights/cifar100-coarse"
SETTINGS = CIFAR100Coarse.settings
FEW, MORE = SETTINGS
SHOTS = {setting: int(setting.removesuffix("-shot")) for setting in SETTINGS}
LARGE = 20.0


def runs() -> list[Record]:
    """Return the runs with a weight that was asked for, and those of all methods."""
    return [*finals(WEIGHTS), *finals(METHODS)]


def constants(setting: str) -> dict[float, Scores]:
    """Return the scores that each constant weight of the auxiliary tasks gives."""
    return {weight: scores(found) for weight, found in static.by_weight(runs(), setting).items()}


def one_a_task(text: str, setting: str) -> Scores:
    """Return the scores that one weight a task gives."""
    found = finals(WEIGHTS, "scalarization", setting)
    return scores(record for record in found if dict(record.spec.hyper)["task_weights"] == text)


def images() -> tuple[int, int, int]:
    """Return how many images train and validate, and of how many classes they are."""
    (digest,) = {record.spec.data for record in runs()}
    held = known()[digest]["held"]
    ((whole, each),) = re.findall(r"^(\d+) of the \d+ training images, (\d+) of each class", held)
    classes, validate = int(whole) // int(each), round(VALIDATION_SHARE * int(each))
    return classes * (int(each) - validate), classes * validate, classes


def gap(setting: str) -> dict[str, float]:
    """Return how far below the line of constants with their ratio methods lie, in points."""
    line = {weight: fmean(found) for weight, found in static.constants(runs(), setting).items()}
    found = static.methods(runs(), setting)
    return {name: 100 * (static.at(line, ratio) - fmean(own)) for name, (ratio, own) in found.items()}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_constant_is_enough(setting: str) -> None:
    found = constants(setting)
    (gain,) = less({LARGE: found[LARGE]}, found[1.0]).values()
    assert f"From 1 to {LARGE:g} it gains about {SPELLED[round(gain.points)]} points with either number" in SAID
    corrected = less({weight: own for weight, own in found.items() if weight != 1}, found[1.0])[LARGE]
    assert corrected.significant == (setting == FEW)
    seeds = {record.spec.seed for record in runs()}
    words = f"{SPELLED[SHOTS[MORE]]} not significantly, on {SPELLED[len(seeds)]} seeds"
    assert f"(with {words})" in SAID
    larger = less({weight: own for weight, own in found.items() if weight > LARGE}, found[LARGE])
    assert not any(each.significant for each in larger.values())
    assert f"from there on neither gains nor loses anything that {SPELLED[len(seeds)]} runs could show" in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_method_gets_further(setting: str) -> None:
    means = {name: mean(found) for name, found in scores_by_method(METHODS, setting).items()}
    best = means.pop("scalarization")
    assert values(finals(METHODS, "scalarization", setting), "auxiliary_weight") == {LARGE}
    assert max(means.values()) < best
    assert f"No method has a higher mean than the constant of {LARGE:g} that the search found" in SAID
    low, *_, high = static.constants(runs(), setting)
    assert all(low <= ratio <= high for ratio, _ in static.methods(runs(), setting).values())
    assert min(gap(setting).values()) > 0
    above = "none lies above the line of constants with its ratio"
    assert f"{above}: what methods gain over equal weights here, a constant gives too, or more" in SAID


def test_how_many_methods_have_a_higher_mean_than_equal_weights() -> None:
    found = {setting: less_one(scores_by_method(METHODS, setting), "equal") for setting in SETTINGS}
    few, more = (sum(each.points > 0 for each in found[setting].values()) for setting in SETTINGS)
    number = f"{SPELLED[few]} of {len(found[FEW])} methods with {SPELLED[SHOTS[FEW]]} labels"
    assert f"have a lower mean than {number} and {SPELLED[more]} with {SPELLED[SHOTS[MORE]]}" in SAID
    better = {(name, key) for key, own in found.items() for name, each in own.items() if each.significant}
    ((name, setting),) = {each for each in better if found[each[1]][each[0]].points > 0}
    one = f"than one alone: `{name}`, with {SPELLED[SHOTS[setting]]}"
    assert f"though significantly, corrected for all of them, {one}" in SAID


def test_it_is_the_ratio_and_that_of_the_coarse_classes() -> None:
    pairs: dict[tuple[str, str], tuple[Scores, Scores]] = {}
    for setting in SETTINGS:
        for text in ("0.05/1/1/1", "1/20/1/1"):
            pairs[text, setting] = one_a_task(text, setting), constants(setting)[LARGE]
            fine, coarse, *_ = map(float, text.split("/"))
            assert coarse / fine == pytest.approx(LARGE)
    found = differences(pairs)
    assert all(found["1/20/1/1", setting].points >= 0 for setting in SETTINGS)
    assert "raised alone they give no less than with the controls" in SAID
    assert f"0.05/1/1/1 has the ratios of a constant of {LARGE:g} and the scale of equal weights" in SAID
    assert not any(each.significant for each in found.values())
    assert min(each.p for key, pair in pairs.items() for each in differences({key: pair}).values()) < ALPHA
    same = "all weights scaled down give the same within what three runs can show"
    assert f"{same} (the smallest of the {SPELLED[len(found)]} p-values is not significant once corrected)" in SAID


def test_how_often_labels_count() -> None:
    pool, validate, classes = images()
    few, more = (classes * SHOTS[setting] for setting in SETTINGS)
    assert f"with {SPELLED[SHOTS[FEW]]} labels a class {few} of {pool:,} images" in SAID
    times = f"{pool / few:g} times the weight of a coarse one (with {SPELLED[SHOTS[MORE]]}, {pool / more:g} times)"
    assert f"give each fine label {times}" in SAID
    batch = (CIFAR100Coarse.batch_size or 0) * few / pool
    assert f"from a gradient of {SPELLED[int(batch)]} or {SPELLED[int(batch) + 1]} images a batch" in SAID
    assert pool / more < LARGE < pool / few
    assert f"a constant of about {LARGE:g} gives all labels the same" in SAID
    right = [validate * record.selected["validation"]["top1"] for record in runs()]
    assert right == pytest.approx([round(each) for each in right])
    assert validate == 3 * few == 1.5 * more
    most = f"three times as many labels as there are to learn from with {SPELLED[SHOTS[FEW]]} a class"
    assert f"{validate:,} images validate, {most}, and half as many again with {SPELLED[SHOTS[MORE]]}" in SAID


def test_what_is_left_of_the_main_task() -> None:
    largest = max(weight for weight in constants(FEW))
    share = 1 / (1 + 3 * largest)
    assert share < 0.01
    assert f"at {largest:g} the shared layers are trained by the auxiliary tasks nearly alone" in SAID


def test_what_is_left_open() -> None:
    names = scores_by_method(METHODS, FEW)
    tried = {name: {record.spec.hyper for record in searches(METHODS, name, FEW)} for name in names}
    number = len(tried.pop("scalarization"))
    assert number == len(Scalarization.search_space["auxiliary_weight"])
    assert {max(1, len(found)) for found in tried.values()} == {1, 2}
    assert f"Static weights searched {SPELLED[number]} values, the others one or two" in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_methods_that_leave_much_to_controls_lie_far_below(setting: str) -> None:
    shares = {name: mean_share(finals(METHODS, name, setting), is_control) or 0.0 for name in gap(setting)}
    far = {name for name, below in gap(setting).items() if below > 1.5 and shares[name] > 0.75}
    assert len(far) > 2
    first = max(shares, key=lambda name: shares[name])
    assert first == max(gap(setting), key=lambda name: gap(setting)[name])
    assert f"several that leave them much lie far below the line, `{first}` first" in SAID


@pytest.mark.parametrize("setting", SETTINGS)
def test_constants_of_at_most_one_seemed_no_better_than_equal_weights(setting: str) -> None:
    found = [record for record in searches(METHODS, "scalarization", setting) if rate(record, "auxiliary_weight") <= 1]
    best = max(found, key=lambda record: record.selected["validation"]["top1"])
    assert rate(best, "auxiliary_weight") == 1
    assert "no value above 1 here, and seemed no better than equal ones" in SAID


def test_regressions_take_the_smallest_constant() -> None:
    for suite in ("illustrative", "noisy-auxiliaries"):
        taken = {rate(record, "auxiliary_weight") for record in finals(f"reference/{suite}", "scalarization")}
        assert taken == {min(Scalarization.search_space["auxiliary_weight"])}
    assert "on the regressions the search takes the smallest weight that it may" in SAID
