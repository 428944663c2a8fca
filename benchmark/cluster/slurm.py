"""Workers as Slurm jobs, through dask-jobqueue: submitted, replaced when Slurm ends one, cancelled at the end."""

import asyncio
import contextlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from benchmark import stopping
from benchmark.cluster.pool import Pool
from benchmark.errors import UserError
from benchmark.slurm import MEMORY_DEFAULT, SlurmJobs

LOST_IN_A_ROW = 3
"""Jobs that may end before their worker came, one after the other, before that counts as an error."""

LOOK_SEC = (5.0, 60.0)
"""First and longest time between two looks at the queue while a worker is missing."""


@contextmanager
def jobs(asked: SlurmJobs, device: str, say: Callable[[str], None]) -> Iterator[Pool]:
    """Submit the jobs and yield their workers; cancel them at the end.

    Raises:
        UserError: Slurm or dask-jobqueue is not there, or the network interface is not.
    """
    check_installed()
    interface = _check_interface(asked.options.interface)
    from distributed import Client

    refused: list[str] = []
    with _folder(asked.folder), _cluster(asked, interface, refused) as cluster, Client(cluster) as client:
        pool = Pool(client, device, say, state=_queue_in_words)
        keeper = Keeper(cluster, asked, refused, pool)
        cluster.loop.add_callback(keeper.keep)
        try:
            yield pool
        finally:
            keeper.over = True


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make the folder of scripts and logs and remove it at the end; after an error logs stay, for they may say why."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if not any(path.glob("*.log")):
            shutil.rmtree(path, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)


def check_installed() -> None:
    """Refuse a machine from which no job can be submitted.

    Raises:
        UserError: It is one.
    """
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise UserError("--cluster slurm needs dask-jobqueue, which is not installed; pip install dask-jobqueue")
    for command in ("sbatch", "squeue", "scancel"):
        if shutil.which(command) is None:
            raise UserError(f"--cluster slurm needs Slurm's {command}, which is not here; run on a login node")


def _check_interface(name: str | None) -> dict[str, Any]:
    import psutil

    if name is None:
        return {}
    if name not in (known := psutil.net_if_addrs()):
        raise UserError(f"there is no network interface {name!r}; choose one of: {', '.join(known)}")
    return {"interface": name}


def _cluster(asked: SlurmJobs, interface: dict[str, Any], refused: list[str]) -> Any:
    """Return a cluster whose jobs note what sbatch says where it refuses them."""
    import dask.config

    with _signals_kept():
        from dask_jobqueue.slurm import SLURMCluster, SLURMJob
    from distributed.core import Status

    class Job(SLURMJob):
        async def start(self) -> None:
            try:
                await super().start()
            except (RuntimeError, ValueError, OSError) as error:
                refused.append(_sbatch_text(error))
                self.status = Status.running  # as Dask wants it of a job that it is to close again

        @contextmanager
        def job_file(self) -> Iterator[str]:
            path = asked.folder / f"{self.name}.sh"
            path.write_text(self.job_script())
            yield str(path)

    options = asked.options
    with dask.config.set({"jobqueue.slurm.walltime": None}):  # type: ignore[attr-defined]
        return SLURMCluster(
            job_cls=cast(Any, Job),  # annotated as an instance
            queue=options.partition,
            walltime=options.time_limit,
            cores=1,
            processes=1,
            job_cpu=asked.threads,
            memory="1GB",
            job_mem=options.memory or MEMORY_DEFAULT,
            nanny=False,
            python=shlex.quote(sys.executable),
            job_name="auxilearn",
            job_extra_directives=asked.directives(),
            job_script_prologue=[f"export OMP_NUM_THREADS={asked.threads} MKL_NUM_THREADS={asked.threads}"],
            worker_extra_args=["--memory-limit", "0", "--preload", "benchmark.worker", "--no-dashboard"],
            scheduler_options={"dashboard_address": "127.0.0.1:0", **interface},
        )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep the handlers, ignored signals too: importing dask-jobqueue 0.9 lets Ctrl-C end the process with status 0."""
    held = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in held.items():
            signal.signal(number, handler)


def _sbatch_text(error: Exception) -> str:
    """Return in one line what sbatch wrote, out of dask-jobqueue's text."""
    said = str(error).rpartition("stderr:\n")[2].strip() or str(error)
    return "; ".join(line.removeprefix("sbatch: error: ") for line in said.splitlines() if line.strip())


