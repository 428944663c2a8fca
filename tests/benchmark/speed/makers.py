"""Work that needs a known amount of memory; a process of its own imports it."""

from collections.abc import Callable

import torch

MIB = 2**20


def making(before: int, during: int) -> Callable[[], object]:
    """Return work that needs `during` MiB beside `before` MiB that are there all the time."""
    kept = torch.ones(before * MIB // 4)
    return lambda: kept[0] + torch.ones(during * MIB // 4)[0]


def make_small() -> Callable[[], object]:
    return making(100, 20)


def make_large() -> Callable[[], object]:
    return making(30, 60)
