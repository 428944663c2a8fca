"""The command as a user runs it: any number of workers, stopped and killed, always each cell once and the same bits."""

import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import command, lines, results
from tests.benchmark.processes import cluster, running, wait_until

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "stl,equal,gcs", "--epochs", "2", "--seeds", "2"),
    *("--grid", "lr=0.01,0.003,0.001", "--set", "weight_decay=0.0005", "--wandb", "disabled"),
)
CELLS = 3 * (3 + 2)
Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """Run the plan with two workers and nothing in its way."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = command(*PLAN, "--workers", "2", "--results-dir", folder)
    assert ended.status == 0, ended.err
    for word in ("stl", "equal", "gcs", "top1", "top3", "±", "s/step"):
        assert word in ended.out
    found = results(folder)
    assert len(found) == CELLS
    assert {value["status"] for value in found.values()} == {"ok"}
    return folder, found


def some(folder: Path, least: int = 2) -> int:
    """Return how many records there are once there are some."""
    wait_until(lambda: len(lines(folder)) >= least, f"{least} records")
    return len(lines(folder))


def test_the_second_command_trains_nothing_and_prints_the_same_table(undisturbed: tuple[Path, Results]) -> None:
    folder, _ = undisturbed
    path = folder / "digits" / "records.jsonl"
    before, table = path.read_bytes(), (folder / "digits" / "table.md").read_bytes()
    again = command(*PLAN, "--workers", "2", "--results-dir", folder)
    assert again.status == 0
    assert "±" in again.out
    assert path.read_bytes() == before
    assert (folder / "digits" / "table.md").read_bytes() == table


def test_a_second_driver_is_refused_ctrl_c_stops_and_the_next_command_goes_on(
    undisturbed: tuple[Path, Results], cli: Cli, tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", "1", "--results-dir", tmp_path) as driver:
        some(tmp_path)
        driver.signal(signal.SIGSTOP)
        before = lines(tmp_path)
        second = cli(*PLAN, "--workers", "0", "--results-dir", tmp_path)
        assert second.status == 2
        assert second.err.startswith("error: another run is writing to ")
        assert second.err.count("\n") == 1
        assert lines(tmp_path) == before
        workers = driver.workers()
        assert workers
        driver.signal(signal.SIGCONT)
        driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
    assert ended.status == 130, ended
    stopped_in = (
        "stopping the workers ... (once more ends them at once)\n"
        "stopped; finished runs are recorded, and the same command goes on from here\n"
    )
    assert ended.err.endswith(stopped_in)  # a busy machine has told of its progress before
    assert "Traceback" not in ended.err
    assert not [worker for worker in workers if worker.is_running()]
    stopped = results(tmp_path)
    assert 2 <= len(stopped) < CELLS
    again = cli(*PLAN, "--workers", "0", "--results-dir", tmp_path)
    assert again.status == 0, again.err
    assert list(results(tmp_path))[: len(stopped)] == list(stopped)
    assert results(tmp_path) == undisturbed[1]


def test_sigkill_of_the_driver_costs_nothing_that_was_recorded(
    undisturbed: tuple[Path, Results], cli: Cli, tmp_path: Path
) -> None:
    with running(*PLAN, "--workers", "1", "--results-dir", tmp_path) as driver:
        some(tmp_path)
        workers = driver.workers()
        assert workers
        driver.signal(signal.SIGKILL)
        assert driver.process.wait() == -signal.SIGKILL
        wait_until(lambda: not any(map(psutil.Process.is_running, workers)), "the workers to follow their driver")
    stopped = lines(tmp_path)
    assert 2 <= len(stopped) < CELLS
    again = cli(*PLAN, "--workers", "0", "--results-dir", tmp_path)
    assert again.status == 0, again.err
    assert lines(tmp_path)[: len(stopped)] == stopped
    assert results(tmp_path) == undisturbed[1]


def test_sigkill_of_every_worker_costs_nothing(undisturbed: tuple[Path, Results], tmp_path: Path) -> None:
    with running(*PLAN, "--workers", "2", "--results-dir", tmp_path) as driver:
        before = some(tmp_path, least=1)
        workers = driver.workers()
        assert len(workers) == 2
        for worker in workers:
            worker.kill()
        assert before < CELLS
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert results(tmp_path) == undisturbed[1]


def test_a_cluster_by_address(undisturbed: tuple[Path, Results], tmp_path: Path) -> None:
    with cluster(tmp_path) as (address, _):
        ended = command(*PLAN, "--scheduler", address, "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert results(tmp_path) == undisturbed[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--suite", "cub5"), "error: unknown suite 'cub5' (did you mean cub?); choose one of: "),
        (("--suite", "digits", "--methods", "pgrad"), "error: unknown method 'pgrad' (did you mean pcgrad?); "),
    ],
)
def test_mistakes_end_with_status_two(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ended = command(*words, "--results-dir", tmp_path / "results")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(told)
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.jsonl"))
