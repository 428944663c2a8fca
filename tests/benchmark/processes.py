"""Commands in processes of their own: started, watched, killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmark.helpers import ROOT, RUN, Ended, environment

PATIENCE_SEC = 300


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll until `condition` holds."""
    end = time.monotonic() + PATIENCE_SEC
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.01)


class Running:
    """A command in a process group of its own."""

    def __init__(self, *arguments: str | Path, program: Sequence[str] = RUN, **changes: str) -> None:
        words = [*program, *map(str, arguments)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=environment(**changes), stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes, those that Dask's nannies spawned."""
        children = psutil.Process(self.process.pid).children()  # a worker's own child looks like it for a moment
        servers = [child for child in children if "forkserver" in " ".join(_words(child))]
        forked = [worker for server in servers for worker in server.children()]
        return [child for child in children if "spawn_main" in " ".join(_words(child))] + forked

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the driver, or to all of its group as a terminal does."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for the end of the driver."""
        out, err = self.process.communicate(timeout=PATIENCE_SEC)
        return Ended(self.process.returncode, out, err)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def running(*arguments: str | Path, program: Sequence[str] = RUN, **changes: str) -> Iterator[Running]:
    """Start a command, or another program of its options, in a changed environment; leave nothing of it at the end."""
    started = Running(*arguments, program=program, **changes)
    try:
        yield started
    finally:
        for stream in (started.process.stdout, started.process.stderr):
            if stream is not None:
                stream.close()
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start a scheduler and a worker by hand, as on a cluster; yield the scheduler's address and the worker."""
    file = folder / "scheduler.json"
    shared = ("--scheduler-file", str(file), "--no-dashboard")
    commands = (
        ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *shared),
        ("distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(folder), *shared),
    )
    started = []
    try:
        for module, *words in commands:
            quiet = subprocess.DEVNULL
            process = subprocess.Popen(
                [sys.executable, "-m", module, *words], cwd=ROOT, env=environment(), stdout=quiet, stderr=quiet
            )
            started.append(process)
            wait_until(file.exists, "the scheduler's file")
        yield json.loads(file.read_text())["address"], psutil.Process(started[-1].pid)
    finally:
        for process in started:
            process.kill()
            process.wait()
