"""Searches with a budget: as many trials for all, reproducible, resumed after any end, each trial once."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from benchmark import sampling
from benchmark.arm import Arm
from benchmark.campaign import Campaign, choose, is_complete, missing, outcomes, search_records, study_name
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.sampling import STARTUP, SampledStudy
from benchmark.search import Archive, Outcome
from benchmark.spec import SEARCH_SEED, Spec
from benchmark.storage import JOURNAL, open_storage
from tests.benchmark.helpers import Toy, a_failure, a_record, toy_arm

TRIALS = STARTUP + 4
Records = dict[str, Record]


def budget_arm(sampler: str = "tpe", *, trials: int = TRIALS, method: str = "stl", **options: Any) -> Arm:
    return toy_arm(method, trials=trials, sampler=sampler, **options)


def result(spec: Spec) -> Record:
    """Return a record whose score is best at a learning rate of 0.03; without weight decay above 0.009 it fails."""
    hyper = {name: float(str(value)) for name, value in spec.hyper}
    if spec.phase == "search" and hyper["weight_decay"] > 0.009:
        return a_failure(spec, "loss is nan")
    return a_record(spec, score=1 - abs(hyper["lr"] - 0.03))


def drive(
    arm: Arm, records: Records, folder: Path | None, *, ahead: int = 1, stop: int = 1000, done: int = -1
) -> list[Spec]:
    """Run a campaign with so many runs under way, by default the last one done first; return all handed out.

    After `stop` runs it is dropped with those under way. Without a folder it is not archived.
    """
    storage = None if folder is None else open_storage(None, folder)

    def open_study(arm: Arm) -> SampledStudy:
        archive = storage and Archive(storage, study_name(arm), arm.space, maximize=True)
        return SampledStudy(arm, outcomes(arm, records), archive)

    given, waiting, order = Campaign([arm], records, open_study), [], []
    while True:
        while len(waiting) < ahead and (spec := given.next_spec()):
            waiting.append(spec)
            order.append(spec)
        if not waiting or stop == 0:
            return order
        record = result(waiting.pop(done))
        records[record.spec.digest] = record
        given.done(record)
        stop -= 1


def trials(records: Mapping[str, Record]) -> dict[int, Spec]:
    """Return the trials by number, none of them twice."""
    specs = [record.spec for record in records.values() if record.spec.phase == "search"]
    found = {spec.search.trial: spec for spec in specs if spec.search is not None}
    assert len(found) == len(specs)
    return {number: found[number] for number in sorted(number for number in found if number is not None)}


def archived(arm: Arm, folder: Path) -> list[optuna.trial.FrozenTrial]:
    """Return the trials of the journal as a user of Optuna sees them."""
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    return optuna.load_study(study_name=study_name(arm), storage=storage).trials


def check_archive(arm: Arm, records: Records, folder: Path) -> None:
    """Check that the journal says what the records say."""
    found = [(t.number, t.params, t.value, t.state == TrialState.FAIL) for t in archived(arm, folder)]
    known = outcomes(arm, records)
    assert found == [(number, point, score, score is None) for number, (point, _, score, _) in known.items()]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_every_method_has_the_same_number_of_trials(sampler: str) -> None:
    arms = make_plan(Options("digits", methods=("all",), trials=11, sampler=sampler))  # pyright: ignore[reportArgumentType]
    assert {(arm.trials, arm.runs) for arm in arms if not arm.declined} == {(11, 11 + 3)}
    scalarization = next(arm for arm in arms if arm.method == "scalarization")
    assert "task_weights" in scalarization.space


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_each_trial_once_then_the_final_runs(sampler: str, ahead: int, toy: Toy, tmp_path: Path) -> None:
    arm, records = budget_arm(sampler), {}
    order = drive(arm, records, tmp_path, ahead=ahead)
    assert len({spec.digest for spec in order}) == len(order) == len(records) == TRIALS + 2
    assert [spec.phase for spec in order] == ["search"] * TRIALS + ["final"] * 2
    assert list(trials(records)) == list(range(TRIALS))
    for spec in order:
        point = dict(spec.hyper)
        assert 0.01 <= float(str(point["lr"])) <= 0.1
        assert 0 <= float(str(point["weight_decay"])) <= 0.01
    point = choose(arm, records)
    assert point is not None
    assert order[-2:] == arm.finals(point)
    assert is_complete(arm, records)
    assert drive(arm, records, tmp_path, ahead=ahead) == []
    check_archive(arm, records, tmp_path)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_fresh_folder_gives_the_same_points(sampler: str, toy: Toy, tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second", None):
        folder = name and tmp_path / name
        if folder:
            folder.mkdir()
        runs.append(drive(budget_arm(sampler), {}, folder or None))
    assert runs[0] == runs[1] == runs[2], "with or without an archive"


def test_the_random_sampler_does_not_depend_on_the_order(toy: Toy) -> None:
    runs = [{}, {}, {}]
    for ahead, records in zip((1, 4, 100), runs, strict=True):
        drive(budget_arm("random"), records, None, ahead=ahead)
    assert trials(runs[0]) == trials(runs[1]) == trials(runs[2])


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_another_seed_of_the_sampler_is_another_search(sampler: str, toy: Toy, tmp_path: Path) -> None:
    runs = [{}, {}]
    for seed, records in enumerate(runs):
        drive(budget_arm(sampler, sampler_seed=seed), records, tmp_path)
    points = [[spec.hyper for spec in trials(records).values()] for records in runs]
    assert not set(points[0]) & set(points[1])
    assert {spec.seed for records in runs for spec in trials(records).values()} == {SEARCH_SEED}, "of the same runs"
    assert runs[0].keys().isdisjoint(runs[1])
    check_archive(budget_arm(sampler, sampler_seed=1), runs[1], tmp_path)
    both = {**runs[0], **runs[1]}
    for seed in (0, 1):
        assert drive(budget_arm(sampler, sampler_seed=seed), both, tmp_path) == [], "each goes on with its own"


def test_proposals_of_tpe_depend_on_its_seed(toy: Toy) -> None:
    drawn = {}
    drive(budget_arm("random"), drawn, None)
    told = {i: Outcome(dict(spec.hyper), finished=True, score=i / 20) for i, spec in trials(drawn).items()}
    arms = [budget_arm("tpe", trials=TRIALS + 1, sampler_seed=seed) for seed in (0, 0, 1)]
    asked = [SampledStudy(arm, told, None).ask() for arm in arms]
    assert asked[0] == asked[1] != asked[2], "after the same trials"


def test_tpe_starts_at_random_and_then_follows_the_scores(toy: Toy) -> None:
    tpe, drawn, other = ({}, {}, {})
    drive(budget_arm("tpe"), tpe, None)
    drive(budget_arm("random"), drawn, None)
    points = [[spec.hyper for spec in trials(records).values()] for records in (tpe, drawn)]
    assert points[0][:STARTUP] == points[1][:STARTUP]
    assert all(point not in points[1] for point in points[0][STARTUP:])
    toy.metrics = tuple(dataclasses.replace(m, higher_is_better=False) for m in toy.metrics)  # pyright: ignore[reportAttributeAccessIssue]
    drive(budget_arm("tpe"), other, None)
    assert [spec.hyper for spec in trials(other).values()][STARTUP:] != points[0][STARTUP:]


@pytest.mark.parametrize("journal", ["kept", "lost"])
@pytest.mark.parametrize("stop", range(0, TRIALS + 2, 3))
def test_a_driver_that_was_killed_is_gone_on_from(stop: int, journal: str, toy: Toy, tmp_path: Path) -> None:
    whole, records = {}, {}
    drive(budget_arm(), whole, None)
    drive(budget_arm(), records, tmp_path, stop=stop)
    assert len(records) == stop
    if journal == "lost":
        (tmp_path / JOURNAL).unlink()
    rest = drive(budget_arm(), records, tmp_path)
    assert len(rest) == TRIALS + 2 - stop
    assert records == whole, "as if it had not been killed"
    check_archive(budget_arm(), records, tmp_path)


@pytest.mark.parametrize("journal", ["kept", "lost"])
@pytest.mark.parametrize(("stop", "done"), [(stop, done) for stop in range(0, TRIALS, 3) for done in (0, -1)])
def test_trials_under_way_are_asked_for_again(stop: int, done: int, journal: str, toy: Toy, tmp_path: Path) -> None:
    records: Records = {}
    order = drive(budget_arm(), records, tmp_path, ahead=4, stop=stop, done=done)
    under_way = [spec for spec in order if spec.digest not in records]
    if journal == "lost":
        (tmp_path / JOURNAL).unlink()
    rest = drive(budget_arm(), records, tmp_path, ahead=4)
    if journal == "kept":  # else TPE knows more by now
        assert set(under_way) <= set(rest), "at the same points"
    assert list(trials(records)) == list(range(TRIALS))
    assert len(rest) == TRIALS + 2 - stop
    assert is_complete(budget_arm(), records)
    check_archive(budget_arm(), records, tmp_path)


def test_a_failed_trial_counts_and_the_next_command_makes_it_again_at_its_point(toy: Toy, tmp_path: Path) -> None:
    arm, records = budget_arm(), {}
    order = drive(arm, records, tmp_path)
    failed = {digest: record for digest, record in records.items() if record.status == "failed"}
    assert failed
    assert search_records(arm, records).count(None) == 0
    kept = {digest: record for digest, record in records.items() if digest not in failed}
    assert missing(arm, kept) == len(failed) + arm.seeds
    again = drive(arm, kept, tmp_path)
    assert {spec.digest for spec in again} == set(failed)
    assert kept == records
    assert len(order) == TRIALS + 2


def test_a_larger_budget_goes_on_and_a_smaller_one_chooses_among_the_first(toy: Toy, tmp_path: Path) -> None:
    small, large = budget_arm(trials=5), budget_arm(trials=TRIALS)
    alone, records = {}, {}
    drive(small, alone, None)
    drive(large, records, tmp_path)
    assert choose(small, records) == choose(small, alone)
    finals = drive(small, records, tmp_path)
    assert [spec.phase for spec in finals] == ["final"] * 2, "its trials are there"
    more: Records = dict(alone)
    assert len(drive(large, more, None)) == TRIALS - 5 + 2
    assert trials(more) == trials(records)


def test_runs_of_another_search_do_not_count(toy: Toy) -> None:
    arm = budget_arm()
    others = [
        toy_arm(),
        budget_arm("random"),
        budget_arm(method="equal"),
        budget_arm(setting="many"),
        budget_arm(epochs=9),
        budget_arm(grid={"lr": ("0.01", "0.02", "0.1")}),
        budget_arm(fixed={"weight_decay": "0"}),
    ]
    assert len({study_name(other) for other in (arm, *others)}) == len(others) + 1
    for other in others:
        if other.search is None:
            records = {spec.digest: result(spec) for spec in map(other.spec, other.points())}
        else:
            records = {}
            drive(other, records, None)
        assert search_records(arm, records) == [None] * TRIALS
        assert choose(arm, records) is None
        assert choose(other, records) is not None
    finals = {spec.digest for found in (toy_arm(), arm, budget_arm(trials=3)) for spec in found.finals({"lr": 0.1})}
    assert len(finals) == 6, "final runs of two protocols or budgets are never the same"


def test_a_method_with_fewer_points_tries_each_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "STARTUP", 2)
    grid = {"lr": ("0.01", "0.03", "0.1"), "weight_decay": ("0", "0.001")}
    for sampler in ("tpe", "random"):
        arm, records = budget_arm(sampler, grid=grid), {}
        assert arm.trials == 6
        drive(arm, records, None, ahead=2)
        assert {spec.hyper for spec in trials(records).values()} == {arm.spec(point).hyper for point in arm.points()}
    none = budget_arm(fixed={"lr": "0.1", "weight_decay": "0"})
    assert (none.trials, none.runs, choose(none, {})) == (0, 2, {})
