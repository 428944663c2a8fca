"""What a checkpoint costs: a ResNet-18 with Adam, as large as the suites of images have it."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmark import tensorfile
from benchmark.checkpoint import LEAST_SEC, SHARE, replace
from benchmark.session import check_device
from benchmark.speed.timing import provenance
from benchmark.speed.workload import make_batch, make_problem
from benchmark.terminal import console

AUXILIARIES = 12


def report(*, repeats: int, device: str, folder: Path) -> None:
    """Print size and seconds of a checkpoint, and the share of a run's time that checkpoints take.

    Args:
        repeats: Checkpoints to write and read.
        device: A device as of the command line.
        folder: Folder of the results, on whose disk checkpoints are.
    """
    where = torch.device(check_device(device))
    torch.set_num_threads(1)
    state = state_of_a_run(where)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="checkpoint-") as name:
        path = Path(name) / "it"
        writing, reading = measure(path, state, repeats=repeats)
        megabytes = path.stat().st_size / 1e6
    cost = statistics.median(writing)
    interval = max(LEAST_SEC, cost / SHARE)
    console().print(
        f"a checkpoint of ResNet-18 with Adam, {AUXILIARIES} auxiliary tasks, the selected epoch: {megabytes:.0f} MB\n"
        f"written to the disk in {cost:.2f} s (median of {repeats}, {min(writing):.2f} to {max(writing):.2f}), "
        f"read in {statistics.median(reading):.2f} s\n"
        f"one every {interval:.0f} s, which is {100 * cost / interval:.2f} % of a run's time "
        f"(at most {100 * SHARE:.0f} %)\n{provenance(where)}",
        soft_wrap=True,
    )


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
