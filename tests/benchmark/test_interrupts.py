"""Ctrl-C at any phase ends a command cleanly, a second one at once; neither leaves a process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmark.stopping import BOUNCE_SEC
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT, environment, lines
from tests.benchmark.mirrored import ids
from tests.benchmark.processes import Running, running, wait_until

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "equal", "--epochs", "60", "--seeds", "2"),
    *("--set", "lr=0.01", "--set", "weight_decay=0.0005", "--wandb", "offline"),
)
ENDED = (130, -signal.SIGINT)
"""Python itself ends with the signal where it came in the midst of code that was compiled from a text."""

AT_ONCE_SEC = 5.0
"""Well below what a clean end may take; on an idle machine it is less than one."""


def children(driver: Running) -> list[psutil.Process]:
    try:
        return psutil.Process(driver.process.pid).children(recursive=True)
    except psutil.Error:
        return []


def gone(processes: list[psutil.Process]) -> bool:
    """Return whether processes have ended; nobody may have asked yet how."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def lock(folder: Path, driver: Running) -> bool:
    return (folder / "digits" / ".lock").exists()


def first_run(folder: Path, driver: Running) -> bool:
    return bool(lines(folder))


def a_child(folder: Path, driver: Running) -> bool:
    return bool(driver.workers()) or first_run(folder, driver)


PHASES = [("0", lock), ("2", a_child), ("0", first_run), ("2", first_run)]


@pytest.mark.parametrize(("workers", "phase"), PHASES)
def test_a_second_one_ends_at_once_with_all_children(
    workers: str, phase: Callable[[Path, Running], bool], tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", workers, "--results-dir", tmp_path) as driver:
        wait_until(lambda: phase(tmp_path, driver), "the phase")
        driver.signal(signal.SIGINT, group=True)
        later = time.monotonic() + 1.5 * BOUNCE_SEC
        wait_until(lambda: time.monotonic() > later, "a moment in which one and the same Ctrl-C may come twice")
        found = children(driver)
        second = time.monotonic()
        if driver.process.poll() is None:
            driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
        took = time.monotonic() - second
    assert ended.status in ENDED, ended
    assert took < AT_ONCE_SEC
    assert "finished runs are recorded, and the same command goes on from here\n" in ended.err
    wait_until(lambda: gone(found), "the end of its children")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_one_while_starting_ends_cleanly_and_the_command_goes_on(workers: str, cli: Cli, tmp_path: Path) -> None:
    arguments = (*PLAN, "--seeds", "1", "--epochs", "20", "--results-dir", tmp_path)
    with running(*arguments, "--workers", workers) as driver:
        wait_until(lambda: lock(tmp_path, driver), "the lock")
        found = children(driver)
        driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
    assert ended.status in ENDED, ended
    assert ended.err.endswith("stopped; finished runs are recorded, and the same command goes on from here\n")
    wait_until(lambda: gone(found), "the end of its children")
    again = cli(*arguments, "--workers", "0")
    assert again.status == 0, again.err
    (line,) = lines(tmp_path)
    assert ids(tmp_path) == [line["digest"]]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_after_one_the_mirrored_runs_are_whole_and_in_the_end_each_is_there_once(
    workers: str, cli: Cli, tmp_path: Path
) -> None:
    arguments = (*PLAN, "--epochs", "30", "--seeds", "3", "--results-dir", tmp_path)
    with running(*arguments, "--workers", workers) as driver:
        wait_until(lambda: first_run(tmp_path, driver), "the first record")
        driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
    assert ended.status in ENDED, ended
    mirrored = ids(tmp_path)
    assert len(mirrored) == len(list(tmp_path.rglob("*.wandb"))), "a file is not whole"
    assert set(mirrored) <= {line["digest"] for line in lines(tmp_path)}
    assert cli(*arguments, "--workers", "0").status == 0
    assert ids(tmp_path) == sorted(line["digest"] for line in lines(tmp_path))


BUSY = """
import hashlib, signal, subprocess, sys
from benchmark.interrupts import second_ends_at_once
signal.signal(signal.SIGINT, lambda number, frame: None)
with second_ends_at_once():
    child = subprocess.Popen(["sleep", "100"])
    print(child.pid, flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)  # minutes without a step of Python
"""


def test_a_main_thread_that_hears_nothing_is_no_hindrance() -> None:
    words = [sys.executable, "-c", BUSY]
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        assert busy.stderr is not None
        child = psutil.Process(int(busy.stdout.readline()))
        end = time.monotonic() + 60
        while busy.poll() is None and time.monotonic() < end:  # the first one is heard by nobody, the next one ends
            os.kill(busy.pid, signal.SIGINT)
            busy_until = time.monotonic() + BOUNCE_SEC
            wait_until(lambda until=busy_until: time.monotonic() > until, "a moment")
        assert busy.poll() == 130
        assert (
            busy.stderr.read()
            == b"stopped at once; finished runs are recorded, and the same command goes on from here\n"
        )
    wait_until(lambda: gone([child]), "the end of the child")
