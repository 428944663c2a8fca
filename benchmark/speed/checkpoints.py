"""What a checkpoint costs: a ResNet-18 with Adam, as large as the suites of images have it."""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmark import tensorfile
from benchmark.checkpoint import LEAST_SEC, SHARE, replace
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement
from benchmark.speed.workload import make_batch, make_problem

AUXILIARIES = 12


FILE = Path("speed") / "checkpoint.csv"
"""Where in the folder of results the measurements are."""


def report(*, repeats: int, device: str, path: Path) -> None:
    """Measure size and seconds of a checkpoint and the share of a run's time; put them into a file and print them.

    Args:
        repeats: Checkpoints to write and read.
        device: A device as of the command line.
        path: The file, on the disk to measure; measurements of other machines stay in it.
    """
    where = torch.device(check_device(device))
    rows.read(path, Measurement)  # a file of something else is refused before the work
    load = load_average()
    torch.set_num_threads(1)
    state = state_of_a_run(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="checkpoint-") as name:
        file = Path(name) / "it"
        writing, reading = measure(file, state, repeats=repeats)
        megabytes = file.stat().st_size / 1e6
    detail = f"ResNet-18 with Adam, {AUXILIARIES} auxiliary tasks, the selected epoch"
    found = partial(measurement, detail=detail, load=load, device=where)
    intervals = [max(LEAST_SEC, cost / SHARE) for cost in writing]
    shares = [100 * cost / interval for cost, interval in zip(writing, intervals, strict=True)]
    kept = [
        found("MB of a checkpoint", [megabytes]),
        found("seconds to write a checkpoint", writing),
        found("seconds to read a checkpoint", reading),
        found("seconds between two checkpoints", intervals),
        found(f"share of checkpoints in a run's time, % (at most {100 * SHARE:.0f})", shares),
    ]
    conclude(kept, path, device=where)


def state_of_a_run(device: torch.device) -> dict[str, Any]:
    """Return the large parts of a run's state after a step: network, optimiser, network of the selected epoch."""
    problem = make_problem(AUXILIARIES, device)
    optimizer = torch.optim.Adam(problem.model.parameters())
    problem.losses(make_batch(AUXILIARIES, 0, device)).mean().backward()
    optimizer.step()
    weights = problem.model.state_dict()
    selected = {name: value.clone() for name, value in weights.items()}
    return {"model": dict(weights), "optimizer": optimizer.state_dict(), "selection": selected}


def measure(path: Path, state: dict[str, Any], *, repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds that writing and reading take, after a first time of each."""
    writing, reading = [], []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        replace(path, state)
        written = time.perf_counter()
        tensorfile.read(path)
        writing.append(written - started)
        reading.append(time.perf_counter() - written)
    return writing[1:], reading[1:]
