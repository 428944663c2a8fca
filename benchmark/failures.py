"""Failures are results: why a run could not be finished, in one line, and what a search lost by such runs."""

import math
import re
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmark import memory
from benchmark.record import Record
from benchmark.text import anonymous, plain

LONGEST = 500
"""Characters of a reason."""

_NO_MEMORY = re.compile(r"out of memory|ALLOC_FAILED|can't allocate memory|not enough memory", re.IGNORECASE)
_STANDARD_LIBRARY = Path(traceback.__file__).parent
_LONGEST_NAME = 100
_ASKED = re.compile(r"[Tt]ried to allocate ([\d.]+ \w+)")


class Diverged(Exception):
    """A loss or a metric is not finite; its text says which and when."""


def finite_list(values: Tensor, what: str) -> list[float]:
    """Return values as a list.

    Raises:
        Diverged: One of them is not finite.
    """
    found = values.tolist()
    if not all(map(math.isfinite, found)):
        raise Diverged(f"{what} is not finite")
    return found


def outcome(work: Callable[[], dict[str, Any]], device: torch.device) -> dict[str, Any]:
    """Return what `work` returns, or status and reason where it raises; then nothing holds its memory any more."""
    try:
        return work()
    except Diverged as error:
        return {"status": "diverged", "reason": plain(error)}
    except (Exception, SystemExit) as error:
        found = {"status": "failed", "reason": reason_of(error, device)}
    memory.release(device)
    return found


def reason_of(error: BaseException, device: torch.device | None = None) -> str:
    """Return one line on an error of a run: its type, the first line of its text and where in whose file it came up.

    For an error of memory, what it was short of.

    Args:
        error: What the run raised.
        device: Where it ran, if that is known; its peak memory is looked up.
    """
    first = next(iter(text_of(error).splitlines()), "")
    named = f"{type(error).__name__}: {first}" if first else type(error).__name__
    if device is not None and is_out_of_memory(error):
        return plain(anonymous(_shortage(first or named, device)))[:LONGEST]
    place = place_of(error)
    return f"{plain(anonymous(named))[: LONGEST - len(place)]}{place}"


def text_of(error: BaseException) -> str:
    """Return what an error says; nothing for one that cannot even say what it is."""
    try:
        return str(error)
    except (Exception, SystemExit):
        return ""


def place_of(error: BaseException, *, but: Collection[str] = ()) -> str:
    """Return file and line of the last call before libraries, in brackets; nothing where all were theirs.

    Args:
        error: What was raised.
        but: Files where nothing is wrong; if the last call is in one of them, nothing is returned.
    """
    calls = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    file, line = next((call for call in reversed(calls) if _is_own(call[0])), (None, 0))
    return "" if file is None or str(file) in but else f" ({plain(file.name)[:_LONGEST_NAME]}:{line})"


def _is_own(file: Path) -> bool:
    """Return whether a file is there, as those of compiled modules are not, and no library's."""
    libraries = {"site-packages", "dist-packages"} & set(file.parts)
    return not libraries and not file.is_relative_to(_STANDARD_LIBRARY) and file.is_file()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a run was short of memory, on a GPU or on the host."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None


def _shortage(text: str, device: torch.device) -> str:
    asked = _ASKED.search(text)
    facts = [f"tried to allocate {asked[1]}" if asked else text, f"peak {_gib(memory.peak_bytes(device))}"]
    if device.type == "cuda":
        return ", ".join([f"out of GPU memory: {_gib(memory.capacity_bytes(device))} device", *facts])
    return f"out of memory: {', '.join(facts)} of the process"


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"


def counts(records: Iterable[Record | None], total: int, kind: str) -> str:
    """Return how many runs have no result and why, by status; empty where all have one.

    Args:
        records: Runs, None for one that is missing.
        total: How many there should be.
        kind: What they are called, in the plural.
    """
    ended = [record for record in records if record is not None and record.status != "ok"]
    number = Counter(record.status for record in ended)
    parts = []
    for status, count in number.items():
        why = next(record.reason for record in ended if record.status == status)
        why = f" ({'the first: ' * (count > 1)}{why})" if why and status != "pruned" else ""
        parts.append(f"{count} of {total} {kind} {status}{why}")
    return "; ".join(parts)


def closing_line(failed: Sequence[Record], made: int) -> str:
    """Return the line with which a command ends of whose runs some failed."""
    what = f"{len(failed)} of {made} runs failed, the last: {failed[-1].reason}"
    return f"{what}; the table has the reasons, and the same command tries them again"
