"""The order of cells, played through by a simulation of events: never beyond Graham's bound, better than arm by arm."""

import dataclasses
import heapq
import itertools
import random
from collections.abc import Mapping, Sequence

import pytest

from benchmark.campaign import Campaign, choose
from benchmark.order import Durations, path_sec
from benchmark.plan import Arm
from benchmark.record import Record
from benchmark.sampling import SampledStudy
from benchmark.search import UnarchivedGrid
from benchmark.spec import Spec
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest, toy_arm


class ByArm(Campaign):
    """Hands out arm after arm, as they stand in the plan."""

    def _rank(self, progress: object) -> tuple[int, float, int]:
        return 0, 0.0, 0


@pytest.fixture
def arm(toy: Toy) -> Arm:
    return toy_arm()


def an_arm(arm: Arm, method: str, *, searches: int, finals: int) -> Arm:
    """Return an arm of so many runs."""
    space = {"lr": tuple(float(number + 1) for number in range(searches))} if searches > 1 else {}
    return dataclasses.replace(arm, method=method, space=space, seeds=finals)


def ended(spec: Spec, seconds: float) -> Record:
    """Return the record of a run that took so long; its score depends on the spec alone."""
    timing = {"step_sec": 0.1, "train_sec": seconds, "evaluation_sec": 0.0, "total_sec": seconds}
    return a_record(spec, score=int(spec.digest, 16) % 1000 / 1000, timing=timing)


def simulate(
    arms: Sequence[Arm],
    seconds: Mapping[str, float],
    *,
    workers: int,
    known: bool = True,
    kind: type[Campaign] = Campaign,
) -> tuple[float, dict[str, Record]]:
    """Run a campaign on workers that are always given a cell when they are free; return its end and its records."""
    records: dict[str, Record] = {}
    campaign = kind(arms, records, lambda arm: UnarchivedGrid(arm.points()))
    campaign.workers = workers
    for method, value in seconds.items() if known else ():
        campaign._durations.add(ended(dataclasses.replace(arms[0], method=method).spec({}, seed=99), value))
    events: list[tuple[float, int, Spec]] = []
    now, tick = 0.0, itertools.count()
    while True:
        while len(events) < workers and (spec := campaign.next_spec()):
            heapq.heappush(events, (now + seconds[spec.method], next(tick), spec))
        if not events:
            return now, records
        now, _, spec = heapq.heappop(events)
        records[spec.digest] = ended(spec, seconds[spec.method])
        campaign.done(records[spec.digest])


