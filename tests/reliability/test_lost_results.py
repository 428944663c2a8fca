"""Records in the memory of a worker that dies: the run is made again, and is no failure."""

import psutil
import pytest

from benchmark.cluster.on_dask import OnDask
from benchmark.engine import Resources, start
from benchmark.speed.empty import empty_cell
from tests.benchmark.helpers import a_spec, next_of
from tests.benchmark.processes import wait_until


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
