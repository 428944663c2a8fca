"""results/README.md, what AuxiLearn owes to the weights and to the labels that it learns."""

import pytest

from benchmark.explanations.parts import SUITES, best
from benchmark.pages.facts import facts_of
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.parts import SUITE, alone, scores_alone, share_of_weights, with_both, with_neither
from tests.benchmark.prose.scores import less, mean, rate, searches

SAID = section("CIFAR-10: a generated auxiliary task on a CPU")
OTHER = "cifar100-convnet"
BOTH, NEITHER = with_both(), with_neither()
WEIGHTS, LABELS = map(scores_alone, ("weights", "labels"))


@pytest.mark.parametrize("suite", SUITES)
def test_each_part_was_searched_over_the_same_rates_and_run_with_the_same_seeds(suite: str) -> None:
    tried = {rate(record) for record in searches(f"rates/{suite}", "auxilearn")}
    for part in ("weights", "labels"):
        assert {run.lr for run in alone(part, "search", suite)} == tried
        assert {run.lr for run in alone(part, "final", suite)} == {best(alone(part, "search", suite)).lr}
        assert set(scores_alone(part, suite)) == set(with_both(suite)) == set(with_neither(suite))
    assert f"each with a search of its own over the {SPELLED[len(tried)]} rates" in SAID


def test_most_of_the_lead_is_the_weights() -> None:
    above = less({"both": BOTH, "weights": WEIGHTS, "labels": LABELS}, NEITHER)
    below = less({"neither": NEITHER, "weights": WEIGHTS, "labels": LABELS}, BOTH)
    weights, labels, added = above["weights"], above["labels"], below["weights"]
    gain = f"{weights.points:.2f} points ({weights.low:.2f} to {weights.high:.2f})"
    share = f"By the means {100 * share_of_weights():.0f} % of the lead are the learned weights'"
    assert f"{share}, with labels that were never trained: {gain}." in SAID
    beside = f"Labels learned beside them add {-added.points:.2f} ({-added.high:.2f} to {-added.low:.2f})"
    assert labels.points < 0
    nothing = f"learned alone they gain nothing ({labels.points:.2f}, {labels.low:.2f} to {labels.high:.2f})"
    assert f"{beside}, and {nothing}." in SAID
    assert [name for name, each in above.items() if each.significant] == ["both"]
    assert not added.significant
    assert "Only both parts together are significantly better than neither" in SAID
    assert "and the lead is not seen to be the labels'" in SAID


def test_what_is_held_out() -> None:
    sizes = facts_of(SUITE).sizes["5%"]
    images = sizes.train + sizes.auxiliary
    assert f"has {sizes.auxiliary} of the {images:,} images." in SAID


def test_on_cifar100_the_order_is_the_same_and_nothing_can_be_told_apart() -> None:
    there = section("CIFAR-100: a generated auxiliary task on a CPU")
    by_suite = {
        suite: {
            "both": with_both(suite),
            "weights": scores_alone("weights", suite),
            "neither": with_neither(suite),
            "labels": scores_alone("labels", suite),
        }
        for suite in SUITES
    }
    orders = {tuple(sorted(each, key=lambda name, each=each: -mean(each[name]))) for each in by_suite.values()}
    assert orders == {("both", "weights", "neither", "labels")}
    assert "both parts, the weights alone, neither, the labels alone: the order of CIFAR-10" in there
    found = by_suite[OTHER]
    above = less({name: found[name] for name in ("both", "weights", "labels")}, found["neither"])
    below = less({name: found[name] for name in ("neither", "weights", "labels")}, found["both"])
    assert not [name for family in (above, below) for name, each in family.items() if each.significant]
    assert f"None of the {SPELLED[len(above) + len(below) - 1]} differences is significant" in there
    weights, labels = above["weights"], above["labels"]
    gain = f"the weights alone gain {weights.points:.2f} points ({weights.low:.2f} to {weights.high:.2f})"
    assert f"{gain}, {100 * share_of_weights(OTHER):.0f} % of the lead by the means" in there
    assert f"the labels alone {labels.points:.2f} ({labels.low:.2f} to {labels.high:.2f})" in there
