"""A caption says what validation chose at an end of its grid, where nothing inside is as good."""

from collections.abc import Mapping, Sequence

import pytest

from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.suite import Metric
from benchmark.tables.gather import gather
from benchmark.tables.grid_ends import phrase
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest

RATES = ("0.01", "1", "0.1")
BEGIN = " Chosen at an end of a grid of 3 values or more: "

pytestmark = pytest.mark.usefixtures("toy")


def told(
    scores: Mapping[str, Sequence[float]],
    *,
    rates: Sequence[str] = RATES,
    settings: Sequence[str] = ("few",),
    trials: int | None = None,
) -> str:
    """Return what is said where these methods have these scores, a value of lr each, in all settings alike."""
    grid = {"lr": tuple(rates), "weight_decay": ("0.1",)}
    arms = make_plan(Options("toy", tuple(settings), tuple(scores), grid=grid, trials=trials))
    found: list[Record] = []
    for arm in arms:
        specs = [arm.spec(point, trial=trials and number) for number, point in enumerate(arm.points())]
        found += [a_record(spec, score=s) for spec, s in zip(specs, scores[arm.method], strict=True) if s >= 0]
        found += [a_failure(spec) for spec, s in zip(specs, scores[arm.method], strict=True) if s < 0]
    records = by_digest(found)
    caption, told = gather(arms, records).caption, phrase(arms, records)
    assert caption.endswith(told)
    assert ("at an end of" in caption) == bool(told)
    return told


def test_which_end_in_which_setting() -> None:
    assert told({"stl": (0.9, 0.5, 0.5)}) == f"{BEGIN}in few the smallest lr 0.01 (stl)."
    both = told({"stl": (0.5, 0.9, 0.5)}, settings=("few", "many"))
    assert both == f"{BEGIN}in few the largest lr 1.0 (stl); in many the largest lr 1.0 (stl)."
    assert told({"stl": (0.5, 0.5, 0.9)}) == "", "an inner value"


def test_values_are_in_the_order_of_numbers_and_not_of_text() -> None:
    assert told({"stl": (0.9, 0.5, 0.5)}, rates=("5", "10", "20")) == f"{BEGIN}in few the smallest lr 5.0 (stl)."
    assert told({"stl": (0.5, 0.9, 0.5)}, rates=("5", "10", "20")) == ""
    assert told({"stl": (0.9, 0.5, 0.5)}, rates=("1e-05", "1", "0.01")).endswith("the smallest lr 1e-05 (stl).")


def test_where_lower_is_better_the_lowest_inner_score_counts(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "metrics", (Metric("top1", higher_is_better=False), *toy.metrics[1:]))
    assert told({"stl": (0.2, 0.5, 0.9)}) == f"{BEGIN}in few the smallest lr 0.01 (stl)."
    assert told({"stl": (0.2, 0.9, 0.2)}) == ""


def test_an_inner_value_as_good_is_no_end_and_an_outer_one_is() -> None:
    assert told({"stl": (0.9, 0.5, 0.9)}) == ""
    assert told({"stl": (0.9, 0.9, 0.5)}) == f"{BEGIN}in few the smallest lr 0.01 (stl)."
    assert told({"stl": (0.9, 0.5, -1)}) == f"{BEGIN}in few the smallest lr 0.01 (stl).", "a failed run is no rival"


def test_of_many_methods_the_number_is_told() -> None:
    ends = dict.fromkeys(("stl", "equal", "uncertainty", "pcgrad"), (0.5, 0.9, 0.5))
    few = {name: ends[name] for name in ("stl", "equal", "uncertainty")}
    assert told(few) == f"{BEGIN}in few the largest lr 1.0 (stl, equal, uncertainty)."
    most = told({**ends, "rlw": (0.5, 0.5, 0.9), "imtl-g": (0.9, 0.5, 0.5)})
    assert most == f"{BEGIN}in few the largest lr 1.0 (4 of 6 methods), smallest lr 0.01 (imtl-g)."


def test_methods_that_do_not_search_a_number_do_not_count() -> None:
    names = ("stl", "equal", "uncertainty", "pcgrad")
    arms = [
        *make_plan(Options("toy", ("few",), names, grid={"lr": RATES, "weight_decay": ("0.1",)})),
        *make_plan(Options("toy", ("few",), ("rlw",), fixed={"lr": "0.1", "weight_decay": "0.1"})),
    ]
    found = [a_record(arm.spec(p), score=0.9 if p["lr"] == 1 else 0.5) for arm in arms[:4] for p in arm.points()]
    assert phrase(arms, by_digest(found)) == f"{BEGIN}in few the largest lr 1.0 (4 of 4 methods)."


def test_methods_without_runs_do_not_count() -> None:
    names = ("stl", "equal", "uncertainty", "pcgrad", "rlw")
    arms = make_plan(Options("toy", ("few",), names, grid={"lr": RATES, "weight_decay": ("0.1",)}))
    found = [a_record(arm.spec(p), score=0.9 if p["lr"] == 1 else 0.5) for arm in arms[:4] for p in arm.points()]
    assert phrase(arms, by_digest(found)) == f"{BEGIN}in few the largest lr 1.0 (4 of 4 methods)."


def test_of_two_values_of_0_of_text_and_under_a_budget_nothing_is_said() -> None:
    assert told({"stl": (0.9, 0.5)}, rates=("1", "0.1")) == ""
    assert told({"stl": (0.9, 0.5, 0.5)}, rates=("0", "0.1", "1")) == ""
    assert told({"stl": (0.9, 0.5, 0.5)}, trials=3) == ""
    assert "normalise" not in told({"mgda": (0.9, 0.5, 0.5, 0.9, *[0.5] * 8)})


def test_before_the_search_has_ended_nothing_is_said() -> None:
    arms = make_plan(Options("toy", ("few",), ("stl",), grid={"lr": RATES, "weight_decay": ("0.1",)}))
    first, *_ = [arm.spec(point) for arm in arms for point in arm.points()]
    assert phrase(arms, by_digest([a_record(first)])) == ""
    assert phrase(arms, {}) == ""
