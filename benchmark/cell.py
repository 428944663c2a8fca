"""One cell in a worker process of Dask."""

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
    """Run one cell in a worker; specs and records travel as plain JSON values."""
    from benchmark.train import run

    if device in _lost:
        os._exit(1)  # the next process has the device again: the scheduler hands the cell to it
    try:
        record = run(Spec.from_json(spec), device, places, bars)
        if record.status == "failed" and not memory.answers(torch.device(device)):
            _lost.add(device)
        return record.to_json()
    except stopping.Stopped:
        stopping.stopped()  # may end the worker: the scheduler hands the cell to another one
        return {}  # the driver has gone
