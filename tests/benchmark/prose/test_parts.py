"""results/README.md, what AuxiLearn owes to the weights and to the labels that it learns."""

from benchmark.explanations.parts import best
from benchmark.pages.facts import facts_of
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.parts import SUITE, alone, scores_alone, share_of_weights, with_both, with_neither
from tests.benchmark.prose.scores import less, rate, searches

SAID = section("CIFAR-10: a generated auxiliary task on a CPU")
BOTH, NEITHER = with_both(), with_neither()
WEIGHTS, LABELS = map(scores_alone, ("weights", "labels"))


def test_each_part_was_searched_over_the_same_rates_and_run_with_the_same_seeds() -> None:
    tried = {rate(record) for record in searches(f"rates/{SUITE}", "auxilearn")}
    for part in ("weights", "labels"):
        assert {run.lr for run in alone(part, "search")} == tried
        assert {run.lr for run in alone(part, "final")} == {best(alone(part, "search")).lr}
    assert set(WEIGHTS) == set(LABELS) == set(BOTH) == set(NEITHER)
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
