"""Runs on two hosts without shared files, a scheduler that dies, a worker that is slow."""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.helpers import Ended, command, lines, results
from tests.benchmark.processes import running, wait_until
from tests.reliability.hosts import Host, alive, two_hosts
from tests.reliability.notes import (
    DEADLINE_SEC,
    OBSERVED,
    at_work,
    begin,
    check_nothing_is_done_twice,
    driver_died,
    kill,
    notes,
)

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "equal,auxilearn-linear", "--epochs", "5"),
    *("--seeds", "6", "--set", "lr=0.01", "--set", "weight_decay=0.0005", "--set", "auxiliary_lr=0.01"),
    *("--set", "auxiliary_weight_decay=0.00001", "--wandb", "disabled"),
)
CELLS = 2 * 6
PROGRAM = (sys.executable, *OBSERVED)
TTL_SEC = 0.2
SILENCE_SEC = 8.0
"""Longer than ten heartbeats, before which Dask misses no worker whatever the limit is."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("calm")
    ended = command(*PLAN, "--workers", "0", "--results-dir", folder, timeout_sec=DEADLINE_SEC)
    assert ended.status == 0, ended.err
    return results(folder)


def check(folder: Path, observed: Path, calm: dict[str, dict[str, Any]]) -> None:
    """Compare what the disturbed command recorded with the calm run."""
    assert len(lines(folder)) == CELLS
    assert results(folder) == calm
    check_nothing_is_done_twice(notes(observed))


def test_workers_on_another_host_see_no_files_of_the_driver(calm: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    mine, folder, observed = tmp_path / "driver", tmp_path / "driver" / "results", tmp_path / "observed"
    mine.mkdir()
    begin(observed)
    with two_hosts() as (head, other), ExitStack() as stack:
        cache = {"AUXILEARN_BENCHMARK_CACHE": str(mine / "cache"), "OBSERVED": str(observed)}
        address, _ = stack.enter_context(head.scheduler(tmp_path))
        words = (*PLAN, "--scheduler", address, "--results-dir", folder)

        def worker(name: str) -> Any:
            changes = {"AUXILEARN_BENCHMARK_CACHE": str(tmp_path / name), "OBSERVED": str(observed)}
            return other.worker(address, tmp_path / name, hidden=mine, changes=changes)

        stack.enter_context(worker("first"))
        with running(*words, program=(*head.words, *PROGRAM), **cache) as driver:
            wait_until(lambda: len(lines(folder)) >= 2 and at_work(notes(observed)), "runs on the other host")
            (victim,) = at_work(notes(observed))
            kill(observed, victim)
            stack.enter_context(worker("second"))
            before = len(lines(folder))
            wait_until(lambda: len(lines(folder)) > before + 1, "the second worker's runs")
            driver.signal(signal.SIGKILL)
            driver.process.wait()
            wait_until(lambda: not at_work(notes(observed)), "the end of a run that nobody waits for")
            driver_died(observed)
        with running(*words, program=(*head.words, *PROGRAM), **cache) as driver:
            ended = driver.end()
    assert ended.status == 0, ended.err
    assert "±" in ended.out
    check(folder, observed, calm)
    assert not (folder / "digits" / "checkpoints").exists()


def under_a_scheduler(tmp_path: Path, *, dies: bool) -> Ended:
    """Run the command on a scheduler and a worker, whose scheduler may die after two records."""
    folder, changes = tmp_path / "results", {"OBSERVED": str(tmp_path / "observed")}
    with (
        Host().scheduler(tmp_path) as (address, scheduler),
        Host().worker(address, tmp_path, changes=changes) as worker,
        running(*PLAN, "--scheduler", address, "--results-dir", folder, program=PROGRAM, **changes) as driver,
    ):
        if not dies:
            return driver.end()
        wait_until(lambda: len(lines(folder)) >= 2, "two records")
        scheduler.kill()
        ended = driver.end()
        wait_until(lambda: not alive(worker), "the worker to follow its scheduler")
        return ended


def test_a_scheduler_that_dies_ends_the_command_in_one_line(calm: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    folder, observed = tmp_path / "results", tmp_path / "observed"
    begin(observed)
    ended = under_a_scheduler(tmp_path, dies=True)
    driver_died(observed)
    assert ended.status == 2, ended
    assert ended.err.splitlines()[-1].startswith("error: the Dask scheduler went away; "), ended.err
    assert "Traceback" not in ended.err
    assert 2 <= len(lines(folder)) < CELLS
    again = under_a_scheduler(tmp_path, dies=False)
    assert again.status == 0, again.err
    check(folder, observed, calm)


def stopped_at_work(observed: Path) -> tuple[int, str]:
    """Stop a worker in the middle of a run; return its process and the run."""
    stopped: list[tuple[int, str]] = []

    def stop() -> bool:
        for process, run in at_work(notes(observed)).items():
            os.kill(process, signal.SIGSTOP)
            if at_work(notes(observed)).get(process) == run:
                stopped.append((process, run))
                return True
            os.kill(process, signal.SIGCONT)
        return False

    wait_until(stop, "a run to stop")
    return stopped[0]


@pytest.mark.parametrize("by_address", [False, True])
def test_a_slow_worker_is_not_robbed(by_address: bool, calm: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    folder, observed = tmp_path / "results", tmp_path / "observed"
    begin(observed)
    changes = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{TTL_SEC} s", "OBSERVED": str(observed)}
    with ExitStack() as stack:
        words = (*PLAN, "--results-dir", folder, "--workers", "2")
        if by_address:
            address, _ = stack.enter_context(Host().scheduler(tmp_path, changes))
            words = (*PLAN, "--results-dir", folder, "--scheduler", address)
            for name in "ab":
                stack.enter_context(Host().worker(address, tmp_path / name, changes=changes))
        driver = stack.enter_context(running(*words, program=PROGRAM, **changes))
        wait_until(lambda: lines(folder) and len(at_work(notes(observed))) == 2, "two runs at work")
        slow, its_run = stopped_at_work(observed)
        began, end = notes(observed), time.monotonic() + SILENCE_SEC
        wait_until(lambda: time.monotonic() > end, "a silence that Dask would take for a death")
        its = [note for note in notes(observed)[len(began) :] if note.subject == its_run]
        assert not its, "its run went to somebody else"
        os.kill(slow, signal.SIGCONT)
        ended = driver.end()
    assert ended.status == 0, ended.err
    check(folder, observed, calm)
    assert [note.process for note in notes(observed) if note.what == "began" and note.subject == its_run] == [slow]
