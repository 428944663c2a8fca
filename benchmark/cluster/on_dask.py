"""The engine on the workers of a Dask cluster."""

import contextlib
import queue
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmark import engine, stopping
from benchmark.cell import run_cell
from benchmark.cluster.pool import Pool, is_killed
from benchmark.engine import Cell, Resources
from benchmark.errors import UserError
from benchmark.failures import reason_of
from benchmark.pruning import Bars
from benchmark.record import Record
from benchmark.spec import Spec

PATIENCE_SEC = 20.0
"""Longest wait for runs that are asked to stop; a step, or an evaluation, and a checkpoint have to fit."""

AHEAD = 8
"""Short cells handed out for each worker slot: one runs, the others wait, so that no worker idles for the driver, which
fetches and writes together what has ended."""

SHORT_SEC = 1.0
"""Cells of a method count as short if the last one took less; none waits at a worker behind one that is not short."""

WATCH_SEC = 1.0
"""Time between two looks at the workers while none of their cells ends."""

DONE = ("finished", "error", "cancelled")
"""States of Dask's futures that say how a cell has ended."""

GONE = "the Dask scheduler went away; finished runs are recorded, run the command again"


class OnDask:
    """Runs cells on the workers of a Dask cluster; a cell's digest is its task's key, numbered from the second on."""

    def __init__(self, pool: Pool, resources: Resources, cell: Cell = run_cell) -> None:
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
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        """Futures that Dask says are done."""
        self._ended: deque[Any] = deque()
        """Those of them that still are when they are looked at."""
        self._values: dict[str, dict[str, Any]] = {}
        """What they gave, as far as it has been fetched."""

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
        future.add_done_callback(self._told.put)

    def next(self) -> Record:
        """Wait for a cell to end; a cell whose workers died too often is a failed record."""
        while not self.ready():
            self._wait()
        future = self._ended.popleft()
        spec = self._forget(future.key)
        if future.key in self._values or future.status == "finished":
            return Record.from_json(self._value(future))
        if future.status == "cancelled":
            raise UserError(GONE)
        return _unreturned(spec, future.exception())

    def _value(self, future: Any) -> dict[str, Any]:
        """Return what a cell gave; that of all others that have ended comes the same way."""
        if future.key not in self._values:
            batch = [future, *(each for each in self._ended if each.status == "finished")]
            with self._reaching():
                found = self._pool.client.gather(batch)
            self._values |= {each.key: value for each, value in zip(batch, found, strict=True)}
        return self._values.pop(future.key)

    def ready(self) -> bool:
        """Return whether `next` would not wait."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._look_at(self._told.get_nowait())
        while self._ended and self._ended[0].key not in self._values and self._ended[0].status not in DONE:
            self._look_at(self._ended.popleft())  # its worker has died since
        return bool(self._ended)

    def _wait(self) -> None:
        """Wait for a cell, and look after the workers meanwhile."""
        try:
            self._look_at(self._told.get(timeout=WATCH_SEC))
        except queue.Empty:
            with self._reaching():
                self._pool.watch()

    def _look_at(self, future: Any) -> None:
        if future.status in DONE:
            self._ended.append(future)
        else:
            future.add_done_callback(self._told.put)  # its worker died with the record: the cell is run again

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
    if not is_killed(error):
        return Record(spec=spec, status="failed", reason=reason_of(error))
    deaths = engine.DEATHS_ALLOWED + 1
    reason = f"its worker process died {deaths} times under it, as when the system ends one for want of host memory"
    return Record(spec=spec, status="failed", reason=reason, attempts=deaths)
