"""Checkpoints: when they are due, which are refused, what a folder that cannot be used costs, and when they go."""

import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark import checkpoint, tensorfile
from benchmark.checkpoint import LEAST_SEC, SHARE, Saver, is_due
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.record import Record, Store
from benchmark.spec import Spec
from benchmark.tally import Clock
from benchmark.train import run
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, measured
from tests.benchmark.resuming import Killed, killed_at

CPU = torch.device("cpu")
seconds = st.floats(0.01, 1000)


@given(costs=st.lists(seconds, min_size=1, max_size=20), step=st.floats(0.1, 300))
def test_at_no_checkpoint_have_they_taken_more_than_their_share(costs: list[float], step: float) -> None:
    ran = since = spent = 0.0
    for cost in costs:
        for _ in range(2000):
            ran, since = ran + step, since + step
            if is_due(ran=ran, since=since, spent=spent, expected=cost):
                assert since >= LEAST_SEC
                ran, spent, since = ran + cost, spent + cost, 0.0
                assert spent <= SHARE * ran
                break


@pytest.mark.parametrize(
    ("due", "times"),
    [
        (True, {"ran": 100.0, "since": 100.0, "spent": 0.0, "expected": 1.0}),
        (False, {"ran": 100.0, "since": 100.0, "spent": 0.0, "expected": 1.01}),
        (False, {"ran": 199.0, "since": 99.0, "spent": 1.0, "expected": 1.0}),
        (True, {"ran": 200.0, "since": 99.0, "spent": 1.0, "expected": 1.0}),
        (False, {"ran": 1e6, "since": LEAST_SEC - 1, "spent": 0.0, "expected": 0.001}),
    ],
)
def test_the_cost_decides_when_one_is_due(due: bool, times: dict[str, float]) -> None:
    assert is_due(**times) == due


class FakeTime:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


def test_times_are_those_of_all_processes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = FakeTime(monkeypatch)

    def work(clock: Clock, *, steps: int) -> None:
        hand.now += 1  # which belongs to no part
        clock.begin()
        hand.now += 2.0 * steps
        clock.steps += steps
        clock.end("train_sec")
        hand.now += 0.5
        clock.end("checkpoint_sec")

    first = Clock()
    work(first, steps=4)
    state = first.state_dict()
    hand.now += 10_000  # nobody was there
    second = Clock()
    second.load_state_dict(state)
    work(second, steps=6)
    assert second.total_sec() == 1 + 8 + 0.5 + 1 + 12 + 0.5
    times = {"step_sec": 2.0, "train_sec": 20.0, "evaluation_sec": 0.0, "checkpoint_sec": 1.0, "resumed": 1}
    assert second.times() == times
    third = Clock()
    third.load_state_dict(second.state_dict())
    assert (third.total_sec(), third.times()) == (second.total_sec(), {**times, "resumed": 2})


class Counter:
    """A run that only counts, of a size that costs time."""

    def __init__(self) -> None:
        self.clock, self.step = Clock(), 0

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "weights": torch.zeros(25_000_000, dtype=torch.int8)}

    def load_state_dict(self, state: Any) -> None:
        self.step = state["step"]


def test_the_first_checkpoint_waits_for_an_estimate_and_the_next_for_the_measured_cost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hand, written = FakeTime(monkeypatch), []
    monkeypatch.setattr(checkpoint, "ASSUMED_BYTES_PER_SEC", 5e7)

    def write(path: Path, value: Any) -> None:
        written.append(counter.step)
        hand.now += 2.0

    monkeypatch.setattr(checkpoint, "replace", write)
    saver, counter = Saver(a_spec(), CPU, tmp_path), Counter()
    for counter.step in range(1, 1000):
        saver.visit(counter)
        hand.now += 1.0
    assert written[0] == 51, "half a second is a hundredth of 50"
    assert written[1] == 399, "4 seconds are of 400, 2 of which the first one took"
    assert counter.clock.checkpoint_sec / counter.clock.total_sec() <= SHARE


