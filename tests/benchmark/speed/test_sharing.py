"""Processes that train at once: each takes the steps that it is told to, and an outer step where one is due."""

from pathlib import Path

import pytest
import torch

from benchmark.speed import sharing
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.speed.conftest import Cli

CPU = torch.device("cpu")


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


def test_the_death_of_a_process_is_an_error_and_ends_the_others() -> None:
    with sharing.workers(2, "digits", "equal", "cpu") as there:
        there[0].send("no number of steps")
        with pytest.raises(EOFError):
            there[0].recv()
