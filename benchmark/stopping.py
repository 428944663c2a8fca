"""Runs of this process that are asked to stop: they do at their next step, when their state is saved."""

import asyncio
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
    """A run stopped because it was asked to."""


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


def end_process(number: int, frame: FrameType | None) -> None:
    """Handle a signal that ends a worker: at once if nothing runs, else when what runs has stopped (`stopped`)."""
    signal.signal(number, signal.SIG_DFL)
    _signals.append(number)
    _asked.update(_running)
    stopped()


def stopped() -> None:
    """Let the signal that this process waited with end it, once nothing runs any more."""
    if _signals and not _running:
        signal.raise_signal(_signals[0])


async def stop_runs(digests: Collection[str], patience_sec: float) -> None:
    """Ask those runs of this process to stop, and wait until they have; Dask calls this in each worker."""
    asked = _running.intersection(digests)
    _asked.update(asked)
    end = time.monotonic() + patience_sec
    while asked & _running and time.monotonic() < end:
        await asyncio.sleep(_POLL_SEC)
