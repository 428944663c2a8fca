"""Runs cells on Dask workers, or in this process where Dask is not installed."""

import contextlib
import importlib.util
import queue
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from benchmark import stopping
from benchmark.cell import run_cell
from benchmark.errors import UserError
from benchmark.failures import reason_of
from benchmark.places import Places
from benchmark.pruning import Bars
from benchmark.record import Record
from benchmark.seats import Seat
from benchmark.slurm import SlurmJobs
from benchmark.spec import Spec

if TYPE_CHECKING:
    from benchmark.cluster.pool import Pool

DEATHS_ALLOWED = 10
"""Deaths of a worker under one cell before the cell counts as failed."""

PATIENCE_SEC = 20.0
"""Longest wait for runs that are asked to stop; a step, or an evaluation, and a checkpoint have to fit."""

AHEAD = 2
"""Short cells handed out for each worker slot: one runs, one waits, so that no worker idles for the driver."""

SHORT_SEC = 1.0
"""Cells of a method count as short if the last one took less; none waits at a worker behind one that is not short."""

WATCH_SEC = 1.0
"""Time between two looks at the workers while none of their cells ends."""


class Engine(Protocol):
    """Runs each cell once and returns its record."""

    @property
    def slots(self) -> int:
        """Cells that run at the same time."""
        ...

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        ...

    def submit(self, spec: Spec, bars: Bars | None = None) -> None:
        """Hand out one cell; a trial of a search with what it has to reach."""
        ...

    def next(self) -> Record:
        """Wait for a submitted cell to end and return its record."""
        ...

    def stop(self) -> None:
        """Let the cells that run save their state and end; nothing is submitted after that."""
        ...


@dataclass(frozen=True)
class Resources:
    """Where to run: a device, and local workers, a running cluster or Slurm jobs.

    Attributes:
        device: Torch device of each run, as its worker process names it; `auto` is the worker's own choice.
        workers: Local worker processes or Slurm jobs; 0 runs in the driver itself.
        scheduler: Address of a Dask scheduler to use instead of local workers.
        places: Where the workers find the suite's data.
        seats: What each local worker has; empty for one thread each.
        slurm: Jobs to start instead of local workers.
    """

    device: str = "cpu"
    workers: int = 1
    scheduler: str | None = None
    places: Places = field(default_factory=Places)
    seats: tuple[Seat, ...] = ()
    slurm: SlurmJobs | None = None


Cell = Callable[..., dict[str, Any]]
"""What a worker does with a cell, see `run_cell`."""

GONE = "the Dask scheduler went away; finished runs are recorded, run the command again"


