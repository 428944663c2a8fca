"""GPUs and threads of local workers, as a pure function and in processes that were really started."""

import logging

import pytest

from benchmark.cluster.start import workers
from benchmark.engine import Resources
from benchmark.errors import UserError
from benchmark.seats import Seat, crowding, seats, visible_gpus


@pytest.mark.parametrize(
    ("visible", "count", "device", "expected"),
    [
        (None, 4, "cuda", ("0", "1", "2", "3")),
        (None, 4, "cuda:3", ("3",)),
        ("2,5", 2, "cuda", ("2", "5")),
        ("2,5", 2, "cuda:1", ("5",)),
        ("GPU-a, GPU-b", 2, "cuda:0", ("GPU-a",)),
        ("0,1,9", 2, "cuda", ("0", "1")),
        (None, 4, "cpu", ()),
    ],
)
def test_gpus_are_those_that_this_process_sees(
    visible: str | None, count: int, device: str, expected: tuple[str, ...]
) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert visible_gpus(environment, count, device) == expected


@pytest.mark.parametrize("asked", [None, 1, 3, 8])
def test_on_the_cpu_every_run_has_the_suites_threads(asked: int | None) -> None:
    found = seats(asked, None, gpus=(), cores=8, threads=2)
    assert found == (Seat(2),) * (4 if asked is None else asked)


def test_there_is_a_worker_where_cores_are_fewer_than_threads() -> None:
    assert seats(None, None, gpus=(), cores=1, threads=4) == (Seat(4),)


@pytest.mark.parametrize(
    ("asked", "per_gpu", "expected"),
    [
        (None, None, ("0", "1", "2")),
        (None, 2, ("0", "1", "2", "0", "1", "2")),
        (5, None, ("0", "1", "2", "0", "1")),
        (2, None, ("0", "1")),
    ],
)
def test_workers_are_spread_over_the_gpus_and_share_the_cores(
    asked: int | None, per_gpu: int | None, expected: tuple[str, ...]
) -> None:
    found = seats(asked, per_gpu, gpus=("0", "1", "2"), cores=12, threads=1)
    assert tuple(seat.gpu for seat in found) == expected
    assert {seat.threads for seat in found} == {12 // len(expected)}
    assert sum(seat.threads for seat in found) <= 12


def test_no_worker_has_less_than_one_thread() -> None:
    assert {seat.threads for seat in seats(9, None, gpus=("0",), cores=4, threads=1)} == {1}


def test_numbers_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(UserError, match="needs --device cuda"):
        seats(None, 2, gpus=(), cores=8, threads=1)
    with pytest.raises(UserError, match="give one of them"):
        seats(2, 2, gpus=("0",), cores=8, threads=1)


def test_more_threads_than_cores_are_warned_of() -> None:
    assert crowding((Seat(1),) * 8, 2) == ("8 workers need 8 threads on 2 cores and will slow one another down; 2 fit")
    assert crowding((Seat(4),) * 3, 8).endswith("; 2 fit")
    assert not crowding((Seat(1),) * 8, 8)
    assert not crowding((Seat(4),), 2), "a single worker is what there is"


def test_processes_that_are_started_see_their_own_gpu_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    places = (Seat(3, "GPU-a"), Seat(3, "GPU-b"))
    said: list[str] = []

    def variables() -> tuple[str | None, ...]:
        import os

        return os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("OMP_NUM_THREADS")

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # Dask leaves in them what spawned processes are to find
        monkeypatch.setenv(name, "1")
    level = logging.getLogger("distributed").level
    with workers(Resources("auto", workers=2, seats=places), said.append) as pool:
        found = pool.client.run(variables).values()
        assert pool.slots() == 2
    logging.getLogger("distributed").setLevel(level)
    assert sorted(found) == [("GPU-a", "3"), ("GPU-b", "3")]
    assert not said
