"""What pages say in numbers, against what can be counted by hand."""

from dataclasses import replace

import pytest

from benchmark.dataset import Source
from benchmark.pages.cost import cost, duration, hours, outer_share, table_hours
from benchmark.pages.facts import Facts, Network, Sizes
from benchmark.pages.page import bytes_text, download_size, page
from benchmark.plan import Arm
from benchmark.speed.suite_costs import SuiteCost
from tests.benchmark.helpers import Toy
from tests.benchmark.made_up import WHERE

HAND = SuiteCost(
    suite="toy", setting="few", kind="cpu", method="stl", step_sec=2.0, outer_step_sec=0.0, outer_every=0,
    evaluation_sec=0.1, steps=3, **WHERE,
)  # fmt: skip
EQUAL = replace(HAND, method="equal", step_sec=3.0)
TOY_MULTIPLY_ADDS = 4 * 8 + 8 * 6
"""Of a layer from four features to eight, and of one to three classes, two classes and a value."""


@pytest.fixture
def facts(toy: Toy) -> Facts:
    return Facts("toy")


def arm(facts: Facts, method: str) -> Arm:
    return next(arm for arm in facts.arms if arm.method == method)


def test_sizes_and_network_by_hand(facts: Facts) -> None:
    assert facts.sizes == {"few": Sizes(30, 15, 10, 30, 30), "many": Sizes(30, 25, 10, 30, 30)}
    parameters = TOY_MULTIPLY_ADDS + 8 + 6
    assert facts.networks == dict.fromkeys(("few", "many"), Network(parameters, TOY_MULTIPLY_ADDS, (5,)))


def test_steps_are_those_of_a_run(facts: Facts) -> None:
    assert facts.steps_per_epoch(arm(facts, "stl"), holds_out=False) == 40 // 10
    assert facts.steps_per_epoch(arm(facts, "stl"), holds_out=True) == 30 // 10


def test_counted_work_by_hand(facts: Facts) -> None:
    runs = 4 + 2
    samples = runs * 3 * (3 * 40 + 30) + 2 * 30
    assert facts.training_flop() == 2 * 2 * samples * 2 * TOY_MULTIPLY_ADDS  # methods, settings, operations


def test_hours_by_hand(facts: Facts) -> None:
    runs = 2 * (4 + 2)
    seconds = runs * 3 * (4 * 2.0 + 30 * 0.1) + 2 * 2 * 30 * 0.1
    arms = [arm for arm in facts.arms if arm.method == "stl"]
    assert hours(facts, arms, HAND) == pytest.approx(seconds / 3600)
    dearer = runs * 3 * (4 * 3.0 + 30 * 0.1) + 2 * 2 * 30 * 0.1
    assert table_hours(facts, [HAND, EQUAL], "cpu") == pytest.approx((seconds + dearer) / 3600)


def test_without_all_methods_there_is_no_total(facts: Facts) -> None:
    assert table_hours(facts, [HAND], "cpu") is None
    assert table_hours(facts, [HAND, EQUAL], "cuda") is None
    assert table_hours(facts, [HAND, replace(EQUAL, suite="other")], "cpu") is None


def test_outer_steps_count_at_every_point_of_the_grid(facts: Facts) -> None:
    searched = replace(arm(facts, "stl"), space={"outer_every": (5, 20)})
    assert outer_share(searched, 5) == pytest.approx((1 / 5 + 1 / 20) / 2)
    assert outer_share(replace(searched, space={}, fixed={"outer_every": 4}), 5) == 1 / 4
    assert outer_share(replace(searched, space={}, fixed={}), 5) == 1 / 5
    assert outer_share(searched, 0) == 0
    bilevel = replace(HAND, method="auxilearn-linear", outer_step_sec=8.0, outer_every=4)
    fixed = [replace(arm(facts, "stl"), fixed={"outer_every": 4})]
    alone = hours(facts, fixed, replace(bilevel, outer_step_sec=0.0))
    assert hours(facts, fixed, bilevel) - alone == pytest.approx(6 * 3 * 3 * 2.0 / 3600)


def test_the_text_names_what_was_measured_and_what_was_not(facts: Facts) -> None:
    text = cost(facts, [HAND, EQUAL])
    total = table_hours(facts, [HAND, EQUAL], "cpu")
    assert total is not None
    assert f"On one CPU, the runs one after another: **{duration(total)}** in all." in text
    assert "| `stl` | 12 | 2 |  |" in text
    assert "a machine, torch 9.9, 1 thread, commit abc, 2026-01-02" in text
    assert "On one GPU: not measured yet; `python -m benchmark.speed suites --suite toy --device cuda`" in text
    assert "** for the methods that were measured." in cost(facts, [HAND])
    assert "| `equal` | 12 | not measured | not measured | not measured |" in cost(facts, [HAND])
    assert "On one CPU: not measured yet" in cost(facts, [])


def test_large_work_is_given_in_hours(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "training_flop", lambda: int(7.2e17))
    assert "720 PFLOP, which at 10 TFLOP/s take 20 h;" in cost(facts, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5 / 3600, "0.5 s"),
        (12 / 3600, "12 s"),
        (0.25, "15 min"),
        (1.25, "1.2 h"),
        (9.96, "10 h"),
        (1234.5, "1,234 h"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert duration(value) == text


def test_lengths() -> None:
    assert bytes_text(184_900_000) == "184.9 MB"
    assert bytes_text(2_320_000_000) == "2.32 GB"
    assert download_size([Source("a", size=1_500_000), Source("b", size=500_000)]) == "2.0 MB"
    assert download_size([Source("a", size=1_500_000), Source("b")]) == "unknown"
    assert download_size([]) == "–"


def test_a_page_of_a_new_suite_needs_nothing_but_the_suite(facts: Facts) -> None:
    text = page(facts, [HAND, EQUAL])
    assert text.startswith("# `toy`\n")
    for told in ("three classes", "two classes, a value", "nobody, 2026", "| few | 30 | 15 | 10 | 30 | 30 |", "Adam"):
        assert told in text
    assert "`stl` 4 + 2, `equal` 4 + 2" in text
    assert "| runs of the default command | 24 |" in text
