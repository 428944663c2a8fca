"""Commands in processes of their own: started, watched, killed."""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmark.helpers import ROOT, RUN, Ended, ended, environment

PATIENCE_SEC = 300


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll until `condition` holds, with little of the time that others need."""
    end = time.monotonic() + PATIENCE_SEC
    while True:
        begun = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        assert now < end, f"waited too long for {what}"
        time.sleep(max(0.01, 4 * (now - begun)))


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
        return workers_of(psutil.Process(self.process.pid))

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the driver, or to all of its group as a terminal does."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for the end of the driver."""
        return ended(self.process, PATIENCE_SEC)


def workers_of(driver: psutil.Process) -> list[psutil.Process]:
    """Return the worker processes of a driver, those that Dask's nannies spawned."""
    children = driver.children()  # a worker's own child looks like it for a moment
    servers = [child for child in children if "forkserver" in " ".join(_words(child))]
    forked = [worker for server in servers for worker in server.children()]
    return [child for child in children if "spawn_main" in " ".join(_words(child))] + forked


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
def in_a_terminal(
    *arguments: str | Path, program: Sequence[str] = RUN
) -> Iterator[tuple[subprocess.Popen, Callable[[], None]]]:
    """Start a command, or another program, in a terminal of its own; yield its process and what closes the terminal."""
    master, slave = os.openpty()
    closing = threading.Event()

    def read() -> None:
        with contextlib.suppress(OSError):  # nobody writes to the terminal any more
            while not closing.is_set():
                if select.select([master], [], [], 0.02)[0]:
                    os.read(master, 4096)
        os.close(master)

    def close() -> None:
        closing.set()
        terminal.join()

    def take() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    terminal = threading.Thread(target=read)
    terminal.start()
    words = [*program, *map(str, arguments)]
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=take,
    )
    os.close(slave)
    try:
        yield process, close
    finally:
        close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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
            wait_until(lambda: file.exists() and file.read_text().endswith("\n}"), "the scheduler's whole file")
        yield json.loads(file.read_text())["address"], psutil.Process(started[-1].pid)
    finally:
        for process in started:
            process.kill()
            process.wait()
