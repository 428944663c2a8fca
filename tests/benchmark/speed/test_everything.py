"""All measurements under one command: which, in what order, with which options, what is told of bad ends."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer

from benchmark.report import browser
from benchmark.speed import everything
from benchmark.speed.__main__ import app
from benchmark.speed.everything import DURATIONS, SINGLE, Ended, in_a_process, summary
from tests.benchmark.speed.conftest import Cli

NO_GPU = "processes that share a GPU are measured; give --device cuda"
ON_CPU = [name for name in DURATIONS if name != "sharing"]

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


class Runs:
    """Stands for processes: notes what is run; some end with another status and line than 0."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.ends: dict[str, tuple[int, str]] = {}

    def __call__(self, words: list[str]) -> tuple[int, str]:
        self.words.append(words)
        return self.ends.get(words[0], (0, ""))

    @property
    def names(self) -> list[str]:
        return [words[0] for words in self.words]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    found = Runs()
    monkeypatch.setattr(everything, "in_a_process", found)
    monkeypatch.setattr("benchmark.stopping.listen", lambda: None)
    monkeypatch.setattr("benchmark.speed.page.lacking", lambda suite, records: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    return found


def test_every_measurement_is_among_them() -> None:
    assert set(DURATIONS) == set(COMMANDS)
    assert set(SINGLE) <= set(COMMANDS)


def test_all_run_with_their_defaults_in_order(runs: Runs, cli: Cli) -> None:
    ended = cli("--all")
    assert (ended.status, ended.err) == (0, "")
    assert runs.names == ON_CPU
    by_name = {name: words for name, *words in runs.words}
    assert by_name["overhead"] == ["--results-dir", "results"]
    assert by_name["hypergradient"] == ["--device", "cpu", "--results-dir", "results"]
    assert by_name["methods"] == ["--device", "cpu", "--results-dir", "results"]
    assert ended.out.startswith(
        f"[1 of {len(DURATIONS)}] overhead: about half a minute on one core\noverhead: measured in 0 s\n"
    )
    assert ended.out.endswith(f"measured: {', '.join(ON_CPU)}\nskipped: sharing; {NO_GPU}\n")


def test_options_are_given_to_those_that_have_them(runs: Runs, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert cli("--all", "--device", "cuda:1", "--results-dir", "elsewhere").status == 0
    by_name = {name: words for name, *words in runs.words}
    for name, command in COMMANDS.items():
        has = {option for parameter in command.params for option in parameter.opts}
        assert ("cuda:1" in by_name[name]) == ("--device" in has)
        assert ("elsewhere" in by_name[name]) == ("--results-dir" in has)


def test_without_cuda_the_others_run_and_the_reason_is_told(runs: Runs, cli: Cli) -> None:
    ended = cli("--all", "--device", "cuda")
    assert ended.status == 0
    assert runs.names == ["overhead", "page", "scale"]
    reason = "there is no CUDA device on this machine, which --device cuda asks for"
    assert f"[2 of {len(DURATIONS)}] checkpoint: skipped; {reason}\n" in ended.out
    assert ended.out.endswith(f"skipped: methods; {reason}\nskipped: suites; {reason}\n")


def test_without_a_browser_the_others_run(runs: Runs, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.speed.page.lacking", lambda suite, records: f"no browser for {suite} in {records}")
    ended = cli("--all")
    assert ended.status == 0
    assert runs.names == [name for name in ON_CPU if name != "page"]
    left_out = f"skipped: page; no browser for digits in results/reference\nskipped: sharing; {NO_GPU}\n"
    assert ended.out.endswith(f"\n{left_out}")


def test_a_failure_is_told_after_the_others_and_in_the_status(runs: Runs, cli: Cli) -> None:
    runs.ends = {"data": (1, "RuntimeError: it broke"), "suites": (-9, "")}
    ended = cli("--all")
    assert ended.status == 1
    assert runs.names == ON_CPU
    assert "data: failed in 0 s\n" in ended.out
    failed = ["failed: data; exit status 1; RuntimeError: it broke", "failed: suites; exit status -9"]
    assert [line for line in ended.out.splitlines() if line.startswith("failed: ")] == failed


def test_an_interrupted_measurement_ends_all(runs: Runs, cli: Cli) -> None:
    runs.ends = {"checkpoint": (130, "stopped")}
    assert cli("--all").status == 130
    assert runs.names == ["overhead", "checkpoint"]


def test_a_file_of_something_else_is_found_before_any_work(runs: Runs, cli: Cli) -> None:
    for name in ("methods", "suites", "data", *SINGLE):
        path = Path("results/speed") / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("nonsense\nx\n")
        ended = cli("--all")
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"error: {path} does not hold ")
        path.unlink()
    assert runs.words == []


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing": ((), "say what to measure: --all, or one of: overhead, "),
    "both": (("--all", "overhead"), "--all makes every measurement; leave out either --all or overhead"),
    "device before the name": (("--device", "cpu", "images"), "options of images stand after its name"),
    "folder before the name": (("--results-dir", "x", "images"), "options of images stand after its name"),
    "device": (("--all", "--device", "tpu"), "unknown device 'tpu'; choose one of: auto, cpu"),
}


@pytest.mark.parametrize(("words", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line(words: tuple[str, ...], told: str, runs: Runs, cli: Cli) -> None:
    ended = cli(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {told}")
    assert ended.err.count("\n") == 1
    assert runs.words == []


def test_the_summary_says_when_nothing_was_measured() -> None:
    assert summary([Ended("page", "skipped", "no browser")]) == ["measured: nothing", "skipped: page; no browser"]


# processes


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let this program run in place of the measurement."""
    path = tmp_path / "child"

    def become(program: str) -> None:
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)

    monkeypatch.setattr(sys, "executable", str(path))
    return become


def test_a_process_shows_what_it_prints_and_gives_its_last_line(
    child: Callable[[str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    child("echo table: $*; echo first >&2; echo 'error: the second' >&2; echo >&2; exit 3")
    assert in_a_process(["page", "--repeats", "2"]) == (3, "the second")
    out, err = capfd.readouterr()
    assert out == "table: -m benchmark.speed page --repeats 2\n"
    assert "error: the second\n" in err


def test_a_real_measurement_runs_in_a_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = in_a_process(["page", "--records", str(tmp_path), "--results-dir", str(tmp_path)])
    reason = browser.lacking() or f"no records of suite 'digits' in {tmp_path}"
    assert (status, said) == (2, reason)
    assert capfd.readouterr().err == f"error: {reason}\n"
