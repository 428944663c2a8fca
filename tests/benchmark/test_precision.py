"""Precision of training steps: which a run has, that it trains in it, that tables say so where records differ."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmark import precision
from benchmark.campaign import study_name
from benchmark.plan import Options, make_plan
from benchmark.session import Request
from benchmark.spec import Spec
from benchmark.tables.table import make_table
from benchmark.train import Training, run
from benchmark.where import Where
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_record, a_spec, by_digest, measured, toy_arm
from tests.benchmark.waiting import Pictures

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("asked", "suite", "device", "able", "expected"),
    [
        ("auto", "bfloat16", CUDA, True, "bfloat16"),
        ("auto", "bfloat16", CUDA, False, "float32"),
        ("auto", "bfloat16", CPU, True, "float32"),
        ("auto", "float32", CUDA, True, "float32"),
        ("float32", "bfloat16", CUDA, True, "float32"),
        ("bfloat16", "float32", CPU, False, "bfloat16"),
    ],
)
def test_suite_and_device_decide_unless_the_user_does(
    asked: Any, suite: Any, device: torch.device, able: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: able and not including_emulation)
    assert precision.chosen(asked, suite, device) == expected


def test_the_precision_asked_for_is_part_of_a_runs_identity_and_auto_is_not(toy: Toy) -> None:
    plain = a_spec()
    assert "precision" not in plain.to_json()
    asked = replace(plain, precision="bfloat16")
    assert asked.digest != plain.digest != replace(plain, precision="float32").digest
    assert Spec.from_json(asked.to_json()) == asked
    assert Spec.from_json(plain.to_json()) == plain
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",), precision="bfloat16"))
    assert {spec.precision for spec in [arm.spec(arm.points()[0]), *arm.finals({})]} == {"bfloat16"}
    assert study_name(arm) != study_name(toy_arm())


class Seen(nn.Module):
    """Notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.types: list[tuple[bool, torch.dtype]] = []

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.types.append((self.training, inputs.dtype))
        return inputs


@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_steps_are_in_the_precision_and_evaluation_in_float32(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Measured(Pictures):
        def measure(self, setting: str, model: nn.Module, batches: Any) -> dict[str, float]:
            for batch in batches:
                assert model(batch.inputs)[0].dtype == torch.float32
            return {"top1": 0.5, "top2": 0.5}

    training = Training(Measured(), a_spec(method="famo", precision=asked), CPU)
    first, after = Seen(), Seen()
    training.problem.model.trunk.insert(0, first)  # type: ignore[operator]
    training.problem.model.trunk.insert(2, after)  # type: ignore[operator]
    row = training.epoch(1)
    reduced = asked == "bfloat16"
    dtype = torch.bfloat16 if reduced else torch.float32
    assert {kept for kept in first.types if kept[0]} == {(True, torch.float32)}
    assert {kept for kept in after.types if kept[0]} == {(True, dtype)}
    assert {kept[1] for kept in after.types if not kept[0]} == {torch.float32}
    assert len([kept for kept in first.types if kept[0]]) == 2 * training.clock.steps, "the second pass of a step too"
    assert all(part.dtype == torch.float32 for part in training.problem.model.parameters())
    assert all(map(torch.isfinite, map(torch.tensor, row["loss"])))


def test_a_record_says_its_precision_and_repeats_bit_for_bit(toy: Toy) -> None:
    for asked, said in (("auto", "float32"), ("bfloat16", "bfloat16")):
        spec = a_spec(method="equal", precision=asked)
        record = run(spec)
        assert record.status == "ok", record.reason
        assert record.environment["precision"] == said
        assert measured(run(spec).to_json()) == measured(record.to_json())
    reduced, plain = (run(a_spec(method="equal", precision=p)).epochs[0]["loss"] for p in ("bfloat16", "auto"))
    assert reduced != plain
    assert reduced == pytest.approx(plain, rel=0.05)


@pytest.mark.parametrize(
    ("precisions", "said", "notes"),
    [
        ((None, None), "", 0),
        (("float32", None), "", 0),
        (("bfloat16", "bfloat16"), "Training steps in bfloat16, evaluation in float32. ", 0),
        (("bfloat16", None), "Training steps in bfloat16 and float32, evaluation in float32; notes say which", 1),
    ],
)
def test_a_table_says_precisions_and_marks_costs_of_several(precisions: Any, said: str, notes: int, toy: Toy) -> None:
    arm = toy_arm(fixed={"lr": "0.1", "weight_decay": "0"})
    records = [
        a_record(spec, score=0.5, environment={"device": "a machine"} | ({"precision": given} if given else {}))
        for spec, given in zip(arm.finals({}), precisions, strict=True)
    ]
    table = make_table([arm], by_digest(records))
    assert ("Training steps" in table.caption) == bool(said)
    assert said in table.caption
    found = [note for note in table.notes if "trained in bfloat16 and float32" in note]
    assert len(found) == notes
    assert ("[1]" in table.results.iloc[0][("few", "s/step")]) == bool(notes)


@pytest.mark.usefixtures("toy")
def test_the_command_takes_a_precision_and_refuses_others(cli: Cli, tmp_path: Path) -> None:
    words = ("--suite", "toy", "--results-dir", tmp_path, "--settings", "few", "--workers", "0", "--wandb", "disabled")
    ended = cli(*words, "--precision", "float16")
    assert (ended.status, ended.out) == (2, "")
    assert "unknown precision 'float16' (did you mean bfloat16?); choose one of: auto, float32, bfloat16" in ended.err
    fixed = ("--set", "lr=0.1", "--set", "weight_decay=0", "--methods", "stl", "--epochs", "1")
    ended = cli(*words, *fixed, "--precision", "bfloat16")
    assert ended.status == 0, ended.err
    assert "Training steps in bfloat16" in (tmp_path / "toy" / "table.md").read_text()
    ended = cli(*words, *fixed, "--dry-run")
    assert "2 left" in ended.out, "runs of another precision do not count"


@pytest.mark.usefixtures("toy")
def test_commands_for_missing_runs_name_the_precision(tmp_path: Path) -> None:
    options = Options("toy", settings=("few",), methods=("stl",), precision="float32")
    (arm,) = make_plan(options)
    request = Request(options, Where("cpu", 0), None, tmp_path, "disabled", (), False)
    assert "--precision=float32" in request.command(arm).command
    (arm,) = make_plan(replace(options, precision="auto"))
    assert "--precision" not in replace(request, options=replace(options, precision="auto")).command(arm).command
