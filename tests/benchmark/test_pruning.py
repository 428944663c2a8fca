"""The median stopping rule: worked out by hand, never for the best, obeyed by resumed runs, never for final runs."""

import dataclasses
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from benchmark import budget
from benchmark.arm import Arm
from benchmark.campaign import Campaign, choose, missing, outcomes, reached, score, study_name
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.pruning import STARTUP, Bars, bars_of, verdict
from benchmark.record import Record, Store
from benchmark.sampling import SampledStudy
from benchmark.search import Archive, Outcome, Reached, propose_by_tpe
from benchmark.spec import Search, Spec
from benchmark.storage import open_storage
from benchmark.suite import Metric
from benchmark.train import run
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_record, a_spec, by_digest, lines, results, toy_arm
from tests.benchmark.resuming import Killed, killed_at, lives

TOP1 = Metric("top1")
LOSS = Metric("loss", higher_is_better=False, percent=False)
EPOCHS = 8
RISING = [[0.1 * (trial + epoch) for epoch in range(EPOCHS)] for trial in range(5)]


def rows(scores: Sequence[float], name: str = "top1") -> list[dict]:
    return [{"epoch": epoch, "validation": {name: value}} for epoch, value in enumerate(scores, start=1)]


def test_bars_by_hand() -> None:
    bars = bars_of(RISING, EPOCHS)
    assert bars is not None
    assert bars.trials == 5
    assert bars.medians[0] is None, "a quarter of the epochs is trained in any case"
    expected = [0.2 + 0.1 * epoch / 2 for epoch in range(1, EPOCHS)]  # the middle trial's running average
    assert bars.medians[1:] == pytest.approx(expected)
    assert bars_of(RISING[:4], EPOCHS) is None, "four trials say too little"
    even = bars_of([*RISING, [9.0] * EPOCHS], EPOCHS)
    assert even is not None
    assert even.medians[1] == pytest.approx((0.25 + 0.35) / 2)


@pytest.mark.parametrize(
    ("scores", "metric", "pruned"),
    [
        ([0.1, 0.2], TOP1, True),
        ([0.1, 0.25], TOP1, False),  # a tie goes on
        ([0.9, 0.0], TOP1, False),  # the best so far counts, not the last
        ([0.1], TOP1, False),  # before the end of the warm-up
        ([0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], TOP1, False),  # trained in full
        ([0.3, 0.3], LOSS, True),
        ([0.3, 0.25], LOSS, False),
        ([0.1, 0.3], LOSS, False),
    ],
)
def test_verdicts_by_hand(scores: list[float], metric: Metric, pruned: bool) -> None:
    bars = Bars((None, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25), 7)
    reason = verdict(bars, rows(scores, metric.name), metric)
    assert bool(reason) == pruned
    if pruned and metric is TOP1:
        assert reason == "the median stopping rule at epoch 2 of 8: best top1 20, median 25 of 7 trials"
    assert verdict(None, rows(scores, metric.name), metric) == verdict(bars, [], metric) == ""


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[list[float]], bool]:
    epochs = draw(st.integers(1, 12))
    values = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.1, 0.2, 0.3, 1 / 3]))
    curve = st.lists(values, min_size=epochs, max_size=epochs)
    return draw(st.lists(curve, min_size=STARTUP, max_size=9)), draw(st.booleans())


@given(searches())
def test_bars_are_medians_of_running_averages_and_the_best_is_never_pruned(
    given: tuple[list[list[float]], bool],
) -> None:
    curves, higher = given
    metric = Metric("top1", higher_is_better=higher)
    epochs = len(curves[0])
    bars = bars_of(curves, epochs)
    assert bars is not None
    best = [(max if higher else min)(curve[epoch] for curve in curves) for epoch in range(epochs)]
    for epoch in range(1, epochs + 1):
        slow = statistics.median(statistics.mean(curve[:epoch]) for curve in curves)
        bar = bars.medians[epoch - 1]
        assert bar == (None if epoch < epochs / 4 else pytest.approx(slow, abs=1e-9))
        assert not verdict(bars, rows(best[:epoch]), metric), "it is as good as any other at every epoch"


@given(st.floats(-1e3, 1e3), st.integers(2, 12))
def test_trials_that_are_all_alike_are_never_pruned(value: float, epochs: int) -> None:
    curves = [[value] * epochs] * STARTUP
    for higher in (True, False):
        for epoch in range(1, epochs + 1):
            metric = Metric("top1", higher_is_better=higher)
            assert not verdict(bars_of(curves, epochs), rows([value] * epoch), metric), "rounding is no reason"


HIGH = Bars((None, 2.0, 2.0), 6)
"""What no accuracy reaches, from the second epoch on."""


