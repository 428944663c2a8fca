"""Runs of this process that are asked to stop: they do at their next step, when their state is saved."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a command to stop: Ctrl-C, a scheduler or `kill`, a terminal that closes."""

_POLL_SEC = 0.02

_running: set[str] = set()
_asked: set[str] = set()
_signals: list[int] = []
_terminals: list[int] = []


class Stopped(KeyboardInterrupt):
    """A run stopped because it was asked to.

    Attributes:
        saved: Whether its state is saved.
    """

    def __init__(self, *, saved: bool = False) -> None:
        super().__init__()
        self.saved = saved


def heard() -> dict[int, Any]:
    """Return the handlers of those signals that this process does not ignore, as it ignores one under `nohup`."""
    held: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    return {number: handler for number, handler in held.items() if handler not in (signal.SIG_IGN, None)}


def listen() -> None:
    """Let SIGTERM and a terminal that closes stop this process as Ctrl-C does."""
    _terminals[:] = [number for number in (0, 1, 2) if os.isatty(number)]
    for number in heard():
        signal.signal(number, interrupt)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle one of `SIGNALS` where nothing has to be saved.

    Raises:
        KeyboardInterrupt: Always.
    """
    _hung_up(number)
    raise KeyboardInterrupt


def _hung_up(number: int) -> None:
    """Where a terminal has closed, hear of it once, for shells tell it too, and write to it no more."""
    if number != signal.SIGHUP:
        return
    signal.signal(number, signal.SIG_IGN)
    for each in _terminals:
        if not os.isatty(each):
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, each)
            os.close(nowhere)


@contextmanager
def under_way(digest: str, *, signals: bool) -> Iterator[None]:
    """Note that a run can be asked to stop until the end of the block.

    Args:
        digest: The run.
        signals: Whether those of `SIGNALS` ask for it, in the main thread; the second one acts as it did before.
    """
    _running.add(digest)
    held = {}
    if signals and threading.current_thread() is threading.main_thread():
        held = heard()

    def restore() -> None:
        for number in held.keys() & heard().keys():
            signal.signal(number, held[number])

    def ask_once(number: int, frame: FrameType | None) -> None:
        _asked.add(digest)
        restore()
        _hung_up(number)

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
