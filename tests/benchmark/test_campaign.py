"""What runs next and what validation chooses: each cell once, finals after their search, failures never win."""

from collections import Counter
from collections.abc import Sequence

import pytest

from benchmark.campaign import Campaign, choose, missing, study_name
from benchmark.plan import Arm, Options, make_plan
from benchmark.record import Record
from benchmark.sampling import SampledStudy
from benchmark.search import UnarchivedGrid
from benchmark.spec import Spec
from benchmark.suite import Metric
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest, toy_arm

LOWER = (Metric("top1", higher_is_better=False), Metric("top2"))


def searched(arm: Arm, scores: Sequence[float | None]) -> dict[str, Record]:
    """Return search records with these validation scores, in grid order; None for a run that failed."""
    specs = [arm.spec(point) for point in arm.points()]
    return by_digest(
        a_failure(spec) if score is None else a_record(spec, score=score)
        for spec, score in zip(specs, scores, strict=False)
    )


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.1, 0.4, 0.3, 0.2], 1),
        ([0.1, 0.4, 0.4, 0.4], 1),
        ([0.0, 0.0, 0.0, 0.0], 0),
        ([None, 0.0, None, 0.1], 3),
        ([None, 0.0, None, None], 1),
        ([None, None, None, None], None),
        ([0.1, 0.4, 0.3], None),
        ([], None),
    ],
)
def test_the_best_validation_score_wins_and_the_first_of_equals(
    scores: list[float | None], best: int | None, toy: Toy
) -> None:
    arm = toy_arm()
    assert choose(arm, searched(arm, scores)) == (None if best is None else arm.points()[best])


@pytest.mark.parametrize(("scores", "best"), [([0.3, 0.1, 0.1, 0.2], 1), ([None, 2.0, 9.0, None], 1)])
def test_lower_wins_where_the_suite_says_so(scores: list[float | None], best: int, toy: Toy) -> None:
    toy.metrics = LOWER  # pyright: ignore[reportAttributeAccessIssue]
    arm = toy_arm()
    assert choose(arm, searched(arm, scores)) == arm.points()[best]


def test_final_runs_and_test_metrics_have_no_say(toy: Toy) -> None:
    arm = toy_arm()
    records = searched(arm, [0.1, 0.4, 0.3, 0.2])
    wins = by_digest(
        a_record(spec, score=0.9, test=0.9)
        for spec in (arm.spec(arm.points()[2], phase="final"), *arm.finals(arm.points()[2]))
    )
    assert choose(arm, {**records, **wins}) == arm.points()[1]


def test_nothing_to_search_is_chosen_at_once(toy: Toy) -> None:
    arm = toy_arm(fixed={"lr": "1", "weight_decay": "0"})
    assert choose(arm, {}) == {}
    assert missing(arm, {}) == 2


def test_missing_counts_what_has_no_record(toy: Toy) -> None:
    arm = toy_arm()
    assert missing(arm, {}) == 4 + 2
    assert missing(arm, searched(arm, [0.1, 0.2])) == 2 + 2
    records = searched(arm, [0.1, 0.2, 0.3, 0.4])
    assert missing(arm, records) == 2
    finals = arm.finals(arm.points()[3])
    assert missing(arm, {**records, **by_digest([a_record(finals[0])])}) == 1


def campaign(arms: Sequence[Arm], records: dict[str, Record]) -> Campaign:
    return Campaign(arms, records, lambda arm: UnarchivedGrid(arm.points()))


def play(given: Campaign, records: dict[str, Record], *, ahead: int) -> list[Spec]:
    """Run a campaign with so many cells under way at a time, the last handed out done first."""
    order, waiting = [], []
    while True:
        while len(waiting) < ahead and (spec := given.next_spec()):
            waiting.append(spec)
            order.append(spec)
        assert given.under_way == len(waiting)
        if not waiting:
            return order
        record = a_record(waiting.pop(), score=len(order) / 100)
        records[record.spec.digest] = record
        given.done(record)


@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_every_cell_is_handed_out_once_and_finals_after_their_search(ahead: int, toy: Toy) -> None:
    arms, records = make_plan(Options("toy")), {}
    order = play(campaign(arms, records), records, ahead=ahead)
    assert len({spec.digest for spec in order}) == len(order) == sum(arm.runs for arm in arms)
    for arm in arms:
        own = [spec for spec in order if (spec.setting, spec.method) == (arm.setting, arm.method)]
        assert [spec.phase for spec in own] == ["search"] * 4 + ["final"] * 2
        point = choose(arm, records)
        assert point is not None
        assert set(own[4:]) == set(arm.finals(point))
    assert play(campaign(arms, records), records, ahead=ahead) == []


@pytest.mark.parametrize("stop", range(0, 24, 5))
def test_a_campaign_that_stopped_goes_on_with_what_is_missing(stop: int, toy: Toy) -> None:
    arms, records = make_plan(Options("toy")), {}
    first = campaign(arms, records)
    for _ in range(stop):
        spec = first.next_spec()
        assert spec is not None
        records[spec.digest] = a_record(spec)
        first.done(records[spec.digest])
    order = play(campaign(arms, records), records, ahead=2)
    assert len(order) == 24 - stop
    assert len(records) == 24


def test_failures_do_not_stop_others_and_an_arm_without_a_success_has_no_finals(toy: Toy) -> None:
    arms, records = make_plan(Options("toy", settings=("few",))), {}
    given, order = campaign(arms, records), []
    while spec := given.next_spec():
        order.append(spec)
        records[spec.digest] = a_failure(spec) if spec.method == "stl" else a_record(spec)
        given.done(records[spec.digest])
    assert [(spec.method, spec.phase) for spec in order] == (
        [("stl", "search")] * 4 + [("equal", "search")] * 4 + [("equal", "final")] * 2
    )


def test_another_grid_length_or_data_is_another_study(toy: Toy) -> None:
    grid = {"lr": ("1", "2")}
    plans = [toy_arm(), toy_arm(setting="many"), toy_arm(epochs=9), toy_arm(grid=grid), toy_arm(fixed={"lr": "1"})]
    assert len(set(map(study_name, plans))) == 5
    assert study_name(toy_arm()) == study_name(toy_arm(seeds=9)), "more seeds search nothing anew"
    before = study_name(toy_arm())
    toy.fingerprint = lambda: "toy-2"
    assert study_name(toy_arm()) != before


def test_trials_of_a_budget_are_spread_over_the_searches(toy: Toy) -> None:
    arms = make_plan(Options("toy", trials=5))
    given = Campaign(arms, {}, lambda arm: SampledStudy(arm, {}, None))
    specs = [given.next_spec() for _ in range(8)]
    counts = Counter((spec.setting, spec.method) for spec in specs if spec is not None)
    assert counts == {(arm.setting, arm.method): 2 for arm in arms}, "TPE knows the more, the fewer are under way"
