"""The workers of a Dask cluster as the engine sees them: how many cells fit, and what goes wrong with them."""

import queue
import time
from collections.abc import Callable
from typing import Any

from benchmark.cluster.admission import admit, dismiss, new_mark
from benchmark.errors import UserError

FRESH_SEC = 0.5
"""Age up to which the number of slots counts as known."""

PATIENCE_SEC = 30.0
"""Time without any worker after which that is told."""

REMIND_SEC = 600.0
"""Time after which it is told again."""


class Pool:
    """Admitted workers of a cluster.

    Args:
        client: Dask's client of the cluster.
        device: Device of the runs.
        say: Prints a line.
        state: Says in words what the workers that are missing do; empty where that is not known.
    """

    def __init__(
        self, client: Any, device: str, say: Callable[[str], None], state: Callable[[], str] = lambda: ""
    ) -> None:
        self.client, self.mark = client, new_mark()
        self.troubles: queue.SimpleQueue[UserError] = queue.SimpleQueue()
        self.wanted: int | None = None
        """Workers that still have cells to run; None for as many as were asked for."""
        self._device, self._say, self._state = device, say, state
        self._slots, self._counted = 0, float("-inf")
        self._empty_since: float | None = None

    def open(self) -> None:
        """Admit the workers and wait for the first one.

        Raises:
            UserError: A worker that is there differs from the driver, or none can be started.
        """
        while not self.client.nthreads():
            self.watch()
            time.sleep(0.05)
        admit(self.client, self.mark, self._device, self._say)

    def close(self) -> None:
        """Take back what workers were given."""
        dismiss(self.client, self.mark)

    def slots(self) -> int:
        """Return how many cells the workers run at the same time."""
        now = time.monotonic()
        if now - self._counted > FRESH_SEC:
            self._slots = self.client.run_on_scheduler(_counting(self.mark))
            self._counted = now
        return self._slots

    def watch(self) -> None:
        """Raise what went wrong with the workers; tell if there has been none for some time.

        Raises:
            UserError: No workers can be started.
        """
        if not self.troubles.empty():
            raise self.troubles.get()
        now = time.monotonic()
        if self.client.nthreads():
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
            self._tell_at = now + PATIENCE_SEC
        elif now > self._tell_at:
            self._tell_at = now + REMIND_SEC
            state = self._state()
            self._say(f"no worker is there{f' ({state})' if state else ''}; waiting for one, Ctrl-C ends it")


def is_killed(error: BaseException) -> bool:
    """Return whether Dask has given up a cell under which workers died."""
    from distributed.scheduler import KilledWorker

    return isinstance(error, KilledWorker)


def _counting(mark: str) -> Callable[[Any], int]:
    """Return a function that counts in the scheduler the slots of workers with the mark; it travels by value."""

    def count(dask_scheduler: Any) -> int:
        marked = dask_scheduler.resources.get(mark, {})
        running = {worker.address for worker in dask_scheduler.running}
        return int(sum(slots for address, slots in marked.items() if address in running))

    return count
