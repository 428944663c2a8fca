"""Peak memory of one step, in a process of its own that gives freed memory back at once."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

GLIBC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
"""Settings under which the C library's allocator keeps no large block that was freed."""


def peak_of_step(auxiliaries: int, settings: dict[str, Any] | None, device: str) -> int:
    """Return the bytes that a step needs beyond model, gradients and optimiser.

    Args:
        auxiliaries: Number of auxiliary tasks.
        settings: Hyper-parameters of auxilearn-nonlinear, whose outer step is measured; None for a training step of
            equal weighting.
        device: A torch device.
    """
    kept = {name: os.environ.get(name) for name in GLIBC}
    os.environ.update(GLIBC)  # read by the C library when the process starts
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_peak, auxiliaries, settings, device).result()
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _peak(auxiliaries: int, settings: dict[str, Any] | None, device: str) -> int:
    import torch

    import baselines
    from benchmark import memory
    from benchmark.speed.workload import make_batch, make_problem

    torch.set_num_threads(1)
    where = torch.device(device)
    problem = make_problem(auxiliaries, device=where)
    batch, held_out = (make_batch(auxiliaries, seed=seed, device=where) for seed in (1, 2))
    equal = baselines.load("equal")(problem)
    method = equal if settings is None else baselines.load("auxilearn-nonlinear")(problem, **settings)
    method.to(where)
    optimizer = torch.optim.Adam(problem.model.parameters(), lr=1e-9)

    def train() -> None:
        optimizer.zero_grad(set_to_none=False)  # gradients stay, so that every variant has them in its baseline
        equal.backward(batch)
        optimizer.step()

    def measured() -> None:
        train() if settings is None else method.outer_step(batch, held_out, lr=1e-3)

    for _ in range(2):
        train()
        measured()
    before = memory.in_use_bytes(where)
    memory.reset_peak(where)
    measured()
    return memory.peak_bytes(where) - before
