"""One cell in a worker process: a run that leaves the worker when its process is told to end."""

from typing import Any

from benchmark import stopping
from benchmark.places import Places
from benchmark.spec import Spec


def run_cell(spec: dict[str, Any], device: str, places: Places) -> dict[str, Any]:
    """Run one cell in a worker; specs and records travel as plain JSON values.

    Where the process is told to end, as by Slurm at its time limit, the state is saved and the cell handed on to
    another worker, any number of times. Without a place for its state it dies with the worker, which the scheduler
    counts: it would begin anew each time.
    """
    from benchmark import worker
    from benchmark.train import run

    try:
        return run(Spec.from_json(spec), own_device(device), places).to_json()
    except stopping.Stopped as stopped:
        if stopping.is_ending():
            worker.hand_on(saved=stopped.saved)
        return {}  # the driver has gone


def own_device(device: str) -> str:
    """Return the device of this process that `device` means: `auto` is its GPU, where it has one."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
