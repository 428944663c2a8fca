"""Deaths of workers blame the cell that kills, nobody beside it, and idle no worker afterwards."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmark import engine
from benchmark.cluster import start as cluster
from benchmark.driver import Outlets, execute
from benchmark.engine import Resources, start
from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.speed.empty import empty_cell
from tests.benchmark.helpers import a_spec, next_of
from tests.benchmark.processes import wait_until
from tests.reliability.held import began, holding

KILLER = 20
"""Seed of the final run that kills its worker."""


def killing(spec: dict[str, Any], *rest: Any) -> dict[str, Any]:
    """Kill this process by one cell, else return an empty record."""
    if spec["phase"] == "final" and spec["seed"] == KILLER:
        os.kill(os.getpid(), signal.SIGKILL)
    return empty_cell(spec, *rest)


@pytest.mark.parametrize("workers", [1, 2])
def test_one_cell_that_kills_is_the_only_one_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(engine, "DEATHS_ALLOWED", 1)
    monkeypatch.setitem(cluster.CONFIG, "distributed.scheduler.allowed-failures", 1)
    fixed = {"lr": "0.01", "weight_decay": "0"}
    plan = make_plan(Options("digits", ("5-shot",), ("equal",), seeds=60, epochs=2, fixed=fixed))
    with Store(tmp_path / "digits").writing() as store:
        starting = partial(start, cell=killing)
        made = execute(plan, store, Resources(workers=workers), Outlets(None, "disabled", retries=0), starting)
    assert len({record.spec.digest for record in made}) == len(made) == 60
    failed = [record for record in made if record.status != "ok"]
    assert [record.spec.seed for record in failed] == [KILLER]
    assert failed[0].attempts == 2
    assert "died 2 times while nothing else ran" in failed[0].reason


def test_the_cell_of_a_dead_worker_does_not_wait_for_another_worker(tmp_path: Path) -> None:
    with holding(tmp_path, workers=2) as running:
        for seed in (1, 2):
            running.submit(a_spec(seed=seed))
        wait_until(lambda: began(tmp_path, 1) and began(tmp_path, 2), "both cells")
        os.kill(began(tmp_path, 2)[0], signal.SIGKILL)
        wait_until(lambda: len(began(tmp_path, 2)) == 2, "the second beginning of the cell, while the other one runs")
        assert began(tmp_path, 1) == began(tmp_path, 1)[:1], "nobody takes away what runs"
        assert began(tmp_path, 2)[1] not in began(tmp_path, 1)


def test_room_that_new_workers_make_is_told_while_a_cell_runs(tmp_path: Path) -> None:
    with holding(tmp_path, workers=1) as running:
        running.submit(a_spec(seed=1))
        wait_until(lambda: began(tmp_path, 1), "the cell")
        assert running.room() == 0
        slots = running._pool.slots
        more = iter([1, 1])
        running._pool.slots = lambda: next(more, 2) * slots()
        assert running.next() is None
        assert running.room() == 1
        running._pool.slots = slots
        (tmp_path / "end-1").touch()
        assert next_of(running).spec == a_spec(seed=1)


def test_workers_keep_the_memory_of_a_step(tmp_path: Path) -> None:
    with holding(tmp_path, workers=1) as running:
        (found,) = running._pool.client.run(partial(os.environ.get, "MALLOC_TRIM_THRESHOLD_")).values()
    assert found == str(2**30)