def test_a_pruned_run_has_its_epochs_a_reason_and_no_result(toy: Toy) -> None:
    full, pruned = run(a_spec()), run(a_spec(), bars=HIGH)
    assert (pruned.status, full.status) == ("pruned", "ok")
    assert pruned.reason.startswith("the median stopping rule at epoch 2 of 3: best top1 ")
    assert pruned.epochs == full.epochs[:2]
    assert pruned.test == {}
    assert score(pruned, "top1") is None
    assert reached(pruned, "top1") == (2, max(row["validation"]["top1"] for row in pruned.epochs))
    assert reached(full, "top1") is None
    unreached = dataclasses.replace(run(a_spec(), bars=Bars((None, -1.0, -1.0), 6)), timing={}, finished="", memory={})
    assert unreached == dataclasses.replace(full, timing={}, finished="", memory={})
    assert Record.from_json(json.loads(json.dumps(pruned.to_json()))).status == "pruned"


@pytest.mark.parametrize("later", [None, Bars((None, -1.0, -1.0), 9)])
def test_a_resumed_run_obeys_the_bars_that_it_began_with(
    later: Bars | None, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(a_spec(), bars=HIGH)
    with monkeypatch.context() as patch:
        killed_at(lambda step: step == 4, patch)
        with pytest.raises(Killed):
            run(a_spec(), "cpu", Places(checkpoints=tmp_path), HIGH, every=1)
    resumed = run(a_spec(), "cpu", Places(checkpoints=tmp_path), later, every=1)
    assert resumed.timing["resumed"] == 1
    assert (resumed.status, resumed.reason, resumed.epochs) == ("pruned", whole.reason, whole.epochs)


def test_a_run_without_bars_stays_without_them(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_at(lambda step: step % 3 == 0, monkeypatch)
    record, deaths = lives(a_spec(), tmp_path)
    assert (record.status, deaths > 0) == ("ok", True)


def pruning_arm(trials: int = 9) -> Arm:
    return toy_arm(trials=trials, sampler="random", pruner="median")


def trial_record(arm: Arm, number: int, scores: Sequence[float], **changes: object) -> Record:
    spec = arm.spec(arm.points()[0], trial=number)
    epochs = [{**a_record().epochs[0], **row} for row in rows(scores)]
    best = max(scores, default=0.0)
    return a_record(spec, score=best, **{"epochs": epochs, **changes})  # pyright: ignore[reportArgumentType]


def test_bars_come_from_completed_trials_of_the_arm_and_final_runs_have_none(toy: Toy) -> None:
    arm = pruning_arm()
    done = by_digest(trial_record(arm, number, [0.1 * number] * 3) for number in range(5))
    lost = by_digest(
        [
            trial_record(arm, 5, [9.0], status="pruned", reason="a rule"),
            trial_record(arm, 6, [], status="diverged", reason="loss is nan", selected={}),
        ]
    )
    records = {**done, **lost}
    campaign = Campaign([arm], records, lambda arm: SampledStudy(arm, outcomes(arm, records), None))
    spec = campaign.next_spec()
    assert spec is not None
    assert spec.search is not None
    assert spec.search.trial == 7
    assert campaign.bars(spec) == Bars((0.2, 0.2, 0.2), 5)
    without = dataclasses.replace(spec, search=dataclasses.replace(spec.search, pruner=None))
    assert campaign.bars(without) is None
    for _ in range(2):
        records[spec.digest] = a_record(spec)
        campaign.done(records[spec.digest])
        spec = campaign.next_spec()
        assert spec is not None
    assert spec.phase == "final"
    assert campaign.bars(spec) is None


def test_a_pruned_trial_counts_is_never_chosen_and_not_made_again(toy: Toy) -> None:
    arm = pruning_arm(3)
    records = by_digest(trial_record(arm, number, [value] * 3) for number, value in enumerate([0.2, 0.4]))
    records |= by_digest([trial_record(arm, 2, [0.9], status="pruned", reason="a rule")])
    assert missing(arm, records) == arm.seeds, "no search run is left"
    point = choose(arm, records)
    assert point == arm.points()[0]
    assert outcomes(arm, records)[2] == Outcome(arm.points()[0], True, None, Reached(1, 0.9))


def test_the_archive_shows_a_pruned_trial_with_its_score(toy: Toy, tmp_path: Path) -> None:
    arm = pruning_arm()
    archive = Archive(open_storage(None, tmp_path), study_name(arm), arm.space, maximize=True)
    for number in range(3):
        archive.begin(number, arm.points()[0])
    for _ in range(2):  # the second time, as the next command does
        archive.finish(0, None, Reached(2, 0.75))
        archive.finish(1, None)
        archive.finish(2, 0.5)
    trials = optuna.load_study(study_name=study_name(arm), storage=open_storage(None, tmp_path)).trials
    assert [trial.state for trial in trials] == [TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE]
    assert trials[0].intermediate_values == {2: 0.75}


def test_to_tpe_a_trial_pruned_late_is_better_than_one_pruned_early_or_failed(toy: Toy) -> None:
    arm = toy_arm(trials=40, fixed={"weight_decay": "0"}, epochs=20)

    def proposed(near: Reached | None, far: Reached | None) -> float:
        points = [(0.011 + 0.0001 * number, near) for number in range(10)] + [(0.09, far)] * 10
        told = {n: Outcome({"lr": lr}, True, None, end) for n, (lr, end) in enumerate(points)}
        return statistics.median(
            float(str(propose_by_tpe(arm.space, told, seed=seed, maximize=True)["lr"])) for seed in range(15)
        )

    late, early = Reached(18, 0.9), Reached(5, 0.1)
    assert proposed(late, early) < 0.03 < proposed(early, late)
    assert proposed(early, None) < 0.03 < proposed(None, early)


def test_identities_without_a_pruner_or_a_seed_are_as_before(toy: Toy) -> None:
    plain = Search("tpe", "abc", trials=3)
    searches = plain, dataclasses.replace(plain, pruner="median"), dataclasses.replace(plain, seed=1)
    specs = [a_spec(search=search) for search in searches]
    assert specs[0].to_json()["search"] == {"sampler": "tpe", "space": "abc", "trials": 3}
    assert specs[0].digest == "bd8935b5061df57d"
    assert specs[1].to_json()["search"]["pruner"] == "median"
    assert specs[2].to_json()["search"]["seed"] == 1
    assert [Spec.from_json(spec.to_json()) for spec in specs] == specs
    assert len({spec.digest for spec in specs}) == 3
    assert study_name(pruning_arm()) != study_name(toy_arm(trials=9, sampler="random"))
    assert budget.options([pruning_arm()]).endswith(" --sampler random --pruner median")
    assert "--pruner" not in budget.options([toy_arm(trials=9)])


HERE = (
    "--suite",
    "toy",
    "--settings",
    "few",
    "--methods",
    "stl",
    "--epochs",
    "6",
    "--workers",
    "0",
    "--wandb",
    "disabled",
)
BUDGET = (
    "--protocol",
    "equal-budget",
    "--trials",
    "14",
    "--sampler",
    "random",
    "--grid",
    "lr=0.000001,0.00001,0.1,0.2,0.3",
)


def test_a_search_with_pruning_from_command_to_table(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    where = ("--results-dir", tmp_path / "median")
    ended = cli(*HERE, *BUDGET, "--pruner", "median", *where)
    assert ended.status == 0, ended.err
    found = lines(tmp_path / "median", "toy")
    pruned = [line for line in found if line["status"] == "pruned"]
    assert pruned
    assert all(line["spec"]["phase"] == "search" and 2 <= len(line["epochs"]) < 6 for line in pruned)
    assert [line["status"] for line in found if line["spec"]["phase"] == "final"] == ["ok", "ok"]
    assert len(found) == 14 + 2
    assert "by the sampler random; hopeless trials pruned by the median stopping rule)" in ended.out
    assert f"[1] stl in few: {len(pruned)} of 14 search runs pruned" in ended.out
    again = cli(*HERE, *BUDGET, "--pruner", "median", *where)
    assert (again.status, again.out, again.err) == (0, ended.out, "")
    plain, none = tmp_path / "plain", tmp_path / "none"
    cli(*HERE, *BUDGET, "--results-dir", plain)
    cli(*HERE, *BUDGET, "--pruner", "none", "--results-dir", none)
    assert results(plain, "toy") == results(none, "toy")
    assert not results(plain, "toy").keys() & results(tmp_path / "median", "toy").keys()
    in_full = {
        line["spec"]["search"]["trial"]: line["epochs"]
        for line in lines(plain, "toy")
        if "trial" in line["spec"]["search"]
    }
    for line in pruned:
        assert line["epochs"] == in_full[line["spec"]["search"]["trial"]][: len(line["epochs"])]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--pruner", "median"), "--pruner belongs to --protocol equal-budget; protocol paper searches whole grids"),
        ((*BUDGET, "--pruner", "best"), "unknown pruner 'best'; choose one of: none, median"),
    ],
)
def test_mistakes(words: tuple[str, ...], told: str, toy: Toy, cli: Cli, tmp_path: Path) -> None:
    ended = cli(*HERE, *words, "--results-dir", tmp_path)
    assert (ended.status, ended.err) == (2, f"error: {told}\n")
    assert not list(tmp_path.iterdir())


def test_a_line_of_a_pruned_trial_without_an_epoch_is_refused(toy: Toy, tmp_path: Path) -> None:
    record = trial_record(pruning_arm(), 0, [], status="pruned", selected={})
    (tmp_path / "records.jsonl").write_text(json.dumps(record.to_json()) + "\n")
    with pytest.raises(UserError, match=r"line 1: not a record \(a pruned trial without an epoch\)"):
        Store(tmp_path).read()
