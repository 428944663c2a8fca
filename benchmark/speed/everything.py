"""All measurements one after the other, each in a process of its own, as when it is asked for alone."""

import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmark import stopping
from benchmark.commands import FAILED, INTERRUPTED
from benchmark.session import check_device
from benchmark.speed import costs, data, hypergradient, rows, suite_costs
from benchmark.speed.measurement import Measurement
from benchmark.terminal import console

DURATIONS: Mapping[str, str] = {
    "overhead": "half a minute",
    "checkpoint": "half a minute",
    "page": "half a minute",
    "data": "2 minutes",
    "scale": "3 minutes",
    "layout": "5 minutes",
    "images": "5 minutes",
    "sharing": "a minute",
    "hypergradient": "15 minutes",
    "methods": "half an hour",
    "suites": "an hour or more",
}
"""What is measured, what is short first, and about how long it takes on one idle core; a GPU needs less."""

SINGLE = ("overhead", "checkpoint", "page", "scale", "layout", "images", "sharing")
"""Measurements whose files are of the form of `benchmark.speed.measurement`."""


@dataclass(frozen=True)
class Ended:
    """How one measurement ended.

    Attributes:
        name: Its name.
        status: `measured`, `skipped` or `failed`.
        why: The reason for the latter two.
    """

    name: str
    status: str
    why: str = ""


def check_files(results: Path) -> None:
    """Read every file that will be written into.

    Raises:
        UserError: One holds something else, which would be found out after its measurement.
    """
    rows.read(results / costs.FILE, costs.Cost)
    rows.read(results / hypergradient.FILE, hypergradient.OuterStep)
    rows.read(results / suite_costs.FILE, suite_costs.SuiteCost)
    rows.read(results / data.FILE, data.Speed)
    for name in SINGLE:
        rows.read(results / "speed" / f"{name}.csv", Measurement)


def run_all(
    commands: Mapping[str, Any],
    *,
    device: str,
    results: Path,
    lacking: Mapping[str, Callable[[], str | None]],
) -> int:
    """Measure everything with its defaults and say how each measurement ended.

    Args:
        commands: The commands of the measurements, by name.
        device: A device as of the command line, for those that have one.
        results: Folder of the results, for those that write a file.
        lacking: What a machine may lack for a measurement; says it in one line, or None where it is there.

    Returns:
        0 if all were measured, or skipped for a reason that is named; else `FAILED`.

    Raises:
        UserError: There is no device of that name, or a file holds something else.
    """
    absent = _absent(device)
    check_files(results)
    stopping.listen()
    out, ended = console(), list[Ended]()
    given = {"--device": device, "--results-dir": str(results)}
    for number, (name, about) in enumerate(DURATIONS.items(), 1):
        known = {option for parameter in commands[name].params for option in parameter.opts}
        reason = (absent if "--device" in known else None) or lacking.get(name, lambda: None)()
        told = f"skipped; {reason}" if reason else f"about {about} on one core"
        out.print(f"[{number} of {len(DURATIONS)}] {name}: {told}", soft_wrap=True)
        if reason:
            ended.append(Ended(name, "skipped", reason))
            continue
        words = [word for option, value in given.items() if option in known for word in (option, value)]
        started = time.perf_counter()
        ended.append(_one(name, words))
        out.print(f"{name}: {ended[-1].status} in {time.perf_counter() - started:.0f} s\n", soft_wrap=True)
    out.print("\n".join(summary(ended)), soft_wrap=True)
    return FAILED if any(each.status == "failed" for each in ended) else 0


def _absent(device: str) -> str | None:
    """Return that there is no CUDA device, where one is asked for in vain; other names are refused."""
    if re.fullmatch(r"cuda(:\d+)?", device) and not torch.cuda.is_available():
        return f"there is no CUDA device on this machine, which --device {device} asks for"
    check_device(device)
    return None


def _one(name: str, words: list[str]) -> Ended:
    status, said = in_a_process([name, *words])
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return (
        Ended(name, "failed", "; ".join(filter(None, [f"exit status {status}", said])))
        if status
        else Ended(name, "measured")
    )


def summary(ended: Iterable[Ended]) -> list[str]:
    """Return a line for what was measured, and one for each measurement that was not."""
    found = list(ended)
    measured = [each.name for each in found if each.status == "measured"]
    rest = [f"{each.status}: {each.name}; {each.why}" for each in found if each.status != "measured"]
    return [f"measured: {', '.join(measured) or 'nothing'}", *rest]


def in_a_process(words: list[str]) -> tuple[int, str]:
    """Run one measurement as a command, show what it prints, and return its exit status and its last line of errors."""
    last: deque[str] = deque(maxlen=1)
    command = [sys.executable, "-m", "benchmark.speed", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                sys.stderr.write(line)
                if line.strip():
                    last.append(line.strip())
        except BaseException:
            process.terminate()
            raise
    return process.returncode, "".join(last).removeprefix("error: ")
