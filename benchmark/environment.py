"""What a run ran on: commit, versions, device. Nothing that names the user or the host."""

import functools
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("auxilearn", "baselines", "benchmark")
LIBRARIES = ("torch", "numpy", "scikit-learn")


def describe(device: torch.device) -> dict[str, Any]:
    """Return commit, versions, device name and threads as plain JSON values."""
    return {
        **_software(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
    }


def device_name(device: torch.device) -> str:
    """Return the name of the accelerator or of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _processor()


@functools.cache
def _software() -> dict[str, Any]:
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "system": platform.system(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def _commit() -> str:
    """Return the commit of the checkout, with `+` when the packages differ from it; `unknown` outside git."""
    root = Path(__file__).resolve().parents[1]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", *PACKAGES) else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


@functools.cache
def _processor() -> str:
    """Return the processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
