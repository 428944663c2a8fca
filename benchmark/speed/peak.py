"""Peak memory of work, in a process of its own that gives freed memory back at once."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

GLIBC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
"""Settings under which the C library's allocator keeps no large block that was freed."""

Peak = Callable[[Callable[[], Callable[[], object]]], int]


@contextmanager
def peaks(device: str) -> Iterator[Peak]:
    """Yield a function that returns the bytes which work needs beyond what was there before it.

    It takes a function that can be pickled and that returns the work; what this one makes, such as a model, its
    gradients and its optimiser, is not counted. All calls within the block share one process.

    Args:
        device: A torch device.
    """
    kept = {name: os.environ.get(name) for name in GLIBC}
    os.environ.update(GLIBC)  # read by the C library when the process starts
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            pool.submit(os.getpid).result()
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        yield lambda make: pool.submit(_peak, make, device).result()


def _peak(make: Callable[[], Callable[[], object]], device: str) -> int:
    import torch

    from benchmark import memory

    torch.set_num_threads(1)
    where = torch.device(device)
    work = make()
    work()
    before = memory.in_use_bytes(where)
    memory.reset_peak(where)
    work()
    return memory.peak_bytes(where) - before
