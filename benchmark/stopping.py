"""Runs of this process that are asked to stop: they do at their next step, when their state is saved."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a command to stop: Ctrl-C, a scheduler or `kill`, a terminal that closes."""

BOUNCE_SEC = 0.2
"""Time after a signal within which another one is the same wish: `timeout` and some schedulers send it to a process
and to its group, and some systems two kinds at once."""

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


def give_back(held: Mapping[int, Any]) -> None:
    """Give signals back to the handlers that `heard` returned, but those that are ignored since then."""
    for number in held.keys() & heard().keys():
        signal.signal(number, held[number])


def listen() -> None:
    """Let SIGTERM and a terminal that closes stop this process as Ctrl-C does."""
    _terminals[:] = [number for number in (0, 1, 2) if os.isatty(number)]
    for number in heard():
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    hang_up(number)
    raise KeyboardInterrupt


def hang_up(number: int) -> None:
    """Where the terminal closes, hear of it once, for the shell tells it too, and write to it no more.

    Every handler of `SIGNALS` calls this first: whatever is written to a terminal that is gone raises.
    """
    if number != signal.SIGHUP:
        return
    signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in _terminals:
        os.dup2(nowhere, each)
    os.close(nowhere)


@contextmanager
def under_way(digest: str, *, signals: bool) -> Iterator[None]:
    """Note that a run can be asked to stop until the end of the block.

    Args:
        digest: The run.
        signals: Whether those of `SIGNALS` ask for it, in the main thread; a second one acts as it did before, if it is
            no part of the same wish: the terminal that closes, or what comes within `BOUNCE_SEC`.
    """
    _running.add(digest)
    if is_ending():
        _asked.add(digest)
    held = heard() if signals and threading.current_thread() is threading.main_thread() else {}
    first: float | None = None

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal first
        hang_up(number)
        now = time.monotonic()
        if first is None:
            first = now
            _asked.add(digest)
        elif number != signal.SIGHUP and now - first > BOUNCE_SEC:
            _as_before(number, held[number], frame)

    for number in held:
        signal.signal(number, ask)
    try:
        yield
    finally:
        give_back(held)
        _running.discard(digest)
        _asked.discard(digest)


def _as_before(number: int, handler: Any, frame: FrameType | None) -> None:
    signal.signal(number, handler)
    if callable(handler):
        handler(number, frame)
    else:
        signal.raise_signal(number)


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
    """End this process by the signal that told it to, or from another thread, which may not, with its exit status."""
    if threading.current_thread() is not threading.main_thread():
        os._exit(128 + _signals[0])
    signal.signal(_signals[0], signal.SIG_DFL)
    os.kill(os.getpid(), _signals[0])


async def stop_runs(digests: Collection[str] | None, patience_sec: float) -> None:
    """Ask those runs of this process to stop, or all, and wait until they have; Dask calls this in each worker."""
    asked = set(_running) if digests is None else _running.intersection(digests)
    _asked.update(asked)
    end = time.monotonic() + patience_sec
    while asked & _running and time.monotonic() < end:
        await asyncio.sleep(_POLL_SEC)
