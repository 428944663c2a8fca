"""W&B raises, hangs, crashes or takes long: the command goes on, with one warning, and leaves no process behind."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmark import tracking
from tests.benchmark.helpers import ROOT, a_record, a_spec
from tests.benchmark.mirrored import files, mirror

BROKEN = """
import os, time
from types import SimpleNamespace

class Settings:
    def __init__(self, **values): ...

def init(**values):
    {init}
    return SimpleNamespace(log=lambda *_, **__: None, summary=dict(), finish=lambda **_: None)

def teardown():
    {teardown}
"""
WAYS = {
    "raises": ('raise OSError("no space left for [bold]W&B")', "pass", "OSError: no space left for [bold]W&B"),
    "hangs": ("time.sleep(1000)", "pass", "no answer for 2 s"),
    "hangs at the end": ("pass", "time.sleep(1000)", "no answer for 2 s"),
    "raises, and at the end too": ("raise OSError", "raise SystemExit(3)", "OSError"),
    "crashes": ("os._exit(7)", "pass", "its process ended with status 7"),
    "ends": ("os._exit(0)", "pass", "its process ended"),
}


@pytest.fixture
def broken_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what puts a W&B that fails before the real one."""

    def put(init: str, teardown: str) -> None:
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "wandb.py").write_text(BROKEN.format(init=init, teardown=teardown))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))

    return put


@pytest.mark.parametrize("way", WAYS)
def test_whatever_befalls_wandb_costs_one_warning(
    way: str,
    broken_wandb: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    init, teardown, reason = WAYS[way]
    broken_wandb(init, teardown)
    if "hangs" in way:
        monkeypatch.setattr(tracking, "PATIENCE_SEC", 2.0)
    mirror(tmp_path, a_record(), a_record(a_spec(seed=1)))
    assert capfd.readouterr().err == f"warning: W&B mirror stopped: {reason}\n"
    assert not (tmp_path / "wandb" / "mirrored-offline").exists(), "it would not be tried again"
    assert not [child for child in psutil.Process().children() if "wandb_writer" in " ".join(child.cmdline())]


SLOW = """
import json, sys, time
for line in sys.stdin:
    for _ in range(6):
        time.sleep(0.5)
        print(flush=True)
    print(json.dumps(None), flush=True)
"""


def test_a_long_run_that_goes_on_has_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "WRITER", (sys.executable, "-c", SLOW))
    monkeypatch.setattr(tracking, "PATIENCE_SEC", 2.0)
    mirror(tmp_path, a_record())
    assert capfd.readouterr().err == ""
    assert (tmp_path / "wandb" / "mirrored-offline").read_text().split() == [a_spec().digest]


def writer(change: str, told: str, *, end: bool) -> tuple[int, str]:
    """Tell the process that writes, changed by a statement, one line; return its status and what it answered."""
    words = [sys.executable, "-c", f"from benchmark import wandb_writer as w; {change}; raise SystemExit(w.main())"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        print(told, file=started.stdin, flush=True)
        if end:
            started.stdin.close()
        answered = started.stdout.read() if end else started.stdout.readline()
        return started.wait(60), answered


def test_the_process_says_that_a_long_run_goes_on(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("pass", "pass")
    run = {"init": {}, "rows": [(step, {}) for step in range(7)], "summary": {}, "exit_code": 0}
    assert writer("w.ROWS = 3", json.dumps(run), end=True) == (0, "\n\nnull\n")


def test_no_process_waits_for_ever_whose_command_is_gone(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("time.sleep(1000)", "pass")
    run = {"init": {}, "rows": [], "summary": {}, "exit_code": 0}
    assert writer("w.PATIENCE_SEC = 0.5", json.dumps(run), end=True) == (1, "")


def test_the_process_ends_after_a_failure_though_more_may_come(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("raise OSError('no')", "pass")
    run = {"init": {}, "rows": [], "summary": {}, "exit_code": 0}
    assert writer("pass", json.dumps(run), end=False) == (0, '"OSError: no"\n')


def test_what_failed_is_tried_again_by_the_next_command(
    broken_wandb: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_wandb("raise OSError", "pass")
    mirror(tmp_path, a_record())
    assert not files(tmp_path)
    monkeypatch.undo()
    mirror(tmp_path, a_record())
    assert len(files(tmp_path)) == 1
