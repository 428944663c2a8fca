"""Runs cells on Dask workers, or in this process where Dask is not installed."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmark.cell import run_cell
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.pruning import Bars
from benchmark.record import Record
from benchmark.seats import Seat
from benchmark.slurm import SlurmJobs
from benchmark.spec import Spec

DEATHS_ALLOWED = 5
"""Deaths of workers that had a cell, before it is put to the test alone; and in that test, before it has failed."""


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

    def next(self) -> Record | None:
        """Wait for a submitted cell to end and return its record; None if there is room for more cells before."""
        ...

    def ready(self) -> bool:
        """Return whether `next` would not wait."""
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
    from benchmark.cluster.on_dask import OnDask
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

    def ready(self) -> bool:
        """Return that a cell begins only when it is waited for."""
        return False

    def stop(self) -> None:
        """Do nothing: the run itself takes the signal."""
