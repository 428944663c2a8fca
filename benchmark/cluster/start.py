"""Starts a cluster of local processes or of Slurm jobs, or connects to one that runs."""

import logging
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from benchmark.cluster import slurm
from benchmark.cluster.pool import Pool
from benchmark.engine import DEATHS_ALLOWED, Resources
from benchmark.errors import UserError
from benchmark.seats import Seat

if TYPE_CHECKING:
    from distributed import Client

QUIET = logging.CRITICAL

PATIENCE = 10
"""Seconds in which a scheduler has to answer."""

CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS_ALLOWED,
    "distributed.scheduler.work-stealing": True,  # of cells that wait behind another: a worker asked for one consents
    "distributed.scheduler.worker-ttl": None,  # a worker that is slow to answer is never robbed while it lives
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    "distributed.deploy.lost-worker-timeout": "365d",  # who starts workers again, nanny or Slurm, never gives one up
}

MALLOC = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""Let a worker keep the memory of a step for the next one. Dask's own setting gives it back to the system each time,
which doubled the time of a step of a small network of convolutions."""


@contextmanager
def workers(resources: Resources, say: Callable[[str], None]) -> Iterator[Pool]:
    """Yield the workers that `resources` asks for, those of them that equal this process; stop ours at the end.

    Raises:
        UserError: They cannot be had, or one differs.
    """
    import dask.config
    import distributed  # noqa: F401  # it sets the levels of its logs when it is imported

    for name in ("distributed", "distributed.client"):  # the second has a level of its own
        logging.getLogger(name).setLevel(QUIET)
    with dask.config.set(CONFIG):  # type: ignore[attr-defined]
        if resources.scheduler is not None:
            opened = _connected(resources.scheduler, resources.device, say)
        elif resources.slurm is not None:
            opened = slurm.jobs(resources.slurm, resources.device, say)
        else:
            opened = _local(resources, say)
        with opened as pool:
            pool.open()
            try:
                yield pool
            finally:
                pool.close()


@contextmanager
def _connected(address: str, device: str, say: Callable[[str], None]) -> Iterator[Pool]:
    scheme, found, rest = address.rpartition("://")
    shown = f"{scheme}{found}{rest.rpartition('@')[2]}"  # an address may have a password in it
    wrong = UserError(f"no Dask scheduler answers at {shown!r}; give an address such as tcp://host:8786")
    if not address:  # which Dask takes as a wish for a cluster of its own
        raise wrong
    try:
        client = _client(address)
    except (OSError, ValueError):
        raise wrong from None
    except TypeError as error:  # of TLS that is not configured
        raise UserError(f"Dask cannot connect to {shown!r}: {error}") from None
    with client:
        client.run_on_scheduler(_patient())
        yield Pool(client, device, say)


def _client(address: str) -> "Client":
    from distributed import Client

    class Closing(Client):
        """Is closed at once where it cannot connect.

        Python would do it when it collects garbage, which waits forever where a thread is just opening the next one.
        """

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                self.close()
                raise

    return Closing(address, timeout=PATIENCE)


def _patient() -> Callable[..., None]:
    """Return what makes a scheduler that is not ours as patient with workers as `CONFIG` makes ours.

    It is a function within one, which Dask sends as it is: the scheduler's host needs no copy of this package.
    """
    deaths, forever = DEATHS_ALLOWED, float("inf")

    def be_patient(dask_scheduler: Any) -> None:
        dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, deaths)
        dask_scheduler.worker_ttl = forever

    return be_patient


@contextmanager
def _local(resources: Resources, say: Callable[[str], None]) -> Iterator[Pool]:
    """Start a process for each seat, whose nanny starts it again if it dies."""
    import dask.config
    from distributed import Client, Nanny, Scheduler, SpecCluster

    places = resources.seats or (Seat(1),) * resources.workers
    # libraries read the number of threads when they are loaded, which for a spawned process is before Nanny's env
    variables = {**MALLOC, **_shared(places)}
    spawned = {f"distributed.nanny.pre-spawn-environ.{key}": value for key, value in variables.items()}
    options = {
        "nthreads": 1,
        "memory_limit": 0,
        "host": "127.0.0.1",
        "preload": ["benchmark.worker"],
        "silence_logs": QUIET,
    }
    spec = {
        number: {"cls": Nanny, "options": {**options, "env": seat.environment()}} for number, seat in enumerate(places)
    }
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}}
    with (
        dask.config.set(spawned),  # type: ignore[attr-defined]
        _deaf(
            lambda: SpecCluster(spec, scheduler, name=f"local-{secrets.token_hex(4)}", silence_logs=False)
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Pool(client, resources.device, say)


def _deaf(start: Callable[[], Any]) -> Any:
    """Return what `start` returns; what it begins never hears of Ctrl-C or the terminal's end, the driver's."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    resource_tracker.ensure_running()  # which lets the thread that starts it hear Ctrl-C again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _shared(places: tuple[Seat, ...]) -> dict[str, str]:
    """Return the variables that all seats have in common."""
    first, *others = (seat.environment() for seat in places)
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
