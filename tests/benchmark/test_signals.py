"""Signals of every kind, alone and together: what is being saved or written is never cut, nothing is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.storages.journal import JournalFileBackend

from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT, Toy, environment, lines
from tests.benchmark.processes import in_a_terminal, wait_until

SAVING = """
import os, signal, sys, time
from benchmark import stopping
stopping.listen()
with stopping.under_way("digest", signals=True):
    for word in sys.argv[1:]:
        names, _, pause = word.partition(":")
        numbers = [getattr(signal, name) for name in names.split("+")]
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        for number in numbers:
            os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        time.sleep(float(pause or 0))
    print("saved", stopping.is_asked("digest"))
"""


def saving(*signals: str) -> subprocess.CompletedProcess[str]:
    """Send signals to a process that saves a run: `A+B` at once, `A:0.3` with a pause after it."""
    words = [sys.executable, "-c", SAVING, *signals]
    return subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "signals",
    [
        ("SIGHUP",),
        ("SIGHUP", "SIGHUP"),
        ("SIGHUP:0.3", "SIGHUP"),
        ("SIGINT:0.3", "SIGHUP"),
        ("SIGTERM:0.3", "SIGHUP"),
        ("SIGHUP+SIGTERM",),
        ("SIGHUP", "SIGTERM"),
        ("SIGTERM", "SIGTERM"),
    ],
    ids=" ".join,
)
def test_one_wish_in_several_signals_lets_the_state_be_saved(signals: tuple[str, ...]) -> None:
    done = saving(*signals)
    assert (done.returncode, done.stdout) == (0, "saved True\n"), done.stderr


@pytest.mark.parametrize("signals", [("SIGINT:0.3", "SIGINT"), ("SIGHUP:0.3", "SIGTERM")], ids=" ".join)
def test_a_second_wish_ends_at_once(signals: tuple[str, ...]) -> None:
    done = saving(*signals)
    assert done.returncode == -signal.SIGINT
    assert done.stdout == ""
    assert "KeyboardInterrupt" in done.stderr


WRITING = """
import os, signal, sys, time
from pathlib import Path
from benchmark import stopping
from benchmark.interrupts import uninterrupted
how, folder = sys.argv[1], Path(sys.argv[2])
stopping.listen()
try:
    with uninterrupted():
        if how == "told before":
            os.kill(os.getpid(), signal.SIGHUP)
        (folder / "begun").touch()
        while not (folder / "closed").exists():
            time.sleep(0.01)
        print("a line to the terminal that is gone", file=sys.stderr, flush=True)
        (folder / "written").touch()
except KeyboardInterrupt:
    print("another line", flush=True)
    (folder / "stopped").touch()
"""


@pytest.mark.parametrize("how", ["told as it closes", "told before"])
def test_a_write_is_not_cut_by_a_terminal_that_closes(how: str, tmp_path: Path) -> None:
    with in_a_terminal(how, tmp_path, program=[sys.executable, "-c", WRITING]) as (process, close):
        wait_until((tmp_path / "begun").exists, "the write")
        close()
        (tmp_path / "closed").touch()
        assert process.wait(timeout=60) == 0
    assert (tmp_path / "written").exists()
    assert (tmp_path / "stopped").exists(), "the wish to stop is lost"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("write", range(0, 20, 4))
def test_a_signal_in_the_middle_of_a_write_waits_for_its_end(
    number: int, write: int, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = [], []
    append_logs = JournalFileBackend.append_logs

    def interrupted(self: JournalFileBackend, logs: list) -> None:
        begun.append(logs)
        if len(begun) == write + 1:
            os.kill(os.getpid(), number)
        append_logs(self, logs)
        ended.append(logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", interrupted)
    few = ("--suite", "toy", "--settings", "few", "--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path)
    stopped = cli(*few)
    assert len(begun) > write
    assert stopped.status == 130
    assert stopped.err.endswith("the same command goes on from here\n")
    assert ended == begun, "a write to the journal was cut short"
    assert cli(*few).status == 0
    assert len(lines(tmp_path, "toy")) == 2 * (4 + 2)
