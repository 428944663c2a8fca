"""Workers of a running cluster: those that differ from the driver are named in one line and have no cells."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.helpers import ROOT, command, environment, lines, results
from tests.benchmark.processes import cluster, running, wait_until

PLAN = ("--suite", "digits", "--settings", "5-shot", "--methods", "equal", "--wandb", "disabled")
SHORT = (*PLAN, "--epochs", "2", "--seeds", "2", "--set", "lr=0.01", "--set", "weight_decay=0.0005")
PACKAGES = ("auxilearn", "baselines", "benchmark")


@contextmanager
def worker(address: str, folder: Path, root: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start one more worker, which imports the code in `root`."""
    changed = {**environment(), "PYTHONPATH": str(root)}
    kept = ("-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--local-directory", str(folder), *words)
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *kept], cwd=root, env=changed, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def count(address: str) -> int:
    from distributed import Client

    with Client(address) as client:
        return len(client.scheduler_info()["workers"])


def copy_of_the_code(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def foreign(folder: Path, kind: str) -> Path:
    """Return a folder of code that is not the driver's."""
    folder.mkdir()
    if kind == "missing":
        for package in PACKAGES:  # stands before any installed one
            (folder / f"{package}.py").write_text(f'raise ModuleNotFoundError("No module named {package!r}")\n')
        return folder
    copy_of_the_code(folder)
    if kind == "file":
        (folder / "baselines" / "stl.py").unlink()
    else:
        train = folder / "benchmark" / "train.py"
        train.write_text(f"{train.read_text()}# another version\n")
    return folder


TOLD = {
    "missing": "it cannot import the benchmark (No module named 'benchmark')",
    "file": "baselines/stl.py is only on the driver",
    "changed": "benchmark/train.py differs",
}


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_worker_that_differs_ends_the_command_before_any_run(kind: str, tmp_path: Path) -> None:
    root = foreign(tmp_path / "code", kind)
    with cluster(tmp_path) as (address, first), worker(address, tmp_path, root, "--no-nanny"):
        first.kill()
        wait_until(lambda: not first.is_running() or first.status() == "zombie", "the first worker's end")
        wait_until(lambda: count(address) == 1, "the worker")
        ended = command(*SHORT, "--scheduler", address, "--results-dir", tmp_path / "results")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: the worker tcp://127.0.0.1:")
    assert ended.err.endswith(f"does not equal the driver: {TOLD[kind]}; make them equal and run the command again\n")
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "results" / "digits").exists()


def test_a_worker_that_joins_later_and_differs_has_no_cells_and_one_that_is_equal_has(tmp_path: Path) -> None:
    words = (*PLAN, "--epochs", "8", "--seeds", "8", "--set", "lr=0.01", "--set", "weight_decay=0.0005")
    with cluster(tmp_path) as (address, first), ExitStack() as stack:
        driver = stack.enter_context(running(*words, "--scheduler", address, "--results-dir", tmp_path))
        wait_until(lambda: lines(tmp_path), "the first record")
        first.suspend()
        stack.enter_context(worker(address, tmp_path, foreign(tmp_path / "code", "changed"), "--no-nanny"))
        wait_until(lambda: count(address) == 2, "the worker that differs")
        first.kill()  # its cell may go to nobody before an equal one comes
        stack.enter_context(worker(address, tmp_path, ROOT))
        ended = driver.end()
    assert ended.status == 0, ended.err
    told = [line for line in ended.err.splitlines() if "does not equal the driver" in line]
    assert len(told) == 1, ended.err
    assert told[0].endswith("benchmark/train.py differs; it gets no runs")
    assert [found["status"] for found in results(tmp_path).values()] == ["ok"] * 8


def test_nothing_is_left_on_the_workers_of_a_cluster_that_is_not_ours(tmp_path: Path) -> None:
    from distributed import Client

    with cluster(tmp_path) as (address, _):
        ended = command(*SHORT, "--scheduler", address, "--results-dir", tmp_path)
        assert ended.status == 0, ended.err
        with Client(address) as client:

            def left(dask_worker: object) -> tuple[list[str], list[float]]:
                names = [name for name in dask_worker.plugins if name.startswith("auxilearn")]  # type: ignore[attr-defined]
                return names, list(dask_worker.state.total_resources.values())  # type: ignore[attr-defined]

            found: Any = client.run(left)
            ((plugins, resources),) = found.values()
    assert not plugins
    assert not any(resources)
