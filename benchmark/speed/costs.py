"""The measured cost of methods as a file that tables are made from."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmark.speed import rows

FILE = Path("speed") / "methods.csv"
"""Where in the folder of results the costs are."""


@dataclass(frozen=True)
class Cost(rows.Row):
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
    """

    called: ClassVar[str] = "costs"

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

    @property
    def key(self) -> tuple[int, str, str]:
        """What is measured."""
        return self.auxiliaries, self.method, self.variant
