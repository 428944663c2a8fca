"""A campaign of cells without training, through driver, engine and store: what the harness itself can do."""

import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.places import Places
from benchmark.pruning import Bars

TASKS = ("digit", "parity", "at least five", "prime", "loop", "random", "shuffled")


@dataclass(frozen=True)
class Campaign:
    """What a campaign of empty cells took.

    Attributes:
        cells: Number of records on disk at its end.
        seconds: From workers that are ready to the last record.
        peak_bytes: Peak resident memory of the driver's process, which has the scheduler in it.
        disk_bytes: Size of the records on disk.
    """

    cells: int
    seconds: float
    peak_bytes: int
    disk_bytes: int


def empty_cell(spec: dict[str, Any], device: str, places: Places, bars: Bars | None = None) -> dict[str, Any]:
    """Return the record of a run of full length that nobody has made; takes the place of `run_cell`."""
    from benchmark.record import Record
    from benchmark.spec import Spec

    made = Spec.from_json(spec)
    metrics = {"top1": made.seed / 7 % 1, "top3": 1.0}
    rows = [
        {
            "epoch": epoch + 1,
            "lr": 0.01,
            "loss": [1.0 / (epoch + task + 3) for task in range(len(TASKS))],
            "weight": [1.0 / (task + 3) for task in range(len(TASKS))],
            "diagnostics": {},
            "validation": metrics,
        }
        for epoch in range(made.epochs)
    ]
    return Record(
        spec=made,
        status="ok",
        tasks=TASKS,
        epochs=rows,
        selected={"epoch": 1, "validation": metrics},
        test=metrics if made.phase == "final" else {},
        timing={"step_sec": 0.0, "train_sec": 0.0, "evaluation_sec": 0.0, "total_sec": 0.0},
    ).to_json()


def measure(cells: int, *, workers: int) -> Campaign:
    """Run a campaign of at least so many empty cells of suite `digits` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(campaign_of, cells, workers).result()


def campaign_of(cells: int, workers: int) -> Campaign:
    """Run a campaign of at least so many empty cells of suite `digits` in this process."""
    import torch

    from benchmark import memory
    from benchmark.driver import Outlets, execute
    from benchmark.engine import Resources
    from benchmark.plan import Options, make_plan
    from benchmark.record import Store

    torch.set_num_threads(1)
    once = make_plan(Options("digits", seeds=1))
    further = max(0, cells - sum(arm.runs for arm in once))
    plan = make_plan(Options("digits", seeds=1 + math.ceil(further / len(once))))
    ready: list[float] = []
    with tempfile.TemporaryDirectory() as name, Store(Path(name) / "digits").writing() as store:
        made = execute(plan, store, Resources(workers=workers), Outlets(None, "disabled"), _emptied(ready.append))
        seconds = time.perf_counter() - ready[0]
        peak = memory.peak_bytes(torch.device("cpu"))
        return Campaign(len(made), seconds, peak, store.path.stat().st_size)


def _emptied(note: Callable[[float], None]) -> Any:
    """Return a start of the engine whose workers make empty cells; it notes when they are ready."""
    from benchmark import engine

    @contextmanager
    def start(resources: engine.Resources, say: Callable[[str], None]) -> Iterator[engine.Engine]:
        with engine.start(resources, say, empty_cell) as running:
            note(time.perf_counter())
            yield running

    return start
