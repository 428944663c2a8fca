"""Processes that train at once: each takes the steps that it is told to, and an outer step where one is due."""

from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from benchmark.errors import UserError
from benchmark.speed import sharing
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.speed.conftest import Cli

CPU = torch.device("cpu")
sharing_together = sharing.together
NO_NUMBER: Any = "no number"


class Orders:
    """A pipe through which some numbers of steps come and then its end."""

    def __init__(self, orders: list[int]) -> None:
        self.orders, self.said = orders, list[str]()

    def send(self, what: str) -> None:
        self.said.append(what)

    def recv(self) -> int:
        if not self.orders:
            raise EOFError
        return self.orders.pop(0)


def test_without_a_gpu_it_says_so(cli: Cli, tmp_path: Path) -> None:
    ended = cli("sharing", "--results-dir", tmp_path)
    expected = "error: processes that share a GPU are measured; give --device cuda\n"
    assert (ended.status, ended.err) == (2, expected)
    assert not list(tmp_path.iterdir())


def test_rates_and_ratios_of_each_number_of_processes_are_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "lacking", lambda device: None)
    given = ("--suite", "digits", "--methods", "equal,auxilearn-linear", "--processes", "2,1", "--repeats", "2")
    ended = cli("sharing", *given, "--steps", "10", "--device", "cpu", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = {row.what: row for row in read(tmp_path / sharing.FILE, Measurement)}
    assert set(found) == {
        f"{what}, digits, {method}{count}"
        for method in ("equal", "auxilearn-linear")
        for what, count in (("steps/s", ", 1 process"), ("steps/s", ", 2 processes"), ("ratio of 2 processes to 1", ""))
    }
    assert {row.turns for row in found.values()} == {2}
    for method in ("equal", "auxilearn-linear"):
        ratio = found[f"ratio of 2 processes to 1, digits, {method}"]
        one, two = (found[f"steps/s, digits, {method}, {count}"] for count in ("1 process", "2 processes"))
        assert two.lowest / one.highest * 0.999 <= ratio.lowest <= ratio.highest <= two.highest / one.lowest * 1.001


@pytest.mark.parametrize(
    ("suite", "method", "why"),
    [("folder", "equal", "folder cannot be measured: its network"), ("digits", "maxl", "digits declines maxl: it ")],
)
def test_what_cannot_be_measured_is_refused_before_the_work(
    suite: str, method: str, why: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "lacking", lambda device: None)
    given = ("--suite", suite, "--methods", f"stl,{method}", "--device", "cpu", "--results-dir", tmp_path)
    ended = cli("sharing", *given)
    assert ended.status == 2
    assert ended.err.startswith(f"error: {why}")
    assert not list(tmp_path.iterdir())


def test_a_process_is_warm_and_before_its_first_outer_step() -> None:
    training = sharing.started(sharing.arm_of("digits", "auxilearn-linear"), CPU)
    assert training.step == 0
    assert training.clock.steps == sharing.WARM_UP


def test_an_error_of_a_process_is_told_in_one_line_and_ends_the_others(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "lacking", lambda device: None)
    monkeypatch.setattr(sharing, "together", lambda there, steps: sharing_together(there, NO_NUMBER))
    given = ("--suite", "digits", "--methods", "equal", "--processes", "2", "--device", "cpu")
    ended = cli("sharing", *given, "--results-dir", tmp_path)
    assert ended.status == 2
    assert ended.err.startswith(f"error: {sharing.ENDED}: TypeError: ")
    assert ended.err.count("\n") == 1


def test_a_process_that_is_killed_is_told_in_one_line() -> None:
    with sharing.workers(1, "digits", "equal", "cpu") as there:
        (child,) = (each for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline()))
        child.kill()
        child.wait(30)
        with pytest.raises(UserError, match="without a word"):
            sharing.together(there, 1)


def test_every_turn_has_the_same_outer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    training = sharing.started(sharing.arm_of("digits", "auxilearn-linear"), CPU)
    outer: list[int] = []
    step = training.method.outer_step
    monkeypatch.setattr(training.method, "outer_step", lambda *given, **named: (outer.append(1), step(*given, **named)))
    monkeypatch.setattr(sharing, "started", lambda arm, device: training)
    monkeypatch.setattr(sharing.signal, "signal", lambda *given: None)
    pipe = Orders([7, 7, 7])
    sharing._train("digits", "auxilearn-linear", "cpu", pipe)  # type: ignore[arg-type]
    assert training.method.outer_every > 7 / 2
    assert len(outer) == 3 * -(-7 // training.method.outer_every)
    assert pipe.said == [""] * 4


def test_one_suite_is_measured(cli: Cli, tmp_path: Path) -> None:
    ended = cli("sharing", "--suite", "cub,nyuv2", "--device", "cuda", "--results-dir", tmp_path)
    assert (ended.status, ended.err) == (2, "error: give one suite, not cub,nyuv2\n")
