"""A hundred runs under a storm of deaths: each has one record, with the bits of a calm run."""

import random
import signal
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.benchmark.helpers import Ended, command, lines, results
from tests.benchmark.processes import Running, running
from tests.reliability.notes import (
    DEADLINE_SEC,
    OBSERVED,
    at_work,
    begin,
    check_nothing_is_done_twice,
    driver_died,
    kill,
    notes,
    told,
)

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "equal,uncertainty,dwa,gcs,auxilearn-linear"),
    *("--epochs", "3", "--seeds", "19", "--set", "lr=0.01", "--set", "weight_decay=0.0005"),
    *("--set", "auxiliary_weight_decay=0.00001", "--wandb", "disabled"),
)
CELLS = 5 * 19 + 3 + 2
DRIVER = {"at_15": "torn", "at_30": "written", "at_45": "all torn", "at_60": "all written"}
CONFIG = {
    "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver",
    "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1ms",
}
"""Workers that start quickly, and a Dask that gives up those that do not: the command must not let it."""

OUTSIDE = random.Random(1).sample(range(5, 120), 6)
"""Numbers of beginnings after which the test itself kills a worker at work, wherever it is."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calm")
    ended = command(*PLAN, "--workers", "0", "--results-dir", folder, timeout_sec=DEADLINE_SEC)
    assert ended.status == 0, ended.err
    return folder


class Killer:
    """Kills workers at work at given numbers of beginnings, and the driver once."""

    def __init__(self, observed: Path) -> None:
        self._observed = observed
        self._moments = sorted(OUTSIDE)
        self._draw = random.Random(2)
        self.driver_kills = 0

    def watch(self, started: Running, records: int) -> None:
        """Kill what is to be killed now."""
        found = notes(self._observed)
        if records >= CELLS * 3 // 4 and not self.driver_kills:
            started.signal(signal.SIGKILL)
            self.driver_kills += 1
        elif self._moments and sum(note.what == "began" for note in found) >= self._moments[0]:
            alive = {worker.pid for worker in started.workers()}
            if victims := sorted(at_work(found).keys() & alive):
                kill(self._observed, self._draw.choice(victims))
                del self._moments[0]


def live(killer: Killer, observed: Path, folder: Path, end: float) -> Ended:
    """Run the command once, until its driver ends or dies; its workers must be gone with it."""
    words = (*PLAN, "--workers", "2", "--results-dir", folder)
    with running(*words, program=(sys.executable, *OBSERVED), OBSERVED=str(observed), **CONFIG) as started:
        workers: set[psutil.Process] = set()
        while started.process.poll() is None:
            killer.watch(started, len(lines(folder)))
            workers.update(started.workers())
            assert time.monotonic() < end, f"the deadline is over: {told(observed, lines(folder))}"
            time.sleep(0.1)
        ended = started.end()
        while any(map(psutil.Process.is_running, workers)):
            assert time.monotonic() < end, f"workers live on: {workers}"
            time.sleep(0.1)
    driver_died(observed)
    return ended


def test_a_hundred_runs_survive_all_deaths(calm: Path, tmp_path: Path) -> None:
    observed, folder = tmp_path / "observed", tmp_path / "results"
    begin(observed, seed=0, share=0.34, most=3, **DRIVER)
    killer, end, lives = Killer(observed), time.monotonic() + DEADLINE_SEC, 0
    ended = Ended(-signal.SIGKILL, "", "")
    while ended.status == -signal.SIGKILL:
        ended, lives = live(killer, observed, folder, end), lives + 1
    assert ended.status == 0, f"{ended.err}\n{told(observed, lines(folder))}"
    found = notes(observed)
    deaths = sum(note.what == "dies" for note in found)
    print(f"{deaths} deaths of workers, {lives - 1} of drivers")
    assert deaths >= 50
    assert lives == 1 + 5
    check_nothing_is_done_twice(found)
    assert len(results(folder)) == len(lines(folder)) == CELLS
    assert results(folder) == results(calm)
    assert any(line["timing"]["resumed"] for line in lines(folder)), "some run went on from a checkpoint"
    for name in ("table.csv", "comparison.csv"):
        pd.testing.assert_frame_equal(timeless(folder / "digits" / name), timeless(calm / "digits" / name))
    left = {path.name for path in (folder / "digits").iterdir()}
    assert left - {".lock"} == {path.name for path in (calm / "digits").iterdir()} - {".lock"}, "nothing is left over"


def timeless(path: Path) -> pd.DataFrame:
    """Return a table without its rows of seconds and its column of memory, which are a process's own."""
    table = pd.read_csv(path).drop(columns="peak_bytes", errors="ignore")
    return table.query("metric != 'step_sec'").reset_index(drop=True)
