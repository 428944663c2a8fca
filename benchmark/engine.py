"""Runs cells on Dask workers, or in this process where Dask is not installed."""

import contextlib
import importlib.util
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmark import stopping
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import Spec

DEATHS_ALLOWED = 10
"""Deaths of a worker under one cell before the cell counts as failed."""

PATIENCE_SEC = 20.0
"""Longest wait for runs that are asked to stop; a step, or an evaluation, and a checkpoint have to fit."""

_GONE = "the Dask scheduler went away; finished runs are recorded, run the command again"

AHEAD = 2
"""Cells handed out for each worker slot: one runs, one waits, so that no worker idles for the driver."""


class Engine(Protocol):
    """Runs each cell once and returns its record."""

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        ...

    def submit(self, spec: Spec) -> None:
        """Hand out one cell."""
        ...

    def next(self) -> Record:
        """Wait for a submitted cell to end and return its record."""
        ...

    def stop(self) -> None:
        """Let the cells that run save their state and end; nothing is submitted after that."""
        ...


@dataclass(frozen=True)
class Resources:
    """Where to run: a device, and local workers or a running cluster.

    Attributes:
        device: Torch device of each run.
        workers: Local worker processes; 0 runs in the driver itself.
        scheduler: Address of a Dask scheduler to use instead of local workers.
        places: Where the workers find the suite's data.
    """

    device: str = "cpu"
    workers: int = 1
    scheduler: str | None = None
    places: Places = field(default_factory=Places)


def run_cell(spec: dict[str, Any], device: str, places: Places) -> dict[str, Any]:
    """Run one cell in a worker; specs and records travel as plain JSON values."""
    from benchmark.train import run

    try:
        return run(Spec.from_json(spec), device, places).to_json()
    except stopping.Stopped:
        stopping.stopped()  # may end the worker: the scheduler hands the cell to another one
        return {}  # the driver has gone


@contextmanager
def start(resources: Resources, cell: Callable[..., dict[str, Any]] = run_cell) -> Iterator[Engine]:
    """Start the engine and stop its workers at the end.

    Args:
        resources: Where to run.
        cell: What workers are told to do with a cell; a measurement of the harness tells them something else.

    Raises:
        UserError: The scheduler cannot be reached, or Dask is needed and not installed.
    """
    if resources.scheduler is None and resources.workers == 0:
        yield InProcess(resources)
        return
    if importlib.util.find_spec("distributed") is None:
        raise UserError("distributed is not installed; use --workers 0 to run in this process")
    with _client(resources) as client:
        yield OnDask(client, resources, cell)


class InProcess:
    """Runs cells one after the other in this process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._waiting: list[Spec] = []

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        return 1 - len(self._waiting)

    def submit(self, spec: Spec) -> None:
        """Note the next cell."""
        self._waiting.append(spec)

    def next(self) -> Record:
        """Run the next cell."""
        from benchmark.train import run

        return run(self._waiting.pop(0), self._resources.device, self._resources.places)

    def stop(self) -> None:
        """Do nothing: the run itself takes the signal."""


class OnDask:
    """Runs cells on the workers of a Dask cluster; a cell's digest is its task's key."""

    def __init__(self, client: Any, resources: Resources, cell: Callable[..., dict[str, Any]] = run_cell) -> None:
        from distributed import as_completed

        self._client = client
        self._resources = resources
        self._cell = cell
        self._specs: dict[str, Spec] = {}
        self._futures: dict[str, Any] = {}
        self._completed = as_completed()

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        with self._reaching():
            slots = sum(self._client.nthreads().values())
        return AHEAD * max(slots, 1) - len(self._specs)

    def submit(self, spec: Spec) -> None:
        """Hand out one cell."""
        where = self._resources.device, self._resources.places
        with self._reaching():
            future = self._client.submit(self._cell, spec.to_json(), *where, key=spec.digest, pure=True)
        self._specs[spec.digest] = spec
        self._futures[spec.digest] = future
        self._completed.add(future)

    def next(self) -> Record:
        """Wait for a cell to end; a cell whose workers died too often is a failed record."""
        future = next(self._completed)
        while future.status not in ("finished", "error", "cancelled"):
            self._completed.add(future)  # its worker died before it handed the record over: the cell is run again
            future = next(self._completed)
        spec = self._specs.pop(future.key)
        del self._futures[future.key]
        if future.status == "finished":
            with self._reaching():
                return Record.from_json(future.result())
        if future.status == "cancelled":
            raise UserError(_GONE)
        reason = f"{type(future.exception()).__name__}: {future.exception()}".splitlines()[0][:500]
        return Record(spec=spec, status="failed", reason=reason)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Tell in one line that the scheduler has gone, which Dask tells by errors without a common base."""
        try:
            yield
        except OSError:
            raise UserError(_GONE) from None
        except Exception:
            if self._client.status == "running":
                raise
            raise UserError(_GONE) from None

    def stop(self) -> None:
        """Take back the cells that wait, let those that run save their state and end, within `PATIENCE_SEC`."""
        with contextlib.suppress(OSError):  # a cluster that is gone needs no stopping
            self._client.cancel(list(self._futures.values()))
            self._client.run(stopping.stop_runs, list(self._futures), PATIENCE_SEC, on_error="ignore")


@contextmanager
def _client(resources: Resources) -> Iterator[Any]:
    """Connect to the scheduler, or start one with local workers."""
    import logging

    import dask.config
    from distributed import Client

    for name in ("distributed", "distributed.client"):  # the second has a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(_CONFIG):  # type: ignore[attr-defined]
        if resources.scheduler is not None:
            with _connected(lambda: Client(resources.scheduler, timeout=10), resources.scheduler) as client:
                client.run_on_scheduler(_patient())
                yield client
            return
        from distributed import LocalCluster

        cluster = LocalCluster(
            n_workers=resources.workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            preload=["benchmark.worker"],
        )
        with cluster, Client(cluster) as client:
            yield client


_CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS_ALLOWED,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": None,  # a worker that is slow to answer is never robbed while it lives
    "distributed.deploy.lost-worker-timeout": "10000 days",  # one that is slow to start again is never given up
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": "10s",
}


def _patient() -> Callable[..., None]:
    """Return what makes a scheduler that is not ours as patient with workers as `_CONFIG` makes ours.

    It is a function within one, which Dask sends as it is: the scheduler's host needs no copy of this package.
    """
    deaths, forever = DEATHS_ALLOWED, float("inf")

    def be_patient(dask_scheduler: Any) -> None:
        dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, deaths)
        dask_scheduler.worker_ttl = forever

    return be_patient


@contextmanager
def _connected(connect: Callable[[], Any], address: str) -> Iterator[Any]:
    wrong = UserError(f"no Dask scheduler answers at {address!r}; give an address such as tcp://host:8786")
    if not address:  # which Dask takes as a wish for a cluster of its own
        raise wrong
    try:
        client = connect()
    except (OSError, ValueError, TimeoutError):
        raise wrong from None
    with client:
        yield client


def default_workers(device: str, threads: int) -> int:
    """Return one worker a GPU's worth on CUDA, else as many as the cores hold."""
    if device.startswith("cuda"):
        return 1
    return max(1, len(os.sched_getaffinity(0)) // threads)


def interrupt_on_sigterm() -> None:
    """Let SIGTERM stop the driver as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of the block: a half-done write to Optuna's journal raises oddly."""
    pending: list[int] = []
    held = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in held:
        signal.signal(number, lambda number, frame: pending.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    if pending:
        raise KeyboardInterrupt
