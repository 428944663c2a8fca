"""How the harness scales: cells a minute by workers, empty cells a second, checkpoints, start of a worker."""

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from benchmark import engine
from benchmark.checkpoint import LEAST_SEC, SHARE
from benchmark.driver import Outlets, execute
from benchmark.engine import Resources
from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.speed import checkpoints, empty, rows
from benchmark.speed.timing import origin, provenance
from benchmark.table import markdown
from benchmark.terminal import console

FILE = Path("speed") / "scale.csv"
"""Where in the folder of results the measurements are."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Scale:
    """A measurement of the harness on one machine.

    Attributes:
        device: Name of the processor.
        what: What is measured.
        value: Its median, or its only value.
        lowest: Least value of a turn.
        highest: Largest value of a turn.
        turns: Number of turns.
        detail: What was run.
        cores: Cores that the process may use.
        load: Load average of the machine over the minute before, which counts what else runs.
        torch: Version of torch.
        threads: Threads of a run.
        commit: Commit of the code, with `+` where it was changed.
        date: Day of the measurement, UTC.
    """

    device: str
    what: str
    value: float
    lowest: float
    highest: float
    turns: int
    detail: str
    cores: int
    load: float
    torch: str
    threads: str
    commit: str
    date: str

    @property
    def key(self) -> tuple[str, str]:
        """What is measured."""
        return self.device, self.what


def report(*, cells: int, empty_cells: int, epochs: int, repeats: int, path: Path) -> None:
    """Measure, put what was found into a file and print it.

    Args:
        cells: Runs of suite `digits` that one and two workers make in each turn.
        empty_cells: Cells without training of one campaign.
        epochs: Length of a run.
        repeats: Turns.
        path: The file; measurements of other machines stay in it.
    """
    torch.set_num_threads(1)
    found = [
        *throughput(cells, epochs=epochs, repeats=repeats),
        *campaign(empty_cells),
        *checkpoint(path.parent, repeats=repeats),
    ]
    rows.write(path, [*rows.read(path, Scale, "measurements"), *found], Scale)
    out = console()
    out.print(markdown(table(found)), soft_wrap=True)
    load = f"load average {min(row.load for row in found):.1f} to {max(row.load for row in found):.1f}"
    out.print(f"\n{found[0].cores} cores, {load}; {provenance(CPU)}\nWritten to {path}.", soft_wrap=True)


def throughput(cells: int, *, epochs: int, repeats: int) -> Iterator[Scale]:
    """Yield how fast one and two workers start and make runs, timed in turns, and the ratio of the two."""
    load = os.getloadavg()[0]
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
    for workers, (ready, first) in starts.items():
        yield _row(f"seconds to start {workers} worker{'s' * (workers > 1)}", [ready], "until it is ready", load)
        yield _row(f"seconds to first runs of {workers} worker{'s' * (workers > 1)}", [first], "of one epoch", load)
    for workers, pace in paces.items():
        yield _row(f"runs a minute, {workers} worker{'s' * (workers > 1)}", pace, detail, load)
    yield _row("ratio of two workers to one", [b / a for a, b in zip(paces[1], paces[2], strict=True)], detail, load)


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


def campaign(cells: int) -> Iterator[Scale]:
    """Yield pace and memory of a campaign of empty cells."""
    load = os.getloadavg()[0]
    found = empty.measure(cells, workers=2)
    detail = f"{found.cells} cells, 2 workers, records of 20 epochs, {found.disk_bytes / 1e6:.0f} MB on disk"
    yield _row("empty cells a second", [found.cells / found.seconds], detail, load)
    yield _row("peak memory of the driver, MB", [found.peak_bytes / 1e6], detail, load)


def checkpoint(folder: Path, *, repeats: int) -> Iterator[Scale]:
    """Yield the seconds of a checkpoint and the share of a run's time that they take."""
    load = os.getloadavg()[0]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="checkpoint-") as name:
        path = Path(name) / "it"
        writing, _ = checkpoints.measure(path, checkpoints.state_of_a_run(CPU), repeats=repeats)
        detail = f"ResNet-18 with Adam, {path.stat().st_size / 1e6:.0f} MB"
    shares = [100 * cost / max(LEAST_SEC, cost / SHARE) for cost in writing]
    yield _row("seconds of a checkpoint", writing, detail, load)
    yield _row("share of checkpoints in a run's time, %", shares, detail, load)


def _row(what: str, values: list[float], detail: str, load: float) -> Scale:
    return Scale(
        what=what,
        value=_rounded(statistics.median(values)),
        lowest=_rounded(min(values)),
        highest=_rounded(max(values)),
        turns=len(values),
        detail=detail,
        cores=len(os.sched_getaffinity(0)),
        load=round(load, 2),
        **origin(CPU),
    )


def _rounded(value: float) -> float:
    """Return a number with the digits that such measurements have."""
    return float(f"{value:.4g}")


def table(found: list[Scale]) -> pd.DataFrame:
    """Return a row for each measurement."""
    return pd.DataFrame(
        {
            "what": [row.what for row in found],
            "value": [f"{row.value:.4g}" for row in found],
            "range": [f"{row.lowest:.4g} to {row.highest:.4g}" if row.turns > 1 else "" for row in found],
            "turns": [str(row.turns) for row in found],
            "of": [row.detail for row in found],
        }
    )
