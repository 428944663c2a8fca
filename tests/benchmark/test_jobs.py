"""How many Slurm jobs there are at a time, without a Slurm."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.cluster import slurm
from benchmark.cluster.slurm import Keeper
from benchmark.slurm import SlurmJobs, SlurmOptions


@pytest.mark.parametrize(("wanted", "scaled"), [(None, [4]), (9, [4]), (2, [2]), (1, [])])
def test_jobs_that_ended_are_replaced_as_far_as_cells_are_left(
    monkeypatch: pytest.MonkeyPatch, wanted: int | None, scaled: list[int]
) -> None:
    asked: list[int] = []
    workers = {f"job-{number}": SimpleNamespace(job_id=str(number)) for number in range(4)}
    cluster = SimpleNamespace(workers=workers, scale=lambda jobs: asked.append(jobs))
    pool: Any = SimpleNamespace(wanted=wanted)
    keeper = Keeper(cluster, SlurmJobs(4, 1, SlurmOptions(), Path()), [], pool)
    keeper._came = set(workers)
    monkeypatch.setattr(slurm, "_queued", lambda: {"0"})
    assert asyncio.run(keeper._replace()) is True
    assert list(workers) == ["job-0"], "the others have ended"
    assert asked == scaled
