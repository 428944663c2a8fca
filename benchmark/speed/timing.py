"""Fair timing of variants: in turns, so that a busy machine slows all of them alike."""

import datetime
import statistics
import time
from collections.abc import Callable, Mapping

import torch

from benchmark import environment


def seconds_in_turns(
    variants: Mapping[str, Callable[[], object]], *, repeats: int, device: torch.device
) -> dict[str, list[float]]:
    """Return the seconds of each variant's calls; after a warm-up they take turns, each second turn in reverse."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats + 1):
        order = list(variants.items())
        for name, work in order if turn % 2 else reversed(order):
            taken = _time(work, device)
            if turn:
                seconds[name].append(taken)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, reference: str) -> float:
    """Return the median over the turns of one variant's time to another's in the same turn."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[reference], strict=True))


def provenance(device: torch.device) -> str:
    """Return machine, versions, commit and date as one line."""
    found = environment.describe(device)
    date = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{found['device']}, torch {found['torch']}, {found['threads']} thread, commit {found['commit'][:12]}, {date}"
    )


def _time(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
