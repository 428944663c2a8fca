"""What observed processes noted, and what must hold of it whoever died."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

OBSERVED = ("-m", "tests.reliability.observed")

DEADLINE_SEC = 600
"""Several times what any of these tests takes where nothing else runs."""

LATELY = 20
"""Notes within which Dask hears that a record has been fetched: some milliseconds, in which a batch is written."""


class Note(NamedTuple):
    """One line: `what` a process did with a run, or at which record a driver died, and at which moment."""

    process: int
    what: str
    subject: str
    moment: str = ""


def begin(folder: Path, *, seed: int = 0, share: float = 0.0, most: int = 0, **driver: str) -> None:
    """Write the plan of deaths.

    Args:
        folder: Folder of plan and notes.
        seed: What all draws depend on, with the run and the deaths it has seen.
        share: Probability that a process dies that begins a run.
        most: Deaths that a run sees at most.
        driver: How the driver dies with so many records, as in `at_20="torn"`; `all ...` takes the workers along.
    """
    moments = {key.removeprefix("at_"): moment for key, moment in driver.items()}
    folder.mkdir(exist_ok=True)
    (folder / "log").touch()
    (folder / "plan.json").write_text(json.dumps({"seed": seed, "share": share, "most": most, "driver": moments}))


def notes(folder: Path) -> list[Note]:
    """Return all whole notes so far."""
    whole = (folder / "log").read_text().rpartition("\n")[0]
    return [Note(int(process), *words) for process, *words in (line.split(" ", 3) for line in whole.splitlines())]


def at_work(found: list[Note]) -> dict[int, str]:
    """Return the processes whose last note is that they began a run, and the run."""
    last = {note.process: note for note in found}
    return {process: note.subject for process, note in last.items() if note.what == "began"}


def kill(folder: Path, process: int) -> None:
    """Kill a process at work from outside; the note of it stands where nothing of that process follows."""
    os.kill(process, signal.SIGSTOP)
    run = at_work(notes(folder)).get(process, "-")
    with (folder / "log").open("ab", buffering=0) as log:
        log.write(f"{process} dies {run} outside\n".encode())
    os.kill(process, signal.SIGKILL)


def driver_died(folder: Path) -> None:
    """Note that a driver is gone, and its workers with what they had and it had not recorded."""
    with (folder / "log").open("ab", buffering=0) as log:
        log.write(b"0 driver-dies - seen\n")


def check_nothing_is_done_twice(found: list[Note]) -> None:
    """Refuse a run that is recorded twice, begins after its record was written or ends twice while nobody died.

    A record that is in the memory of a worker or on its way dies with worker or driver: that run is made again. One
    that the driver has just fetched is safe, yet Dask hears a moment later that it is wanted no more: if the worker
    dies in between, another one begins that run for nothing.
    """
    recorded: dict[str, int] = {}
    ended: dict[str, int] = {}
    lost: set[str] = set()
    for now, note in enumerate(found):
        if note.what == "began":
            assert note.subject not in recorded.keys() - lost, f"{note} after its record was written"
            assert note.subject not in ended, f"{note} after it had ended"
            lost.discard(note.subject)
        elif note.what == "ended":
            ended[note.subject] = note.process
        elif note.what == "recorded":
            assert note.subject not in recorded, f"{note} a second time"
            recorded[note.subject] = now
        elif note.what == "dies":
            late = {run for run in ended if now - recorded.get(run, now) <= LATELY}
            lost |= {run for run in late if ended[run] == note.process} | {note.subject}
            ended = {run: process for run, process in ended.items() if run not in lost}
        elif note.what == "driver-dies":
            ended, lost = {}, set()


def told(folder: Path, records: Mapping[str, Any] | list[Any]) -> str:
    """Return the state of a disturbed command in a few lines, for a test that gives up."""
    found = notes(folder)
    tail = "\n".join(" ".join(map(str, note)) for note in found[-20:])
    return f"{len(records)} records, at work {at_work(found)}, the last notes:\n{tail}"
