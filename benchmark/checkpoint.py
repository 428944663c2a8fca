"""Checkpoints of a run: when one is due, how it is written, who may take it over."""

import functools
import hashlib
import inspect
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

import baselines
from benchmark import stopping, tensorfile
from benchmark.files import PART
from benchmark.spec import Spec
from benchmark.tally import Clock

SHARE = 0.01
"""Most of a run's time that its checkpoints may take."""

LEAST_SEC = 30.0
"""Least time between two checkpoints; shorter runs have none."""

ASSUMED_BYTES_PER_SEC = 1e8
"""Speed of the disk before the first checkpoint has measured it."""


class Resumable(Protocol):
    """A run between two of its steps."""

    clock: Clock
    step: int

    def state_dict(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        ...


Run = TypeVar("Run", bound=Resumable)


def is_due(*, ran: float, since: float, spent: float, expected: float) -> bool:
    """Return whether to write a checkpoint now; all times in seconds.

    Args:
        ran: Time of the run so far.
        since: Time since the last checkpoint, or since this process began or took over the run.
        spent: Time of the run that went into checkpoints so far.
        expected: Time that the next one will take.
    """
    return since >= LEAST_SEC and spent + expected <= SHARE * ran


class Saver:
    """Writes the checkpoints of one run, `<folder>/<digest>`, and takes over the one that is there.

    A folder that this process cannot see or write costs the run its checkpoints and nothing else.

    Args:
        spec: The run.
        device: Its device.
        folder: Folder of the checkpoints; None to write none.
        every: Steps between two checkpoints; None leaves it to their cost.
    """

    def __init__(self, spec: Spec, device: torch.device, folder: Path | None, *, every: int | None = None) -> None:
        self.spec, self.device, self._every = spec, device, every
        self._identity = identity(spec, device)
        self._path = None if folder is None else folder / spec.digest
        self._last = time.perf_counter()
        self._expected: float | None = None
        if folder is not None and not folder.is_dir():  # made by the driver: nobody else would remove it again
            self._give_up(folder, "it is not there on this machine")

    @property
    def saves(self) -> bool:
        """Whether there is a place for checkpoints."""
        return self._path is not None

    def resumed(self, make: Callable[[], Run]) -> Run:
        """Return a run from `make` that goes on from its checkpoint, or stands at its beginning if none can be used."""
        state = self._read()
        run = make()
        if state is None:
            return run
        try:
            run.load_state_dict(state)
        except Exception as error:
            self._refuse(f"it does not fit the run ({type(error).__name__})")
            return make()
        return run

    def visit(self, run: Resumable) -> None:
        """Write a checkpoint if one is due.

        Raises:
            Stopped: The run was asked to stop, and its state is saved if there is a place for it.
        """
        asked = stopping.is_asked(self.spec.digest)
        if self._path is not None and (asked or self._is_due(run)):
            self._write(run)
        if asked:
            raise stopping.Stopped(saved=self.saves)

    def _is_due(self, run: Resumable) -> bool:
        if self._every is not None:
            return run.step > 0 and run.step % self._every == 0
        since = time.perf_counter() - self._last
        if self._expected is None and since >= LEAST_SEC:
            self._expected = _nbytes(run.state_dict()) / ASSUMED_BYTES_PER_SEC
        ran, spent = run.clock.total_sec(), run.clock.checkpoint_sec
        return is_due(ran=ran, since=since, spent=spent, expected=self._expected or 0.0)

    def _write(self, run: Resumable) -> None:
        assert self._path is not None
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # so that steps under way do not count as the checkpoint's cost
        run.clock.end("train_sec")
        started = time.perf_counter()
        try:
            replace(self._path, {"identity": self._identity, "state": run.state_dict()})
        except (OSError, TypeError) as error:
            self._give_up(self._path.parent, getattr(error, "strerror", None) or str(error))
        run.clock.end("checkpoint_sec")
        self._last = time.perf_counter()
        self._expected = self._last - started

    def _read(self) -> dict[str, Any] | None:
        """Return the state in the checkpoint; None if there is none of this run."""
        if self._path is None or not os.path.lexists(self._path):
            return None
        try:
            found = tensorfile.read(self._path)
            theirs, state = found["identity"], found["state"]
        except (tensorfile.Damaged, OSError) as error:
            return self._refuse(str(error))
        except (TypeError, KeyError):
            return self._refuse("it is no checkpoint")
        for part, mine in self._identity.items():
            if theirs.get(part) != mine:
                return self._refuse(f"it is of another {part}")
        return state

    def _refuse(self, why: str) -> None:
        _say(f"{self._path}: {why}; the run starts from its beginning")

    def _give_up(self, folder: Path, why: str) -> None:
        self._path = None
        say_once(f"{folder}: {why}; runs go on without checkpoints")


def replace(path: Path, value: Any) -> None:
    """Write a file in place of another: at any moment there is the old one or the new one, and never a part of one."""
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}")
    try:
        tensorfile.write(part, value)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def identity(spec: Spec, device: torch.device) -> dict[str, Any]:
    """Return what a checkpoint must share with the run that takes it over, in words for the user."""
    return {
        "run": spec.to_json(),
        "version of the code": _sources(spec.method),
        "version of torch": str(torch.__version__),
        "type of device": device.type,
    }


@functools.cache
def _sources(method: str) -> str:
    """Return a digest of the code that a run of `method` depends on: all but the other methods."""
    root = Path(__file__).resolve().parents[1]
    classes = (part for part in baselines.load(method).__mro__ if part.__module__.startswith("baselines."))
    files = {Path(inspect.getfile(part)).resolve() for part in classes}
    files.update(
        path for pattern in ("auxilearn/**/*.py", "benchmark/**/*.py", "baselines/_*.py") for path in root.glob(pattern)
    )
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{os.path.relpath(path, root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _nbytes(value: Any) -> int:
    """Return the bytes of all tensors in nested containers."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, dict):
        return sum(map(_nbytes, value.values()))
    return sum(map(_nbytes, value)) if isinstance(value, list | tuple) else 0


def _say(line: str) -> None:
    print(f"checkpoint {line}", file=sys.stderr, flush=True)


@functools.cache
def say_once(line: str) -> None:
    """Say a line that concerns every run of this process."""
    _say(line)
