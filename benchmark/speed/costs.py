"""The measured cost of methods as a file that tables are made from."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmark.errors import UserError

FILE = Path("speed") / "methods.csv"
"""Where in the folder of results the costs are."""


@dataclass(frozen=True)
class Cost:
    """What a variant of a method costs with a number of auxiliary tasks, in units of equal weighting.

    Attributes:
        auxiliaries: Number of auxiliary tasks.
        method: Name of the method.
        variant: What tells it from the method at its defaults.
        step: Time of a training step; None where the variant cannot be measured.
        outer_step: Time of an outer step; None for single-level methods.
        outer_every: Training steps between two outer steps; 0 for single-level methods.
        mean_step: Time of a training step with its share of an outer step.
        peak_memory: Peak memory of a training step and an outer step, beyond model, gradients and optimiser.
        turns: Number of ratios of which `step` is the median.
        note: Why there is no cost.
        device: Name of the processor or accelerator.
        torch: Version of torch.
        threads: Threads of the process.
        commit: Commit of the code, with `+` where it was changed.
        date: Day of the measurement, UTC.
    """

    auxiliaries: int
    method: str
    variant: str
    step: float | None = None
    outer_step: float | None = None
    outer_every: int = 0
    mean_step: float | None = None
    peak_memory: float | None = None
    turns: int = 0
    note: str = ""
    device: str = ""
    torch: str = ""
    threads: str = ""
    commit: str = ""
    date: str = ""

    @property
    def key(self) -> tuple[int, str, str]:
        """What is measured."""
        return self.auxiliaries, self.method, self.variant


_COLUMNS = [field.name for field in fields(Cost)]
_WHOLE = ("auxiliaries", "outer_every", "turns")
_REAL = ("step", "outer_step", "mean_step", "peak_memory")


def read(path: Path) -> list[Cost]:
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


def write(path: Path, measured: Iterable[Cost]) -> Sequence[Cost]:
    """Put costs into a file, in place of those of the same variants, and return all there are now."""
    costs = {cost.key: cost for cost in (*read(path), *measured)}
    ordered = sorted(costs.values(), key=lambda cost: cost.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(cost) for cost in ordered)
    partial.replace(path)
    return ordered


def _parsed(row: dict[str, str]) -> Cost:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    values |= {name: int(row[name]) for name in _WHOLE}
    values |= {name: float(row[name]) if row[name] else None for name in _REAL}
    return Cost(**values)