def interrupted(spec: Spec, folder: Path) -> Path:
    """Leave the checkpoint of a run that died after five steps."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(lambda step: step == 5, patch)
        with pytest.raises(Killed):
            run(spec, "cpu", Places(checkpoints=folder), every=1)
    return folder / spec.digest


def bits(record: Record) -> dict[str, Any]:
    assert record.status == "ok", record.reason
    return measured(record.to_json())


def content_of(path: Path, **changes: Any) -> None:
    """Change parts of a checkpoint, with a right digest."""
    value = tensorfile.read(path)
    path.unlink()
    tensorfile.write(path, {part: {**value[part], **changes.get(part, {})} for part in value})


DAMAGE = {
    "it is cut short or was changed": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "it is no checkpoint of this format": lambda path: path.write_bytes(pickle.dumps({"step": 3})),
    "it is of another run": lambda path: content_of(path, identity={"run": a_spec(seed=7).to_json()}),
    "it is of another version of the code": lambda path: content_of(path, identity={"version of the code": "f00"}),
    "it is of another version of torch": lambda path: content_of(path, identity={"version of torch": "1.0"}),
    "it is of another type of device": lambda path: content_of(path, identity={"type of device": "cuda"}),
    "it does not fit the run (RuntimeError)": lambda path: content_of(path, state={"model": {"weight": torch.ones(1)}}),
    "it does not fit the run (TypeError)": lambda path: content_of(path, state={"clock": None}),
    "Is a directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("told", DAMAGE)
def test_a_checkpoint_that_cannot_be_used_costs_its_steps_and_nothing_else(
    told: str, toy: Toy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = a_spec(method="auxilearn-linear", phase="final")
    expected = bits(run(spec))
    path = interrupted(spec, tmp_path)
    DAMAGE[told](path)
    record = run(spec, "cpu", Places(checkpoints=tmp_path))
    assert bits(record) == expected
    assert record.timing["resumed"] == 0
    error = capfd.readouterr().err
    assert error.startswith(f"checkpoint {path}: ")
    assert told in error
    assert error.endswith("; the run starts from its beginning\n")
    assert error.count("\n") == 1


def test_one_that_can_be_used_is_taken_over_without_a_word(
    toy: Toy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = a_spec(method="auxilearn-linear", phase="final")
    interrupted(spec, tmp_path)
    assert run(spec, "cpu", Places(checkpoints=tmp_path)).timing["resumed"] == 1
    assert capfd.readouterr().err == ""


def test_the_code_of_a_run_is_part_of_its_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (checkpoint.identity(a_spec(method=name), CPU)["version of the code"] for name in ("equal", "dwa"))
    assert one != other
    read = Path.read_bytes
    for name, same in (("data.py", False), ("dwa.py", True), ("equal.py", False), ("combiners.py", False)):
        checkpoint._sources.cache_clear()
        monkeypatch.setattr(Path, "read_bytes", lambda path, name=name: read(path) + b"#" * (path.name == name))
        assert (checkpoint.identity(a_spec(method="equal"), CPU)["version of the code"] == one) == same, name
    checkpoint._sources.cache_clear()


@pytest.mark.parametrize("trouble", ["missing", "full", "strange"])
def test_where_nothing_can_be_saved_runs_go_on_and_say_so_once(
    trouble: str, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = a_spec(phase="final")
    expected = bits(run(spec))

    def fail(path: Path, value: Any) -> None:
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device") if trouble == "full" else TypeError("cannot hold a thing")

    if trouble != "missing":
        monkeypatch.setattr(tensorfile, "write", fail)
    folder = tmp_path / "there" if trouble == "missing" else tmp_path
    for _ in range(2):
        assert bits(run(spec, "cpu", Places(checkpoints=folder), every=1)) == expected
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"checkpoint {folder}: ")
    assert error.endswith("; runs go on without checkpoints\n")
    assert not list(tmp_path.iterdir())


def test_the_old_checkpoint_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "it"
    checkpoint.replace(path, {"step": 1})

    def fall(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fall)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.replace(path, {"step": 2})
    assert tensorfile.read(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
    checkpoint.replace(path, {"step": 2})
    assert tensorfile.read(path) == {"step": 2}


@pytest.mark.parametrize("saved", [False, True])
def test_an_error_before_the_first_record_leaves_checkpoints_of_a_new_folder(tmp_path: Path, *, saved: bool) -> None:
    store = Store(tmp_path / "toy")

    def fail() -> None:
        with store.writing():
            if saved:
                (store.checkpoints / a_spec().digest).touch()
            raise UserError("the disk is full")

    with pytest.raises(UserError, match="full"):
        fail()
    assert (store.checkpoints / a_spec().digest).exists() == store.folder.exists() == saved


def test_checkpoints_go_when_their_record_is_on_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "toy")
    done, diverged, failed, waiting = specs = [a_spec(seed=seed) for seed in range(4)]
    with store.writing():
        for spec in specs:
            (store.checkpoints / spec.digest).touch()
        (store.checkpoints / f"{done.digest}.1-2.part").touch()
        store.append(a_record(done))
        store.append(Record(diverged, "diverged", "it fell"))
        store.append(a_failure(failed))
        assert {path.name for path in store.checkpoints.iterdir()} == {failed.digest, waiting.digest}
        (store.checkpoints / done.digest).touch()  # by a worker that began it again as its record was written
    assert {path.name for path in store.checkpoints.iterdir()} == {failed.digest, waiting.digest}
    for name in (done.digest, f"{waiting.digest}.1-2.part"):
        (store.checkpoints / name).touch()
    with store.writing():
        assert {path.name for path in store.checkpoints.iterdir()} == {failed.digest, waiting.digest}
        store.append(a_record(failed))
        store.append(a_record(waiting))
    assert not store.checkpoints.exists()
