"""The second Ctrl-C ends a command at once, whatever it is doing; the first one lets it save (`stopping`)."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import psutil

from benchmark import stopping
from benchmark.commands import INTERRUPTED
from benchmark.text import on_terminal

_asked = threading.Event()

_SHOW_CURSOR = b"\x1b[?25h"
_LINE = b"stopped at once; finished runs are recorded, and the same command goes on from here\n"


@contextmanager
def second_ends_at_once() -> Iterator[None]:
    """Let the second SIGINT or SIGTERM end this process and all its children, until the end of the block.

    Python's own handlers wait for the main thread, which may be deep in a step of a run or in somebody's library; so
    a thread of its own hears of each signal through the wakeup descriptor.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _asked.clear()
    thread = threading.Thread(target=_watch, args=(reading,), name="second Ctrl-C", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, b"\0")
        thread.join()
        os.close(writing)
        os.close(reading)


def raise_if_asked() -> None:
    """Raise where a signal asked for the end and nobody heard: Python drops what is raised in a destructor.

    Raises:
        KeyboardInterrupt: There was one since `second_ends_at_once` began.
    """
    if _asked.is_set():
        raise KeyboardInterrupt


def _watch(reading: int) -> None:
    first: float | None = None
    while True:
        for number in os.read(reading, 64):
            if number == 0:
                return
            if number in stopping.SIGNALS:
                now = time.monotonic()
                first = now if first is None else first
                _asked.set()
                # where a terminal closes nobody is impatient
                if now - first > stopping.BOUNCE_SEC and number != signal.SIGHUP:
                    _end()


def _end() -> None:
    """End this process and its children: records and journal are whole at any moment."""
    end_children(os.getpid())
    shown = _SHOW_CURSOR if on_terminal(sys.stderr) else b""
    try:
        os.write(2, shown + _LINE)
    finally:
        os._exit(INTERRUPTED)


def end_children(number: int) -> None:
    """End all children of a process at once, and theirs."""
    try:
        children = psutil.Process(number).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for child in children:
        with suppress(psutil.Error):
            child.kill()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let signals to stop wait for the end of the block: a half-done write to Optuna's journal raises oddly."""
    pending: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        stopping.hang_up(number)
        pending.append(number)

    held = stopping.heard()
    for number in held:
        signal.signal(number, wait)
    try:
        yield
    finally:
        stopping.give_back(held)
    if pending:
        raise KeyboardInterrupt