class Keeper:
    """Submits a job again when Slurm has ended it, for as long as its worker comes.

    Args:
        cluster: dask-jobqueue's cluster.
        asked: The jobs.
        refused: What sbatch said of jobs that it refused.
        pool: Says how many workers are of use, and takes the error that ends the session.
    """

    def __init__(self, cluster: Any, asked: SlurmJobs, refused: list[str], pool: Pool):
        self._cluster, self._asked, self._refused, self._pool = cluster, asked, refused, pool
        self._came: set[str] = set()
        """Names of jobs whose worker is or was there since they were submitted."""
        self._lost = 0
        self.over = False

    async def keep(self) -> None:
        """Submit the jobs and look after them until the end."""
        self._cluster.scale(jobs=self._asked.count)
        wait = LOOK_SEC[0]
        while not self.over:
            await asyncio.sleep(0.1)
            if self._refused:
                self._pool.troubles.put(UserError(f"Slurm refuses the job: {self._refused[0]}"))
                return
            present = {worker.name for worker in self._cluster.scheduler.workers.values()}
            self._came |= present
            if present:
                self._lost = 0
            if len(present) >= self._wanted():
                wait = LOOK_SEC[0]
                continue
            await asyncio.sleep(wait)
            wait = min(2 * wait, LOOK_SEC[1])
            if not self.over and await self._replace():
                wait = LOOK_SEC[0]

    async def _replace(self) -> bool:
        """Submit jobs again that Slurm has ended; return whether there are any."""
        queued = await asyncio.to_thread(_queued)
        if queued is None:
            return False
        workers = self._cluster.workers
        ended = [name for name, job in list(workers.items()) if job.job_id not in queued]
        for name in ended:
            job = workers.pop(name)
            self._lost += name not in self._came
            self._came.discard(name)
            if self._lost >= LOST_IN_A_ROW:
                text = _last_line(self._asked.folder, job.job_id)
                self._pool.troubles.put(UserError(f"{self._lost} jobs ended before their worker came: {text}"))
                return False
        if len(workers) < (wanted := self._wanted()):
            self._cluster.scale(jobs=wanted)
        return bool(ended)

    def _wanted(self) -> int:
        """Return how many jobs there should be: as many as asked for, towards the end as many as cells are left."""
        wanted = self._pool.wanted
        return self._asked.count if wanted is None else min(wanted, self._asked.count)


def _queued() -> set[str] | None:
    """Return the numbers of this user's jobs that wait or run; None where Slurm does not answer at present."""
    found = _squeue("%i")
    return None if found is None else set(found)


def _queue_in_words() -> str:
    """Return how many jobs of this benchmark there are in which state, and why they wait."""
    found = _squeue("%j|%T|%r")
    states = [line.split("|")[1:] for line in found or () if line.startswith("auxilearn|")]
    words = [f"{state.lower()}: {reason}" if reason not in ("None", "") else state.lower() for state, reason in states]
    return ", ".join(f"{words.count(each)} jobs {each}" for each in dict.fromkeys(words))


def _squeue(layout: str) -> list[str] | None:
    command = ["squeue", "--noheader", "--user", str(os.getuid()), "--format", layout]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.split("\n")


def _last_line(folder: Path, job: str | None) -> str:
    """Return the last line of a job's log, and where it lies."""
    path = folder / f"auxilearn-{job}.log"
    with contextlib.suppress(OSError, IndexError):
        return f"{path.read_text(errors='replace').strip().splitlines()[-1][:300]} ({path})"
    return f"there is no log {path}"
