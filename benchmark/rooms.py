"""Memory for large batches, used again when nothing refers to it: new pages cost more than what is written to them."""

import math
import weakref
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

SMALLEST = 2**20
"""Bytes from which on the allocator of the C library gives memory back to the system."""

MOST = 4
"""Batches that are kept room for: the present one, the one before it, and those of an outer step."""

_ALIGNMENT = 64
"""Bytes, as torch's own allocator has them: some products depend on it in their last bit."""


class Rooms:
    """Gives out float32 tensors on the host whose memory is that of earlier ones that are gone."""

    def __init__(self) -> None:
        self._rooms: list[tuple[np.ndarray, weakref.ref[np.ndarray]]] = []

    def empty(self, shape: Sequence[int]) -> Tensor:
        """Return a tensor of undefined content that shares its memory with no other one that is still there."""
        needed = 4 * math.prod(shape)
        if needed < SMALLEST:
            return torch.empty(*shape)
        free = [room for room, guest in self._rooms if guest() is None]
        self._rooms = [pair for pair in self._rooms if pair[1]() is not None]
        room = next((room for room in free if room.nbytes >= needed + _ALIGNMENT), None)
        if room is None:
            room = np.empty(needed + _ALIGNMENT, np.uint8)
        start = -room.ctypes.data % _ALIGNMENT
        # torch holds on to this view as long as any tensor, or any graph, refers to the memory
        guest = room[start : start + needed].view(np.float32)
        if len(self._rooms) < MOST:
            self._rooms.append((room, weakref.ref(guest)))
        return torch.from_numpy(guest).view(*shape)
