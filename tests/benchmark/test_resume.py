"""A run that is interrupted ends with the same bits as one that is not, whatever the method and the step."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark import stopping
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.train import Training, run
from tests.benchmark.helpers import ROOT, a_spec, environment, install, measured
from tests.benchmark.resuming import SUITES, Killed, cases, frequent, killed_at, lives

__all__ = ["frequent"]


def a_run(kind: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Spec:
    """Install a suite and return a final run of it with Dropout, draws and more than one epoch."""
    suite = SUITES[kind]()
    suite.name = "toy"
    install(monkeypatch, suite)
    return a_spec(phase="final", epochs=3, hyper=(("lr", 0.01), ("weight_decay", 0.001)), **changes)


def bits(record: Record) -> dict[str, Any]:
    assert record.status == "ok", record.reason
    return measured(record.to_json())


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize(("kind", "method"), list(cases()))
def test_a_run_that_dies_at_each_of_its_steps_ends_with_the_same_bits(
    kind: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_run(kind, monkeypatch, method=method)
    expected = bits(run(spec))
    killed_at(lambda step: True, monkeypatch)
    record, deaths = lives(spec, tmp_path)
    assert bits(record) == expected
    assert deaths >= 9
    assert record.timing["resumed"] == deaths


@pytest.mark.parametrize("kind", SUITES)
def test_checkpoints_move_no_bit(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = a_run(kind, monkeypatch, method="auxilearn" if kind == "generated" else "auxilearn-linear")
    record = run(spec, "cpu", Places(checkpoints=tmp_path), every=1)
    assert bits(record) == bits(run(spec))
    assert record.timing["checkpoint_sec"] > 0
    assert record.timing["resumed"] == 0


def test_a_process_that_dies_in_the_middle_of_a_step_loses_the_steps_since_the_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_run("vectors", monkeypatch, method="auxilearn-linear")
    expected = bits(run(spec))
    calls: list[int] = []
    batch = Training._batch

    def fatal(self: Training, index: Tensor) -> Any:
        calls.append(self.step)
        if len(calls) == 6:
            raise Killed
        return batch(self, index)

    monkeypatch.setattr(Training, "_batch", fatal)
    record, deaths = lives(spec, tmp_path, every=3)
    assert (bits(record), deaths) == (expected, 1)
    assert calls == [0, 0, 1, 2, 3, 4, *range(3, 9)], "an outer step takes a second batch"


SCRIPT = """
import json, os, sys
from pathlib import Path
import pytest
from benchmark.checkpoint import Saver
from benchmark.places import Places
from benchmark.train import run
from tests.benchmark.test_resume import a_run
visit = Saver.visit
def fatal(self, run):
    visit(self, run)
    if run.step == 7 and sys.argv[2] == "dies":
        os._exit(9)
Saver.visit = fatal
spec = a_run("images", pytest.MonkeyPatch(), method="rlw")
print(json.dumps(run(spec, "cpu", Places(checkpoints=Path(sys.argv[1])), every=3).to_json()))
"""


def test_another_process_takes_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def process(how: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", SCRIPT, str(tmp_path), how]
        return subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=100)

    first = process("dies")
    assert (first.returncode, first.stdout) == (9, ""), first.stderr
    spec = a_run("images", monkeypatch, method="rlw")
    assert [path.name for path in tmp_path.iterdir()] == [spec.digest]
    second = process("lives")
    assert second.returncode == 0, second.stderr
    values = json.loads(second.stdout)
    assert values["timing"]["resumed"] == 1
    assert measured(Record.from_json(values).to_json()) == bits(run(spec))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_two_steps_with_the_state_saved(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_run("vectors", monkeypatch, method="gradnorm")
    expected, step = bits(run(spec)), torch.optim.SGD.step
    held = signal.getsignal(number)
    steps: list[int] = []

    def interrupted(self: torch.optim.SGD, closure: Any = None) -> Any:
        steps.append(len(steps))
        if len(steps) == 6:
            signal.raise_signal(number)
        return step(self)

    monkeypatch.setattr(torch.optim.SGD, "step", interrupted)
    with pytest.raises(stopping.Stopped):
        run(spec, "cpu", Places(checkpoints=tmp_path))
    assert len(steps) == 6, "no step after the signal, and the one under way to its end"
    assert signal.getsignal(number) is held
    assert (tmp_path / spec.digest).is_file()
    record = run(spec, "cpu", Places(checkpoints=tmp_path))
    assert (bits(record), len(steps)) == (expected, 12)
    assert signal.getsignal(number) is held


@pytest.mark.parametrize("place", [None, "checkpoints"])
def test_ctrl_c_stops_at_once_the_second_time_and_where_nothing_is_saved(
    place: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_run("vectors", monkeypatch)
    monkeypatch.setattr(stopping, "BOUNCE_SEC", 0)
    (tmp_path / "checkpoints").mkdir()

    def interrupted(self: Training, index: Tensor) -> Any:
        for _ in range(1 if place is None else 2):
            signal.raise_signal(signal.SIGINT)
        raise AssertionError("the step goes on")

    monkeypatch.setattr(Training, "_batch", interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        run(spec, "cpu", Places(checkpoints=None if place is None else tmp_path / place))
    assert raised.type is KeyboardInterrupt
    assert not list((tmp_path / "checkpoints").iterdir())
