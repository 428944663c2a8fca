"""Runs of this process that are asked to stop: they do at their next step, when their state is saved."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

_POLL_SEC = 0.02

_running: set[str] = set()
_asked: set[str] = set()
_signals: list[int] = []


class Stopped(KeyboardInterrupt):
    """A run stopped because it was asked to.

    Attributes:
        saved: Whether its state is saved.
    """

    def __init__(self, *, saved: bool = False) -> None:
        super().__init__()
        self.saved = saved


@contextmanager
def under_way(digest: str, *, signals: bool) -> Iterator[None]:
    """Note that a run can be asked to stop until the end of the block.

    Args:
        digest: The run.
        signals: Whether Ctrl-C and SIGTERM ask for it, in the main thread; the second one acts as it did before.
    """
    _running.add(digest)
    held = {}
    if signals and threading.current_thread() is threading.main_thread():
        held = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        held = {number: handler for number, handler in held.items() if handler not in (signal.SIG_IGN, None)}

    def restore() -> None:
        for number, handler in held.items():
            signal.signal(number, handler)

    def ask_once(number: int, frame: FrameType | None) -> None:
        _asked.add(digest)
        restore()

    for number in held:
        signal.signal(number, ask_once)
    try:
        yield
    finally:
        restore()
        _running.discard(digest)
        _asked.discard(digest)


def is_asked(digest: str) -> bool:
    """Return whether a run should stop."""
    return digest in _asked


def end(number: int) -> bool:
    """Ask all runs of this process to stop, for it is told to end by a signal; return whether there are any."""
    _signals.append(number)
    _asked.update(_running)
    return bool(_running)


def is_ending() -> bool:
    """Return whether this process is told to end."""
    return bool(_signals)


def die() -> None:
    """End this process by the signal that told it to."""
    signal.signal(_signals[0], signal.SIG_DFL)
    os.kill(os.getpid(), _signals[0])


async def stop_runs(digests: Collection[str] | None, patience_sec: float) -> None:
    """Ask those runs of this process to stop, or all, and wait until they have; Dask calls this in each worker."""
    asked = set(_running) if digests is None else _running.intersection(digests)
    _asked.update(asked)
    end = time.monotonic() + patience_sec
    while asked & _running and time.monotonic() < end:
        await asyncio.sleep(_POLL_SEC)
