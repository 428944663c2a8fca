"""Single measurements of one machine as a file that pages are made from."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import torch

from benchmark.markdown import markdown
from benchmark.speed import rows
from benchmark.speed.timing import origin, provenance
from benchmark.terminal import console

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Measurement(rows.Row):
    """A measurement on one machine.

    Attributes:
        what: What is measured, with its unit.
        value: Its median over the turns or what else `what` says, or its only value.
        lowest: Least value of a turn.
        highest: Largest value of a turn.
        turns: Number of turns.
        detail: What was run.
        cores: Cores that the process may use.
        load: Load average of the machine over the minute before, which counts what else runs.
    """

    called: ClassVar[str] = "measurements"

    what: str
    value: float
    lowest: float
    highest: float
    turns: int
    detail: str
    cores: int
    load: float

    @property
    def key(self) -> tuple[str, str]:
        """What is measured."""
        return self.device, self.what


def load_average() -> float:
    """Return the machine's load average over the last minute, to be asked before measuring adds to it."""
    return os.getloadavg()[0]


def measurement(
    what: str,
    values: Sequence[float],
    detail: str,
    *,
    load: float,
    device: torch.device = CPU,
    value: float | None = None,
) -> Measurement:
    """Return a measurement made now.

    Args:
        what: What is measured, with its unit.
        values: Its value in each turn.
        detail: What was run.
        load: The machine's load average before it.
        device: Where it was measured.
        value: What stands for all turns; None for their median.
    """
    return Measurement(
        what=what,
        value=rounded(statistics.median(values) if value is None else value),
        lowest=rounded(min(values)),
        highest=rounded(max(values)),
        turns=len(values),
        detail=detail,
        cores=len(os.sched_getaffinity(0)),
        load=round(load, 2),
        **origin(device),
    )


def rounded(value: float) -> float:
    """Return a number with the digits that such measurements have."""
    return float(f"{value:.4g}")


def table(found: Sequence[Measurement]) -> pd.DataFrame:
    """Return a row for each measurement."""
    return pd.DataFrame(
        {
            "what": [row.what for row in found],
            "value": [f"{row.value:.4g}" for row in found],
            "range": [f"{row.lowest:.4g} to {row.highest:.4g}" if row.turns > 1 else "" for row in found],
            "turns": [str(row.turns) for row in found],
            "of": [row.detail for row in found],
        }
    )


def conclude(found: Sequence[Measurement], path: Path, *, device: torch.device = CPU) -> None:
    """Put measurements into a file, and print them, the machine and where they are."""
    rows.add(path, found, Measurement)
    out = console()
    out.print(markdown(table(found)), soft_wrap=True)
    least, most = (f"{pick(row.load for row in found):.1f}" for pick in (min, max))
    load = f"load average {least}{f' to {most}' * (least != most)}"
    out.print(f"\n{found[0].cores} cores, {load}; {provenance(device)}\nWritten to {path}.", soft_wrap=True)
