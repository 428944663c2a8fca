"""Commands that are stopped, and workers that are told to end, save what runs; the next process goes on from there."""

import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import LocalCluster, Status

from benchmark.worker import pause
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import RUN, command, lines, results
from tests.benchmark.processes import cluster, in_a_terminal, running, wait_until, workers_of

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "equal", "--epochs", "50", "--seeds", "2"),
    *("--set", "lr=0.01", "--set", "weight_decay=0.0005", "--wandb", "disabled"),
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = command(*PLAN, "--workers", "0", "--results-dir", folder)
    assert ended.status == 0, ended.err
    return results(folder)


def taken_over(folder: Path) -> list[int]:
    """Return how often each recorded run was taken over."""
    return [line["timing"]["resumed"] for line in lines(folder)]


def second_run(folder: Path, process: psutil.Process) -> None:
    """Wait until a process is well into the run after the first one that is recorded."""

    def used() -> float:
        return process.cpu_times().user

    wait_until(lambda: lines(folder), "the first record")
    before = used()
    wait_until(lambda: used() > before + 0.4, "the second run")


def test_a_command_that_is_stopped_saves_what_runs(
    undisturbed: dict[str, dict[str, Any]], cli: Cli, tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", "1", "--results-dir", tmp_path) as driver:
        wait_until(driver.workers, "the worker")
        (worker,) = driver.workers()
        second_run(tmp_path, worker)
        driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
    assert ended.status == 130, ended
    assert ended.err.endswith("stopped; finished runs are recorded, and the same command goes on from here\n")
    assert not worker.is_running()
    assert len(lines(tmp_path)) == 1
    (saved,) = (tmp_path / "digits" / "checkpoints").iterdir()
    assert saved.name in undisturbed
    again = cli(*PLAN, "--workers", "0", "--results-dir", tmp_path)
    assert again.status == 0, again.err
    assert "checkpoint" not in again.err
    assert results(tmp_path) == undisturbed
    assert sorted(taken_over(tmp_path)) == [0, 1]
    assert not saved.parent.exists()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_terminal_that_closes_stops_as_ctrl_c_does(
    workers: str, undisturbed: dict[str, dict[str, Any]], cli: Cli, tmp_path: Path
) -> None:
    with in_a_terminal(*PLAN, "--workers", workers, "--results-dir", tmp_path) as (process, close):
        runner = psutil.Process(process.pid)
        if workers == "1":
            wait_until(lambda: workers_of(runner), "the worker")
            (runner,) = workers_of(runner)
        second_run(tmp_path, runner)
        close()
        assert process.wait(timeout=60) == 130
    assert not runner.is_running()
    (saved,) = (tmp_path / "digits" / "checkpoints").iterdir()
    assert saved.name in undisturbed
    again = cli(*PLAN, "--workers", "0", "--results-dir", tmp_path)
    assert again.status == 0, again.err
    assert results(tmp_path) == undisturbed
    assert sorted(taken_over(tmp_path)) == [0, 1]


def test_under_nohup_the_end_of_a_terminal_is_ignored(undisturbed: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    program = ["nohup", *RUN]
    with running(*PLAN, "--workers", "0", "--results-dir", tmp_path, program=program) as driver:
        second_run(tmp_path, psutil.Process(driver.process.pid))
        driver.signal(signal.SIGHUP, group=True)
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert results(tmp_path) == undisturbed
    assert taken_over(tmp_path) == [0, 0]


def test_a_worker_that_is_told_to_end_saves_and_another_goes_on(
    undisturbed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", "1", "--results-dir", tmp_path) as driver:
        wait_until(driver.workers, "the worker")
        (worker,) = driver.workers()
        second_run(tmp_path, worker)
        worker.terminate()
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert "Traceback" not in ended.err
    assert not worker.is_running()
    assert results(tmp_path) == undisturbed
    assert sorted(taken_over(tmp_path)) == [0, 1]


def test_a_worker_that_is_told_to_end_and_cannot_save_dies_and_another_begins_anew(
    undisturbed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", "1", "--results-dir", tmp_path) as driver:
        wait_until(driver.workers, "the worker")
        (worker,) = driver.workers()
        second_run(tmp_path, worker)
        shutil.rmtree(tmp_path / "digits" / "checkpoints")
        worker.terminate()
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert not worker.is_running()
    assert results(tmp_path) == undisturbed
    assert taken_over(tmp_path) == [0, 0]
    assert [line["attempts"] for line in lines(tmp_path)] == [1, 1], "its death is no failure of the run"


SLOW_TEST_SET = """
import os, sys, time
from pathlib import Path
from benchmark.train import Training

measure = Training.measure

def slowly(self, reader):
    if reader is self.data.test:
        Path(os.environ["TESTING"]).touch()
        time.sleep(3)
    return measure(self, reader)

Training.measure = slowly

if __name__ == "__main__":
    from benchmark.commands import run_app
    from benchmark.run import app

    sys.exit(run_app(app, "python -m benchmark.run"))
"""
"""The command, whose runs take seconds for the test set: after their last step, before they are over."""


def test_a_worker_that_is_told_to_end_on_the_test_set_gives_the_record_and_ends(tmp_path: Path) -> None:
    script, testing = tmp_path / "slow.py", tmp_path / "testing"
    script.write_text(SLOW_TEST_SET)
    folder = tmp_path / "results"
    program = (sys.executable, script.as_posix())
    with running(
        *PLAN, "--epochs", "1", "--workers", "1", "--results-dir", folder, program=program, TESTING=str(testing)
    ) as driver:
        wait_until(testing.exists, "the test set")
        (worker,) = driver.workers()
        worker.terminate()
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert not worker.is_running()
    assert taken_over(folder) == [0, 0]
    assert [line["attempts"] for line in lines(folder)] == [1, 1]


def test_a_worker_that_is_told_to_end_stays_paused_whatever_its_memory() -> None:
    """One started by hand has a limit of memory, and Dask's look at it lets a paused worker run again."""
    settings: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    made: Any = LocalCluster(memory_limit="8GB", **settings)
    with made as local:
        (paused,) = local.workers.values()
        look_sec = paused.memory_manager.memory_monitor_interval
        local.sync(pause_in_loop, paused)
        time.sleep(5 * look_sec)
        assert paused.status == Status.paused


async def pause_in_loop(worker: Any) -> None:
    """Pause a worker in its own loop."""
    pause(worker)


def test_a_cluster_that_is_not_ours_stays_when_the_command_is_stopped(
    undisturbed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with cluster(tmp_path) as (address, worker):
        with running(*PLAN, "--scheduler", address, "--results-dir", tmp_path) as driver:
            second_run(tmp_path, worker)
            driver.signal(signal.SIGINT, group=True)
            assert driver.end().status == 130
        assert len(list((tmp_path / "digits" / "checkpoints").iterdir())) == 1
        ended = command(*PLAN, "--scheduler", address, "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert results(tmp_path) == undisturbed
    assert sorted(taken_over(tmp_path)) == [0, 1]
