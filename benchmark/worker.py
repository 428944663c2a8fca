"""A worker process: Ctrl-C is the driver's; SIGTERM, or the end of its terminal, saves what runs and hands it on."""

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from benchmark import stopping

LEAVES = (signal.SIGTERM, signal.SIGHUP)
"""A scheduler or `kill`, and a terminal that closes (a nanny dies of that, and its worker with it)."""

LEAVE_SEC = 10.0
"""Longest wait for the end of what runs and for records to be fetched, and for the scheduler to let a worker go."""

_POLL_SEC = 0.02

_workers: list[Any] = []
"""The Dask worker that lives in this process."""

_left = threading.Event()
"""Whether it leaves."""


def dask_setup(worker: Any) -> None:
    """Prepare the process that `worker` lives in; Dask calls this once at its start."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    attend(worker)
    import benchmark.train  # noqa: F401


def attend(worker: Any) -> dict[int, Any]:
    """Let `LEAVES` save what runs in this process; return the handlers before, none where signals are not ours."""
    _workers[:] = [worker]
    _left.clear()
    if threading.current_thread() is not threading.main_thread():
        return {}
    held: dict[int, Any] = {number: handler for number, handler in stopping.heard().items() if number in LEAVES}
    for number in held:
        signal.signal(number, _end)
    return held


def release(held: Mapping[int, Any]) -> None:
    """Give signals back to the handlers that `attend` returned."""
    if not stopping.is_ending():
        for number, handler in held.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    """Handle a signal that ends this process: take no more cells, and leave once what runs has saved its state."""
    for each in LEAVES:  # one is enough: another must not cut the state that is being saved
        signal.signal(each, signal.SIG_IGN)
    worker = _workers[0]
    worker.loop.asyncio_loop.call_soon_threadsafe(pause, worker)
    if not stopping.end(number):
        leave()


def pause(worker: Any) -> None:
    """Let a worker begin no more cells, whatever memory is free."""
    from distributed.core import Status

    worker.memory_manager.memory_pause_fraction = False  # else it lets a paused worker run again at its next look
    if worker.status == Status.running:
        worker.status = Status.paused


def hand_on(*, saved: bool) -> None:
    """Let the scheduler give this worker's cell to another one; without saved state, die with it.

    Raises:
        Reschedule: Dask's word for it.
    """
    from distributed import Reschedule

    if not saved:
        stopping.die()
    raise Reschedule


def leave() -> None:
    """Leave the scheduler as soon as nothing runs here and nobody waits for a record; once is enough."""
    if not _left.is_set():
        _left.set()
        _workers[0].loop.add_callback(_leave, _workers[0])


async def _leave(worker: Any) -> None:
    """Leave the scheduler in order, so that no cell counts it as a death, and end the process by its signal."""
    end = time.monotonic() + LEAVE_SEC
    while (worker.state.executing or worker.data) and time.monotonic() < end:
        await asyncio.sleep(_POLL_SEC)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(worker.close_gracefully(restart=True, reason="told to end"), LEAVE_SEC)
    stopping.die()
