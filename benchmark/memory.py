"""Peak memory of one run."""

import contextlib
import gc
import math
import resource
from pathlib import Path

import torch

PROCESS = Path("/proc/self")


def reset_peak(device: torch.device) -> None:
    """Forget earlier peaks, as far as the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        (PROCESS / "clear_refs").write_text("5")  # Linux: resets the peak resident size


def peak_bytes(device: torch.device) -> int:
    """Return the most bytes allocated on a CUDA device, or the process's largest resident size, since the reset."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return _resident("VmHWM")


def in_use_bytes(device: torch.device) -> int:
    """Return the bytes allocated on a CUDA device, or the process's resident size, now."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return _resident("VmRSS")


def capacity_bytes(device: torch.device) -> float:
    """Return the memory of a CUDA device in bytes; no limit elsewhere."""
    return torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else math.inf


def release(device: torch.device) -> None:
    """Give the memory of a run that failed back: nothing refers to it any more but cycles, and torch's cache."""
    gc.collect()
    if device.type == "cuda":
        with contextlib.suppress(RuntimeError):  # of a device that the run has taken from this process
            torch.cuda.empty_cache()


def answers(device: torch.device) -> bool:
    """Return whether a device can be used by this process still: a kernel that failed takes it away for good."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


def _resident(name: str) -> int:
    """Return a field of the process's status, or the largest size ever where the system has no such file."""
    try:
        status = (PROCESS / "status").read_text().splitlines()
        (line,) = (line for line in status if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
