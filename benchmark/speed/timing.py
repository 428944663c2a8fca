"""Fair timing of variants: in turns, so that a busy machine slows all of them alike."""

import datetime
import statistics
import time
from collections.abc import Callable, Mapping

import torch

from benchmark import environment
from benchmark.speed.rows import in_words

LONG = 2.0
"""Ratio to the reference from which on work is timed in fewer turns."""


def seconds_in_turns(
    variants: Mapping[str, Callable[[], object]], *, repeats: int, device: torch.device
) -> dict[str, list[float]]:
    """Return the seconds of each variant's calls; after a warm-up they take turns, each second turn in reverse."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats + 1):
        order = list(variants.items())
        for name, work in order if turn % 2 else reversed(order):
            taken = seconds_of(work, device)
            if turn:
                seconds[name].append(taken)
    return seconds


def ratios_in_turns(
    work: Callable[[], object], reference: Callable[[], object], *, repeats: int, device: torch.device
) -> list[float]:
    """Return the time of `work` to that of `reference`, a ratio a turn; each second turn is in reverse.

    After a warm-up of both there are `repeats` turns. Work that takes longer than `LONG` times the reference gets
    fewer in proportion, and at least one.
    """
    found: list[float] = []
    seconds_of(reference, device)
    seconds_of(work, device)
    while not found or len(found) < repeats * min(1, LONG / statistics.median(found)):
        if len(found) % 2:
            taken, paired = seconds_of(work, device), seconds_of(reference, device)
        else:
            paired, taken = seconds_of(reference, device), seconds_of(work, device)
        found.append(taken / paired)
    return found


def ratio(seconds: Mapping[str, list[float]], name: str, reference: str) -> float:
    """Return the median over the turns of one variant's time to another's in the same turn."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[reference], strict=True))


def origin(device: torch.device) -> dict[str, str]:
    """Return machine, version of torch, threads, commit and date of a measurement made now."""
    found = environment.describe(device)
    commit = found["commit"]
    return {
        "device": found["device"],
        "torch": found["torch"],
        "threads": str(found["threads"]),
        "commit": commit[:12] + "+" * commit.endswith("+"),
        "date": str(datetime.datetime.now(datetime.UTC).date()),
    }


def provenance(device: torch.device) -> str:
    """Return the origin of a measurement made now as one line."""
    return in_words(**origin(device))


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that work takes; a CUDA device is waited for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