def bounds(arms: Sequence[Arm], seconds: Mapping[str, float], workers: int) -> tuple[float, float]:
    """Return a time that no schedule can beat, and Graham's bound for schedules that leave nobody idle."""
    work = sum(arm.runs * seconds[arm.method] for arm in arms)
    path = max(seconds[arm.method] * (1 + bool(arm.space)) for arm in arms)
    waves = max(
        seconds[arm.method] * (-(-arm.trials // workers) + -(-arm.seeds // workers)) for arm in arms
    )  # a final run waits for the whole search
    return max(work / workers, path, waves), work / workers + (1 - 1 / workers) * path


def random_plan(draw: random.Random, arm: Arm) -> tuple[list[Arm], dict[str, float]]:
    count = draw.randint(1, 8)
    arms = [
        an_arm(arm, f"m{number}", searches=draw.choice((1, 2, 4, 9)), finals=draw.randint(1, 5))
        for number in range(count)
    ]
    return arms, {each.method: draw.choice((1.0, 2.0, 5.0, 40.0)) * draw.uniform(0.8, 1.2) for each in arms}


@pytest.mark.parametrize("known", [True, False], ids=["known", "learnt"])
def test_random_plans_end_within_grahams_bound_and_sooner_than_arm_by_arm(known: bool, arm: Arm) -> None:
    draw = random.Random(1)
    ours = theirs = least = 0.0
    for _ in range(40):
        arms, seconds = random_plan(draw, arm)
        workers = draw.choice((2, 3, 8))
        makespan, _ = simulate(arms, seconds, workers=workers, known=known)
        before, _ = simulate(arms, seconds, workers=workers, kind=ByArm)
        lower, upper = bounds(arms, seconds, workers)
        assert lower - 1e-6 <= makespan, "no schedule is that short: the simulation is wrong"
        assert makespan <= upper + 1e-6
        ours, theirs, least = ours + makespan / lower, theirs + before / lower, least + 1.0
    assert ours / least < (1.03 if known else 1.04)
    assert ours < theirs


def test_final_runs_alone_end_within_four_thirds_of_the_best(arm: Arm) -> None:
    draw = random.Random(2)
    for _ in range(40):
        count, workers = draw.randint(2, 6), draw.choice((2, 3))
        arms = [an_arm(arm, f"m{number}", searches=1, finals=1) for number in range(count)]
        seconds = {each.method: float(draw.randint(1, 9)) for each in arms}
        makespan, _ = simulate(arms, seconds, workers=workers)
        best = min(
            max(
                sum(value for value, at in zip(seconds.values(), places, strict=True) if at == worker)
                for worker in range(workers)
            )
            for places in itertools.product(range(workers), repeat=count)
        )
        assert makespan <= (4 / 3 - 1 / (3 * workers)) * best + 1e-9


def test_a_long_method_at_the_end_of_a_plan_starts_first(arm: Arm) -> None:
    arms = [an_arm(arm, f"m{number}", searches=4, finals=2) for number in range(4)]
    arms.append(an_arm(arm, "slow", searches=4, finals=1))
    seconds = {**dict.fromkeys((each.method for each in arms), 1.0), "slow": 12.0}
    best, learnt, before = (
        simulate(arms, seconds, workers=4, known=known, kind=kind)[0]
        for known, kind in ((True, Campaign), (False, Campaign), (True, ByArm))
    )
    assert best == 12 + 12, "the short ones fill the workers beside the long final run"
    assert learnt <= best + 2, "and it is the first wave that tells which is long"
    assert before >= best + 24 / 4


def test_the_search_with_the_longest_way_to_go_is_first_and_its_final_runs_do_not_wait_for_short_ones(arm: Arm) -> None:
    arms = [an_arm(arm, "wide", searches=9, finals=3), an_arm(arm, "deep", searches=2, finals=3)]
    seconds = {"wide": 1.0, "deep": 4.0}
    makespan, _ = simulate(arms, seconds, workers=2)
    assert makespan <= bounds(arms, seconds, 2)[0] + 1.0


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_what_runs_and_what_is_chosen_does_not_depend_on_the_order(workers: int, arm: Arm) -> None:
    draw = random.Random(workers)
    arms, seconds = random_plan(draw, arm)
    _, before = simulate(arms, seconds, workers=1, kind=ByArm)
    _, records = simulate(arms, {name: draw.uniform(0.1, 9.0) for name in seconds}, workers=workers, known=False)
    assert records.keys() == before.keys()
    assert [choose(each, records) for each in arms] == [choose(each, before) for each in arms]


def test_one_run_of_each_unknown_method_comes_first(arm: Arm) -> None:
    arms = [an_arm(arm, f"m{number}", searches=4, finals=2) for number in range(3)]
    campaign = Campaign(arms, {}, lambda arm: UnarchivedGrid(arm.points()))
    first = [campaign.next_spec() for _ in range(3)]
    assert [spec and spec.method for spec in first] == ["m0", "m1", "m2"]


def test_durations_are_medians_of_the_same_data_and_length(arm: Arm) -> None:
    specs = [arm.spec({}, seed=seed) for seed in range(6)]
    records = [ended(spec, seconds) for spec, seconds in zip(specs, (5.0, 1.0, 100.0), strict=False)]
    others = [
        ended(dataclasses.replace(specs[3], epochs=99), 7.0),
        ended(dataclasses.replace(specs[4], data="toy-2"), 7.0),
        a_failure(specs[5]),
    ]
    known = Durations([arm], [*records, *others])
    assert known.expected(arm) == 5.0
    assert known.expected(dataclasses.replace(arm, setting="many")) == 5.0, "another setting is better than nothing"
    assert known.expected(dataclasses.replace(arm, method="equal")) is None
    known.add(ended(dataclasses.replace(specs[0], setting="many"), 9.0))
    assert known.expected(dataclasses.replace(arm, setting="many")) == 9.0
    assert known.expected(arm) == 5.0


def test_the_path_of_an_arm() -> None:
    assert path_sec(searches=0, finals=5, run_sec=3.0, workers=2) == 3.0, "final runs: longest first"
    assert path_sec(searches=1, finals=1, run_sec=3.0, workers=8) == 6.0, "one after the other"
    assert path_sec(searches=12, finals=3, run_sec=1.0, workers=4) == 3.0 + 1.0
    assert path_sec(searches=12, finals=3, run_sec=1.0, workers=1) == 15.0


def test_trials_of_tpe_are_spread_before_paths_are_compared(arm: Arm, toy: Toy) -> None:
    tpe, drawn = (
        [dataclasses.replace(toy_arm(trials=9, sampler=sampler), method=name) for name in ("short", "long")]
        for sampler in ("tpe", "random")
    )
    for arms, expected in ((tpe, ["long", "short", "long", "short"]), (drawn, ["long", "long", "long", "long"])):
        known = by_digest(ended(each.spec({}, seed=99), {"short": 1.0, "long": 50.0}[each.method]) for each in arms)
        campaign = Campaign(arms, known, lambda arm: SampledStudy(arm, {}, None))
        specs = [campaign.next_spec() for _ in range(4)]
        assert [spec and spec.method for spec in specs] == expected
