"""Controls are part of a run's identity, from the command line to the table."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import baselines
from auxilearn import Problem
from benchmark import suites, train
from benchmark.campaign import study_name
from benchmark.controls import extend
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.plan import Arm, Options, make_plan
from benchmark.record import Record, Store
from benchmark.session import Request
from benchmark.spec import CONTROLS, Spec
from benchmark.tables.table import make_table
from benchmark.tracking import as_run
from benchmark.train import Training
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_record, a_spec, by_digest, lines, toy_arm

FIXED = {"lr": "0.1", "weight_decay": "0"}
RUN = ("--suite", "toy", "--settings", "few", "--workers", "0", "--wandb", "disabled")
ONE_POINT = (*RUN, "--set", "lr=0.1", "--set", "weight_decay=0")

Names = tuple[str, ...]
EVERY_CHOICE = pytest.mark.parametrize("controls", [(), ("noise",), CONTROLS])


def test_without_controls_digests_are_those_of_before_there_were_any() -> None:
    assert a_spec(protocol=1).digest == "97509ef3564c83a5"
    assert a_spec(protocol=1, phase="final", seed=3, method="equal").digest == "b799fba62bfafffd"
    assert "controls" not in a_spec().to_json()


def test_every_choice_of_controls_is_another_run_and_another_study(toy: Toy) -> None:
    choices = [(), ("shuffled",), ("noise",), CONTROLS]
    assert len({a_spec(controls=controls).digest for controls in choices}) == 4
    assert len({study_name(toy_arm(controls=controls)) for controls in choices}) == 4


def test_order_and_repetition_make_no_other_run(toy: Toy) -> None:
    names = ("noise", "shuffled", "noise")
    assert a_spec(controls=names) == a_spec(controls=CONTROLS)
    assert a_spec(controls=names).digest == a_spec(controls=CONTROLS).digest
    assert toy_arm(controls=names).spec({}).controls == CONTROLS
    with pytest.raises(ValueError, match="unknown control 'loud'"):
        a_spec(controls=("noise", "loud"))


@EVERY_CHOICE
def test_records_round_trip(controls: Names, tmp_path: Path) -> None:
    spec = a_spec(controls=controls)
    assert Spec.from_json(spec.to_json()) == Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    store = Store(tmp_path)
    with store.writing():
        store.append(a_record(spec))
    store.read()
    assert store.records == {spec.digest: a_record(spec)}


def test_the_plan_of_a_method_sees_the_controls(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def declines(problem: Problem) -> str | None:
        return f"{problem.n_tasks} tasks are too many" if problem.n_tasks > 4 else None

    monkeypatch.setattr(baselines.load("equal"), "declines", declines)
    assert toy_arm("equal").declined is None
    assert toy_arm("equal", controls=("noise",)).declined is None
    assert toy_arm("equal", controls=CONTROLS).declined == "5 tasks are too many"


def test_training_has_the_controls_of_its_spec_alone(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    arm = toy_arm(controls=("noise",))
    for suite in (toy, arm.suite):
        problem = Training(suite, a_spec(controls=("noise",)), torch.device("cpu")).problem
        assert problem.task_names == ("main", "side", "value", "control: noise")
    with pytest.raises(ValueError, match="has controls already"):
        Training(arm.suite, a_spec(), torch.device("cpu"))


def finals(arms: Sequence[Arm], test: float) -> dict[str, Record]:
    return by_digest(a_record(spec, test=test) for arm in arms for spec in arm.finals({}))


def test_a_table_never_shows_records_of_other_controls(toy: Toy) -> None:
    plans = {names: make_plan(Options("toy", fixed=FIXED, controls=names)) for names in ((), ("noise",), CONTROLS)}
    everything = {}
    for number, arms in enumerate(plans.values()):
        others = make_table(arms, everything)
        assert others.numbers.empty
        assert others.results.map(lambda cell: "missing" in str(cell)).to_numpy().sum() == 2 * 2 * 2
        everything |= finals(arms, test=number / 10)
    for number, arms in enumerate(plans.values()):
        table = make_table(arms, everything)
        tests = table.numbers[table.numbers["metric"] == "top1"]
        assert set(tests["mean"]) == {number / 10}
        assert not table.notes
    captions = [make_table(arms, everything).caption for arms in plans.values()]
    assert "3 epochs; epoch selected by" in captions[0]
    assert "3 epochs, with the control noise; epoch selected by" in captions[1]
    assert "3 epochs, with the controls shuffled and noise; epoch selected by" in captions[2]


@EVERY_CHOICE
def test_the_command_of_a_missing_cell_plans_the_same_runs(
    controls: Names, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []
    monkeypatch.setattr("benchmark.session.run_session", asked.append)
    words = ["--controls", ",".join(controls)] if controls else []
    assert cli(*ONE_POINT, "--methods", "stl", "--results-dir", tmp_path, *words).status == 0
    (arm,) = make_plan(asked[0].options)
    assert arm.suite.controls == controls
    command = asked[0].command(arm).command
    assert ("--controls" in command) == bool(controls)
    assert cli(*shlex.split(command.removeprefix("python -m benchmark.run "))).status == 0
    (again,) = make_plan(asked[1].options)
    assert again.finals({}) == arm.finals({})
    (note,) = make_table([arm], {}).notes
    assert ("--controls " + ",".join(controls) in note) == bool(controls)


def test_controls_from_command_to_table(toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "benchmark.session.write_figures", lambda *arguments, **keywords: []
    )  # they take longer than all else
    command = (*ONE_POINT, "--methods", "equal,gcs", "--results-dir", tmp_path)
    assert cli(*command).status == 0
    alone = (tmp_path / "toy" / "table.md").read_text()
    with_controls = (*command, "--controls", "noise,shuffled")
    plan = cli(*with_controls, "--dry-run")
    assert "Plan of suite toy, with the controls shuffled and noise" in plan.out
    assert "4 runs, 4 left" in plan.out
    ended = cli(*with_controls)
    assert ended.status == 0, ended.err
    records = lines(tmp_path, "toy")
    assert [record["spec"].get("controls") for record in records] == [None] * 4 + [list(CONTROLS)] * 4
    assert {record["status"] for record in records} == {"ok"}
    assert records[-1]["tasks"][3:] == ["control: shuffled", "control: noise"]
    table = (tmp_path / "toy" / "table.md").read_text()
    assert "with the controls shuffled and noise" in table
    assert "control: shuffled" in table
    assert "missing" not in table
    assert "4 runs, 0 left" in cli(*with_controls, "--dry-run").out
    assert cli(*command).status == 0
    assert (tmp_path / "toy" / "table.md").read_text() == alone
    assert lines(tmp_path, "toy") == records


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("noise,loud", "unknown control 'loud'; choose one of: shuffled, noise"),
        (" , ", "--controls takes names, by comma, not ' , '"),
        ("noise", "suite 'toy' takes no controls: its labels are generated"),
    ],
)
def test_mistakes_are_one_line(names: str, told: str, words: Names, toy: Toy, cli: Cli, tmp_path: Path) -> None:
    toy.declines_controls = "its labels are generated"  # pyright: ignore[reportAttributeAccessIssue]
    ended = cli(*RUN, "--controls", names, "--results-dir", tmp_path / "results", *words)
    assert (ended.status, ended.out, ended.err) == (2, "", f"error: {told}\n")
    assert not (tmp_path / "results").exists()
    with pytest.raises(UserError, match="unknown control 'loud'"):
        make_plan(Options("toy", controls=("loud",)))


def test_a_wrong_name_is_told_before_anything_slow_is_imported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmark.session", None)
    ended = cli(*RUN[2:], "--suite", "digits", "--controls", "loud")
    assert (ended.status, ended.err) == (2, "error: unknown control 'loud'; choose one of: shuffled, noise\n")


def test_the_mirror_tells_runs_with_controls_apart(tmp_path: Path) -> None:
    runs = [as_run(a_record(spec), tmp_path, "offline")["init"] for spec in (a_spec(), a_spec(controls=CONTROLS))]
    assert [run["group"] for run in runs] == ["toy/stl", "toy+shuffled+noise/stl"]
    assert [run["config"].get("controls") for run in runs] == [None, list(CONTROLS)]
    assert runs[1]["tags"] == ["toy", "few", "stl", "shuffled", "noise"]


@dataclass(frozen=True)
class Odd:
    """A group that nobody knows."""

    names: tuple[str, ...] = ("main",)


def test_a_suite_can_decline_in_one_line():
    toy = Toy()
    toy.declines_controls = "its labels are generated"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(UserError, match=r"^suite 'toy' takes no controls: its labels are generated$"):
        extend(toy, ("noise",))
    assert extend(toy, ()) is toy
    odd = Toy()
    odd.groups = (Odd(),)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(UserError, match="takes no controls: there are none for a main task in a group of Odd"):
        extend(odd, ("noise",))


@pytest.mark.parametrize("name", suites.names())
def test_every_suite_has_controls_or_declines_them(name: str, tmp_path: Path):
    suite = suites.load(name, Places(tmp_path / "data", tmp_path / "cache", sample=True))
    if suite.declines_controls:
        assert "\n" not in suite.declines_controls
        return
    extended = extend(suite, CONTROLS)
    setting = suite.settings[0]
    problem, data = extended.problem(setting, 1), extended.data(setting, 1)
    assert problem.task_names[-2:] == ("control: shuffled", "control: noise")
    assert problem.n_tasks == len(problem.task_groups) == len(problem.task_names)
    losses = problem.losses(data.at(data.train[:8]))
    assert losses.shape[:2] == (8, problem.n_tasks)
    assert losses.isfinite().all()
    assert losses[:, -2:].any(0).flatten().all(), "a control has no loss"
    with torch.no_grad():
        found = extended.measure(setting, problem.model.eval(), data.chunks(data.validation[:8]))
    assert list(found) == [metric.name for metric in suite.metrics]


@pytest.mark.parametrize("suite", ["illustrative", "noisy-auxiliaries"])
def test_figures_of_a_suite_with_controls(suite: str) -> None:
    (arm,) = make_plan(Options(suite, methods=("auxilearn-linear",), seeds=1, epochs=1, controls=CONTROLS))
    record = train.run(arm.finals({})[0])
    assert record.status == "ok", record.reason
    weights = record.epochs[0]["weight"]
    assert len(weights) == len(record.tasks) == arm.suite.problem(arm.setting, 0).n_tasks
    (figure,) = arm.suite.figures([record]).values()
    if suite == "illustrative":
        assert len(figure.axes) == 3
    else:
        assert list(np.asarray(figure.axes[0].lines[0].get_ydata())) == weights[1:-2]
