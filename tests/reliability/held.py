"""Cells that a test holds on the workers of a real engine, and lets end."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmark.cluster.on_dask import OnDask
from benchmark.engine import Resources, start
from benchmark.speed.empty import empty_cell


def held(folder: Path, spec: dict[str, Any], *rest: Any) -> dict[str, Any]:
    """Note which process a cell begins in, and hold it until it may end."""
    with (folder / f"began-{spec['seed']}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (folder / f"end-{spec['seed']}").exists():
        time.sleep(0.02)
    return empty_cell(spec, *rest)


@contextmanager
def holding(folder: Path, workers: int) -> Iterator[OnDask]:
    """Yield an engine of cells that are held, and let all end at the end."""
    with start(Resources(workers=workers), cell=partial(held, folder)) as running:
        assert isinstance(running, OnDask)
        try:
            yield running
        finally:
            for seed in range(10):
                (folder / f"end-{seed}").touch()


def began(folder: Path, seed: int) -> list[int]:
    """Return the processes in which a cell began, in order."""
    path = folder / f"began-{seed}"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []
