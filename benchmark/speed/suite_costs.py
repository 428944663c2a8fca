"""The measured seconds of each suite's methods as a file that pages are made from."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmark.errors import UserError

FILE = Path("speed") / "suites.csv"
"""Where in the folder of results the seconds are."""


@dataclass(frozen=True)
class SuiteCost:
    """What a method takes on a suite's network and batches of full size.

    Attributes:
        suite: Name of the suite.
        setting: The setting that was measured.
        kind: Type of the device, such as `cuda`.
        method: Name of the method.
        step_sec: A training step, its batch read and augmented.
        outer_step_sec: An outer step; 0 for single-level methods.
        outer_every: Training steps between two outer steps; 0 for single-level methods.
        evaluation_sec: Evaluation of one sample.
        steps: Number of steps of which `step_sec` is the median.
        device: Name of the processor or accelerator.
        torch: Version of torch.
        threads: Threads of the process.
        commit: Commit of the code, with `+` where it was changed.
        date: Day of the measurement, UTC.
    """

    suite: str
    setting: str
    kind: str
    method: str
    step_sec: float
    outer_step_sec: float
    outer_every: int
    evaluation_sec: float
    steps: int
    device: str
    torch: str
    threads: str
    commit: str
    date: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What is measured."""
        return self.suite, self.kind, self.method

    @property
    def mean_step_sec(self) -> float:
        """Seconds of a training step with its share of an outer step."""
        return self.step_sec + (self.outer_step_sec / self.outer_every if self.outer_every else 0.0)


_COLUMNS = [field.name for field in fields(SuiteCost)]
_READ = {field.name: field.type for field in fields(SuiteCost)}


def read(path: Path) -> list[SuiteCost]:
    """Return the costs in a file; none where there is no file.

    Raises:
        UserError: The file holds something else.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [_parsed(row) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{path} does not hold costs as this version writes them; move it away") from None


def write(path: Path, measured: Iterable[SuiteCost]) -> Sequence[SuiteCost]:
    """Put costs into a file, in place of those of the same key, and return all there are now."""
    ordered = sorted({cost.key: cost for cost in (*read(path), *measured)}.values(), key=lambda cost: cost.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(cost) for cost in ordered)
    partial.replace(path)
    return ordered


def _parsed(row: dict[str, str]) -> SuiteCost:
    values: dict[str, Any] = {name: kind(row[name]) if callable(kind) else row[name] for name, kind in _READ.items()}
    return SuiteCost(**values)
