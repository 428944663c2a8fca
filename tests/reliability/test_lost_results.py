"""Records in the memory of a worker that dies: the run is made again, and is no failure."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmark.cluster import start as cluster
from benchmark.cluster.on_dask import OnDask
from benchmark.cluster.pool import is_killed
from benchmark.engine import Resources, start
from benchmark.speed.empty import empty_cell
from tests.benchmark.helpers import a_spec, next_of
from tests.benchmark.processes import wait_until
from tests.reliability.held import began, holding


@pytest.mark.parametrize("seen", [False, True])
def test_a_record_that_dies_with_its_worker_is_made_again(*, seen: bool) -> None:
    with start(Resources(workers=1), cell=empty_cell) as running:
        assert isinstance(running, OnDask)
        before = {child.pid for child in psutil.Process().children()}
        specs = {spec.digest: spec for spec in (a_spec(seed=1), a_spec(seed=2))}
        for spec in specs.values():
            running.submit(spec)
        futures = list(running._futures.values())
        wait_until(lambda: all(future.status == "finished" for future in futures), "records that nobody has taken")
        assert not seen or running.ready()
        (worker,) = (child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline()))
        assert worker.pid in before
        worker.kill()
        wait_until(lambda: all(future.status != "finished" for future in futures), "the loss of the records")
        found = [next_of(running) for _ in specs]
    assert {record.spec.digest: record.spec for record in found} == specs
    assert [record.status for record in found] == ["ok", "ok"]


def test_records_that_dask_gives_up_while_they_are_fetched_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cluster.CONFIG, "distributed.scheduler.allowed-failures", 0)
    specs = {spec.digest: spec for spec in (a_spec(seed=1), a_spec(seed=2))}
    ends = [tmp_path / "end-1", tmp_path / "end-2"]
    given_up: list[BaseException] = []
    with holding(tmp_path, workers=1) as running:
        gather = running._pool.client.gather

        def dying(futures: list[Any]) -> list[Any]:
            """Fetch from a worker that dies, as does the next one with what it makes again."""
            monkeypatch.setattr(running._pool.client, "gather", gather)
            for end in ends:
                end.unlink()
            os.kill(began(tmp_path, 1)[-1], signal.SIGKILL)
            first, *_ = futures
            seed = running._cells[first.key][0].seed
            wait_until(lambda: len(began(tmp_path, seed)) == 2, "the second beginning of a cell")
            os.kill(began(tmp_path, seed)[-1], signal.SIGKILL)
            wait_until(lambda: first.status == "error", "Dask's giving it up")
            for end in ends:
                end.touch()
            try:
                return gather(futures)
            except Exception as error:
                given_up.append(error)
                raise

        for end in ends:
            end.touch()
        for spec in specs.values():
            running.submit(spec)
        futures = list(running._futures.values())
        wait_until(lambda: all(future.status == "finished" for future in futures), "records that nobody has taken")
        monkeypatch.setattr(running._pool.client, "gather", dying)
        found = [next_of(running) for _ in specs]
    assert len(given_up) == 1
    assert is_killed(given_up[0])
    assert {record.spec.digest: record.spec for record in found} == specs
    assert [record.status for record in found] == ["ok", "ok"]


def test_records_that_have_been_fetched_are_given_once_though_their_worker_dies_before_dask_hears_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [tmp_path / "end-1", tmp_path / "end-2"]
    with holding(tmp_path, workers=1) as running:
        gather = running._pool.client.gather

        def fetching(futures: list[Any]) -> list[Any]:
            """Fetch records, and return once their worker is dead and the next one makes one of them again."""
            monkeypatch.setattr(running._pool.client, "gather", gather)
            found = gather(futures)
            for end in ends:
                end.unlink()
            os.kill(began(tmp_path, 1)[-1], signal.SIGKILL)
            wait_until(lambda: len(began(tmp_path, 1) + began(tmp_path, 2)) == 3, "the second beginning of a cell")
            return found

        for end in ends:
            end.touch()
        specs = {spec.digest: spec for spec in (a_spec(seed=1), a_spec(seed=2))}
        for spec in specs.values():
            running.submit(spec)
        futures = list(running._futures.values())
        wait_until(lambda: all(future.status == "finished" for future in futures), "records that nobody has taken")
        monkeypatch.setattr(running._pool.client, "gather", fetching)
        found = [next_of(running)]
        assert running.ready(), "both were fetched"
        found.append(next_of(running))
        assert {record.spec.digest: record.spec for record in found} == specs
        for end in (*ends, tmp_path / "end-3"):
            end.touch()
        running.submit(a_spec(seed=3))
        assert next_of(running).spec == a_spec(seed=3)
        assert not running.ready()
