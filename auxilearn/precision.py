"""Out of reduced precision: parts of a step that must not run under autocast, or with TF32."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch


def autocast_type(device: torch.device) -> torch.dtype | None:
    """Return what an autocast that is active now casts to, or None without one."""
    # asked first: of a device without autocast, such as "meta", nothing else may be asked
    active = torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)
    return torch.get_autocast_dtype(device.type) if active else None


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Run the block in the tensors' own precision; free where there is no autocast around it."""
    return nullcontext() if autocast_type(device) is None else torch.autocast(device.type, enabled=False)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Run the block with products of float32 on CUDA as exact as on the CPU."""
    cudnn: Any = torch.backends.cudnn
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Run the block in the tensors' own precision: no autocast, no TF32."""
    with without_tf32(), without_autocast(device):
        yield
