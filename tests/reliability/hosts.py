"""Hosts for schedulers, workers and drivers: this machine, or network namespaces without shared files."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.benchmark.helpers import ROOT, environment
from tests.benchmark.processes import wait_until

NOTHING: Mapping[str, str] = {}
PRELOADS = ("--preload", "benchmark.worker", "--preload", "tests.reliability.observed")


class Host:
    """A machine on which Python modules run in a changed environment, with a folder hidden from them if need be.

    Attributes:
        address: Its IP address.
        words: What stands before a command that runs there.
    """

    def __init__(self, address: str = "127.0.0.1", words: Sequence[str] = ()) -> None:
        self.address = address
        self.words = tuple(words)

    @contextmanager
    def running(
        self, *command: str | Path, hidden: Path | None = None, changes: Mapping[str, str] = NOTHING
    ) -> Iterator[psutil.Process]:
        """Start a Python module there; leave nothing of it at the end."""
        words = [*self.words]
        if hidden is not None:
            words += ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none "{hidden}" && exec "$@"', "sh"]
        quiet = subprocess.DEVNULL
        words += [sys.executable, "-m", *map(str, command)]
        process = subprocess.Popen(words, cwd=ROOT, env=environment(**changes), stdout=quiet, stderr=quiet)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def scheduler(self, folder: Path, changes: Mapping[str, str] = NOTHING) -> Iterator[tuple[str, psutil.Process]]:
        """Start a scheduler; yield its address and process."""
        file = folder / "scheduler.json"
        file.unlink(missing_ok=True)
        words = ("--host", self.address, "--port", "0", "--no-dashboard", "--scheduler-file", file)
        with self.running("distributed.cli.dask_scheduler", *words, changes=changes) as process:
            wait_until(lambda: file.exists() and file.read_text().endswith("\n}"), "the scheduler's whole file")
            yield json.loads(file.read_text())["address"], process

    @contextmanager
    def worker(
        self, scheduler: str, folder: Path, hidden: Path | None = None, changes: Mapping[str, str] = NOTHING
    ) -> Iterator[psutil.Process]:
        """Start a worker without a nanny."""
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", folder, *PRELOADS)
        with self.running("distributed.cli.dask_worker", scheduler, *words, hidden=hidden, changes=changes) as process:
            yield process


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Yield two network namespaces that see each other and nothing else; skips where they cannot be made."""
    names = [f"auxilearn-{os.getpid()}-{side}" for side in "ab"]
    links = [f"aux{os.getpid() % 100_000}{side}" for side in "ab"]
    addresses = ["10.231.77.1", "10.231.77.2"]
    with ExitStack() as made:
        try:
            for name in names:
                _ip("netns", "add", name)
                made.callback(_ip, "netns", "del", name)
            _ip("link", "add", links[0], "netns", names[0], "type", "veth", "peer", "name", links[1], "netns", names[1])
            for name, link, address in zip(names, links, addresses, strict=True):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", link)
                _ip("-n", name, "link", "set", link, "up")
                _ip("-n", name, "link", "set", "lo", "up")
            subprocess.run(["unshare", "-m", "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"network namespaces need root and iproute2: {str(reason).strip()}")
        first, second = (Host(a, ("ip", "netns", "exec", name)) for a, name in zip(addresses, names, strict=True))
        yield first, second


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def alive(process: psutil.Process) -> bool:
    """Return whether a process still does something."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
