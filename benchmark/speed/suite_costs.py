"""The measured seconds of each suite's methods as a file that pages are made from."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmark.speed import rows

FILE = Path("speed") / "suites.csv"
"""Where in the folder of results the seconds are."""


@dataclass(frozen=True)
class SuiteCost(rows.Row):
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
    """

    called: ClassVar[str] = "costs"

    suite: str
    setting: str
    kind: str
    method: str
    step_sec: float
    outer_step_sec: float
    outer_every: int
    evaluation_sec: float
    steps: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What is measured."""
        return self.suite, self.kind, self.method

    @property
    def mean_step_sec(self) -> float:
        """Seconds of a training step with its share of an outer step."""
        return self.step_sec + (self.outer_step_sec / self.outer_every if self.outer_every else 0.0)
