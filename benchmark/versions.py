"""What driver and workers must share: versions of what decides results, and every file of the code."""

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

PACKAGES = ("auxilearn", "baselines", "benchmark")
LIBRARIES = ("torch", "numpy", "distributed")

Versions = dict[str, str]


@functools.cache
def of_process() -> Versions:
    """Return this process's versions by name, and a digest of each file of the code by its path."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{name: _version(name) for name in LIBRARIES}, **_files(Path(__file__).parents[1])}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _files(root: Path) -> Versions:
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            found[path.relative_to(root).as_posix()] = hashlib.sha256(content).hexdigest()[:16]
    return found


def difference(driver: Mapping[str, str], worker: Mapping[str, str]) -> str:
    """Return in words what a worker has otherwise than the driver; nothing where they are equal."""
    names = [name for name in {**driver, **worker} if driver.get(name) != worker.get(name)]
    versions = [name for name in names if not name.endswith(".py")]
    if versions:
        return ", ".join(f"{name} {worker.get(name)} (driver: {driver.get(name)})" for name in versions)
    if not names:
        return ""
    here = "is only on the driver" if names[0] not in worker else "differs"
    first = f"{names[0]} {'is not on the driver' if names[0] not in driver else here}"
    return first if len(names) == 1 else f"{first}; {len(names) - 1} more files differ"