def tell(line: str) -> None:
    """Print a line on standard error."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def start(resources: Resources, say: Callable[[str], None] = tell, cell: Cell = run_cell) -> Iterator[Engine]:
    """Start the engine and stop its workers at the end.

    Args:
        resources: Where to run.
        say: Prints what the user should know meanwhile.
        cell: What workers do with a cell; a measurement of the harness tells them something else.

    Raises:
        UserError: The workers cannot be had or differ from the driver, or Dask is needed and not installed.
    """
    if resources.scheduler is None and resources.slurm is None and resources.workers == 0:
        yield InProcess(resources)
        return
    if importlib.util.find_spec("distributed") is None:
        raise UserError("distributed is not installed; use --workers 0 to run in this process")
    from benchmark.cluster.start import workers

    with workers(resources, say) as pool:
        yield OnDask(pool, resources, cell)


class InProcess:
    """Runs cells one after the other in this process."""

    slots = 1

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._waiting: list[tuple[Spec, Bars | None]] = []

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        return 1 - len(self._waiting)

    def submit(self, spec: Spec, bars: Bars | None = None) -> None:
        """Note the next cell."""
        self._waiting.append((spec, bars))

    def next(self) -> Record:
        """Run the next cell."""
        from benchmark.train import run

        spec, bars = self._waiting.pop(0)
        return run(spec, self._resources.device, self._resources.places, bars)

    def stop(self) -> None:
        """Do nothing: the run itself takes the signal."""


class OnDask:
    """Runs cells on the workers of a Dask cluster; a cell's digest is its task's key, numbered from the second on."""

    def __init__(self, pool: "Pool", resources: Resources, cell: Cell = run_cell) -> None:
        self._pool = pool
        self._resources = resources
        self._cell = cell
        self._specs: dict[str, Spec] = {}
        self._futures: dict[str, Any] = {}
        self._attempts: Counter[str] = Counter()
        self._since: dict[str, float] = {}
        self._long: set[str] = set()
        """Cells under way that may take long."""
        self._short: set[tuple[str, str]] = set()
        """Setting and method of cells that took no time worth mentioning."""
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def slots(self) -> int:
        """Cells that run at the same time."""
        with self._reaching():
            return max(self._pool.slots(), 1)

    def room(self) -> int:
        """Return how many more cells may be submitted now."""
        return (1 if self._long else AHEAD) * self.slots - len(self._specs)

    def submit(self, spec: Spec, bars: Bars | None = None) -> None:
        """Hand out one cell."""
        where = self._resources.device, self._resources.places
        self._attempts[spec.digest] += 1
        again = self._attempts[spec.digest]
        key = spec.digest if again == 1 else f"{spec.digest}-{again}"  # the scheduler may hold what the first one gave
        options = {"key": key, "pure": True, "resources": {self._pool.mark: 1}}
        with self._reaching():
            future = self._pool.client.submit(self._cell, spec.to_json(), *where, bars, **options)
        self._specs[key], self._futures[key], self._since[key] = spec, future, time.monotonic()
        if (spec.setting, spec.method) not in self._short:
            self._long.add(key)
        future.add_done_callback(self._done.put)

    def next(self) -> Record:
        """Wait for a cell to end; a cell whose workers died too often is a failed record."""
        future = self._next_done()
        while future.status not in ("finished", "error", "cancelled"):
            future.add_done_callback(self._done.put)  # its worker died with the record: the cell is run again
            future = self._next_done()
        spec = self._forget(future.key)
        if future.status == "finished":
            with self._reaching():
                return Record.from_json(future.result())
        if future.status == "cancelled":
            raise UserError(GONE)
        return _unreturned(spec, future.exception())

    def _next_done(self) -> Any:
        while True:
            try:
                return self._done.get(timeout=WATCH_SEC)
            except queue.Empty:
                with self._reaching():
                    self._pool.watch()

    def _forget(self, key: str) -> Spec:
        """Take note that a cell has ended, and of how long it took at most."""
        spec = self._specs.pop(key)
        del self._futures[key]
        self._long.discard(key)
        short = time.monotonic() - self._since.pop(key) < SHORT_SEC
        (self._short.add if short else self._short.discard)((spec.setting, spec.method))
        return spec

    def stop(self) -> None:
        """Take back the cells that wait, let those that run save their state and end, within `PATIENCE_SEC`."""
        with contextlib.suppress(OSError):  # a cluster that is gone needs no stopping
            self._pool.client.cancel(list(self._futures.values()))
            digests = [spec.digest for spec in self._specs.values()]
            self._pool.client.run(stopping.stop_runs, digests, PATIENCE_SEC, on_error="ignore")

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Tell in one line that the scheduler has gone, which Dask tells by errors without a common base."""
        try:
            yield
        except UserError:
            raise
        except OSError:
            raise UserError(GONE) from None
        except Exception:
            if self._pool.client.status == "running":
                raise
            raise UserError(GONE) from None


def _unreturned(spec: Spec, error: BaseException) -> Record:
    """Return the record of a cell that has none of its own: its workers died, or could not even begin."""
    from benchmark.cluster.pool import is_killed

    if not is_killed(error):
        return Record(spec=spec, status="failed", reason=reason_of(error))
    deaths = DEATHS_ALLOWED + 1
    reason = f"its worker process died {deaths} times under it, as when the system ends one for want of host memory"
    return Record(spec=spec, status="failed", reason=reason, attempts=deaths)
