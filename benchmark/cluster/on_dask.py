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
        self._cells: dict[str, tuple[Spec, Bars | None]] = {}
        """What is under way, by key."""
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
        self._suspects: deque[tuple[Spec, Bars | None]] = deque()
        """Cells whose workers died too often, theirs or others' doing: each is put to the test alone."""
        self._tested: str | None = None
        """Key of the cell that is."""

    @property
    def slots(self) -> int:
        """Cells that run at the same time."""
        with self._reaching():
            return max(self._pool.slots(), 1)

    def room(self) -> int:
        """Return how many more cells may be submitted now; none while there are suspects."""
        if self._suspects or self._tested:
            return 0
        return (1 if self._long else AHEAD) * self.slots - len(self._cells)

    def submit(self, spec: Spec, bars: Bars | None = None) -> None:
        """Hand out one cell."""
        self._submit(spec, bars)

    def _submit(self, spec: Spec, bars: Bars | None) -> str:
        where = self._resources.device, self._resources.places
        self._attempts[spec.digest] += 1
        again = self._attempts[spec.digest]
        key = spec.digest if again == 1 else f"{spec.digest}-{again}"  # the scheduler may hold what the first one gave
        options = {"key": key, "pure": True, "resources": {self._pool.mark: 1}}
        with self._reaching():
            future = self._pool.client.submit(self._cell, spec.to_json(), *where, bars, **options)
        self._cells[key], self._futures[key], self._since[key] = (spec, bars), future, time.monotonic()
        if (spec.setting, spec.method) not in self._short:
            self._long.add(key)
        future.add_done_callback(self._told.put)
        return key

    def next(self) -> Record | None:
        """Wait for a cell to end; None as soon as new workers make room for more.

        Dask counts the death of a worker against every cell that it had, the waiting ones too. So one that it gives up
        is run again when nothing else is, and is a failed record only if its workers die then as well.
        """
        full = self.room() <= 0
        self._pool.wanted = None if full else len(self._cells)
        while not self.ready():
            if self._suspects and not self._cells:
                self._tested = self._submit(*self._suspects.popleft())
            self._wait()
            if full and not self._ended and self.room() > 0:
                return None
        if self._ended[0].status == "finished" and not self._fetch(self._ended[0]):
            return self.next()
        future = self._ended.popleft()
        spec, _ = self._forget(future.key)
        self._tested = None if self._tested == future.key else self._tested
        if future.key in self._values:
            return Record.from_json(self._values.pop(future.key))
        if future.status == "cancelled":
            raise UserError(GONE)
        return _unreturned(spec, future.exception())

    def _fetch(self, future: Any) -> bool:
        """Fetch what a cell gave and, in the same way, what all others that have ended did.

        False if a worker died with one of these and Dask has given that up: its future says so from then on.
        """
        if future.key in self._values:
            return True
        batch = [future, *(each for each in self._ended if each is not future and each.status == "finished")]
        try:
            with self._reaching():
                found = self._pool.client.gather(batch)
        except Exception as error:
            if is_killed(error) and any(each.status == "error" for each in batch):
                return False
            raise
        self._values |= {each.key: value for each, value in zip(batch, found, strict=True)}
        return True

    def ready(self) -> bool:
        """Return whether `next` would not wait."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._look_at(self._told.get_nowait())
        while self._ended and not self._is_settled(self._ended[0]):
            future = self._ended.popleft()
            if future.status in DONE:
                self._suspects.append(self._forget(future.key))
            else:
                self._look_at(future)  # its worker has died since
        return bool(self._ended)

    def _is_settled(self, future: Any) -> bool:
        """Return whether a cell that had ended still has, and has not been given up while others ran beside it."""
        if future.key in self._values:
            return True
        given_up = future.status == "error" and is_killed(future.exception()) and future.key != self._tested
        return future.status in DONE and not given_up

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

    def _forget(self, key: str) -> tuple[Spec, Bars | None]:
        """Take note that a cell has ended, and of how long it took at most."""
        spec, bars = self._cells.pop(key)
        del self._futures[key]
        self._long.discard(key)
        short = time.monotonic() - self._since.pop(key) < SHORT_SEC
        (self._short.add if short else self._short.discard)((spec.setting, spec.method))
        return spec, bars

    def stop(self) -> None:
        """Take back the cells that wait, let those that run save their state and end, within `PATIENCE_SEC`."""
        with contextlib.suppress(OSError):  # a cluster that is gone needs no stopping
            self._pool.client.cancel(list(self._futures.values()))
            digests = [spec.digest for spec, _ in self._cells.values()]
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
    reason = (
        f"its worker process died {deaths} times while nothing else ran, as when the system ends one for want of host "
        "memory"
    )
    return Record(spec=spec, status="failed", reason=reason, attempts=deaths)
