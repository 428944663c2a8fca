"""One cell in a worker process: a run that leaves the worker when its process is told to end."""

import os
from typing import Any

import torch

from benchmark import memory, stopping
from benchmark.places import Places
from benchmark.pruning import Bars
from benchmark.spec import Spec

_lost: set[str] = set()
"""Devices that a run has taken from this process."""


def run_cell(spec: dict[str, Any], device: str, places: Places, bars: Bars | None = None) -> dict[str, Any]:
    """Run one cell in a worker; specs and records travel as plain JSON values.

    Where the process is told to end, as by Slurm at its time limit, the state is saved and the cell handed on to
    another worker, any number of times; a run that is over all the same gives its record. Without a place for its state
    it dies with the worker, which the scheduler counts: it would begin anew each time.
    """
    from benchmark import worker
    from benchmark.train import run

    device = own_device(device)
    if device in _lost:
        os._exit(1)  # the next process has the device again: the scheduler hands the cell to it
    try:
        record = run(Spec.from_json(spec), device, places, bars)
    except stopping.Stopped as stopped:
        if stopping.is_ending():
            worker.hand_on(saved=stopped.saved)
        return {}  # the driver has gone
    finally:
        if stopping.is_ending():
            worker.leave()
    if record.status == "failed" and not memory.answers(torch.device(device)):
        _lost.add(device)
    return record.to_json()


def own_device(device: str) -> str:
    """Return the device of this process that `device` means: `auto` is its GPU, where it has one."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
