"""How the harness scales: cells a minute by workers, empty cells a second, checkpoints, start of a worker."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmark import engine
from benchmark.checkpoint import LEAST_SEC, SHARE
from benchmark.driver import Outlets, execute
from benchmark.engine import Resources
from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.speed import checkpoints, empty, rows
from benchmark.speed.measurement import CPU, Measurement, conclude, load_average, measurement

FILE = Path("speed") / "scale.csv"
"""Where in the folder of results the measurements are."""


def report(*, cells: int, empty_cells: int, epochs: int, repeats: int, path: Path) -> None:
    """Measure, put what was found into a file and print it.

    Args:
        cells: Runs of suite `digits` that one and two workers make in each turn.
        empty_cells: Cells without training of one campaign.
        epochs: Length of a run.
        repeats: Turns.
        path: The file; measurements of other machines stay in it.
    """
    rows.read(path, Measurement)  # a file of something else is refused before the work
    torch.set_num_threads(1)
    found = [
        *throughput(cells, epochs=epochs, repeats=repeats),
        *campaign(empty_cells),
        *checkpoint(path.parent, repeats=repeats),
    ]
    conclude(found, path)


def throughput(cells: int, *, epochs: int, repeats: int) -> Iterator[Measurement]:
    """Yield how fast one and two workers start and make runs, timed in turns, and the ratio of the two."""
    load = load_average()
    starts: dict[int, list[float]] = {1: [], 2: []}
    paces: dict[int, list[float]] = {1: [], 2: []}
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        running: dict[int, engine.Engine] = {}
        for workers in starts:
            started = time.perf_counter()
            running[workers] = stack.enter_context(engine.start(Resources(workers=workers)))
            starts[workers].append(time.perf_counter() - started)
            _make(running[workers], Path(name) / f"first-{workers}", cells=2 * workers, epochs=1, turn=0)
            starts[workers].append(time.perf_counter() - started)
        for turn in range(1, repeats + 1):
            for workers in (1, 2) if turn % 2 else (2, 1):
                folder = Path(name) / f"{turn}-{workers}"
                seconds = _make(running[workers], folder, cells=cells, epochs=epochs, turn=turn)
                paces[workers].append(60 * cells / seconds)
    detail = f"{cells} runs of digits 5-shot, equal, {epochs} epochs"
    names = {1: "1 worker", 2: "2 workers"}
    for workers, (ready, first) in starts.items():
        yield measurement(f"seconds to start {names[workers]}", [ready], "until it is ready", load=load)
        yield measurement(f"seconds to first runs of {names[workers]}", [first], "of one epoch", load=load)
    for workers, pace in paces.items():
        yield measurement(f"runs a minute, {names[workers]}", pace, detail, load=load)
    ratios = [b / a for a, b in zip(paces[1], paces[2], strict=True)]
    yield measurement("ratio of two workers to one", ratios, detail, load=load)


def _make(running: engine.Engine, folder: Path, *, cells: int, epochs: int, turn: int) -> float:
    """Return the seconds that a campaign of runs takes on workers that are there; other turns are other runs."""
    fixed = {"lr": "0.01", "weight_decay": str(5e-4 + 1e-9 * turn)}
    plan = make_plan(Options("digits", ("5-shot",), ("equal",), seeds=cells, epochs=epochs, fixed=fixed))
    with Store(folder).writing() as store:
        started = time.perf_counter()
        made = execute(plan, store, Resources(), Outlets(None, "disabled"), lambda *_: contextlib.nullcontext(running))
        seconds = time.perf_counter() - started
        if len(made) != cells or any(record.status != "ok" for record in store.records.values()):
            raise RuntimeError(f"{len(made)} of {cells} runs were made, or some failed")
    return seconds


def campaign(cells: int) -> Iterator[Measurement]:
    """Yield pace and memory of a campaign of empty cells."""
    load = load_average()
    found = empty.measure(cells, workers=2)
    detail = f"{found.cells} cells, 2 workers, records of 20 epochs, {found.disk_bytes / 1e6:.0f} MB on disk"
    yield measurement("empty cells a second", [found.cells / found.seconds], detail, load=load)
    yield measurement("peak memory of the driver, MB", [found.peak_bytes / 1e6], detail, load=load)


def checkpoint(folder: Path, *, repeats: int) -> Iterator[Measurement]:
    """Yield the seconds of a checkpoint and the share of a run's time that they take."""
    load = load_average()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="checkpoint-") as name:
        path = Path(name) / "it"
        writing, _ = checkpoints.measure(path, checkpoints.state_of_a_run(CPU), repeats=repeats)
        detail = f"ResNet-18 with Adam, {path.stat().st_size / 1e6:.0f} MB"
    shares = [100 * cost / max(LEAST_SEC, cost / SHARE) for cost in writing]
    yield measurement("seconds of a checkpoint", writing, detail, load=load)
    yield measurement("share of checkpoints in a run's time, %", shares, detail, load=load)
