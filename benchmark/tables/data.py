"""Results of one table as data: what Markdown, LaTeX, CSV, HTML, the terminal and pages are all made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot, isnan, nan
from typing import Literal

import pandas as pd

from benchmark.comparison import Comparison
from benchmark.spec import Value
from benchmark.statistics import Summary
from benchmark.suite import Metric

State = Literal["measured", "partial", "missing", "failed", "declined"]
"""What there is of a method in a setting: all final runs, some, none yet, none as all failed, or none ever."""

Standing = Literal["", "best", "tie"]
"""The best mean of a column, or one that is not significantly worse than the best."""


@dataclass(frozen=True)
class Note:
    """A footnote.

    Attributes:
        kind: What it is about.
        text: What the mark stands for; ends with the command where there is one.
        command: The command that fills the cell; empty where running changes nothing.
    """

    kind: Literal["declined", "failed", "missing", "precision", "trials"]
    text: str
    command: str = ""


@dataclass(frozen=True)
class Published:
    """A number that the paper published, in the units of records: fractions where tables show percent."""

    mean: float
    sem: float
    runs: int


@dataclass(frozen=True)
class Cell:
    """One metric of one method in one setting, in the units of records.

    Attributes:
        metric: What was measured on the test set.
        values: By seed, over the successful final runs.
        summary: Their number, mean and standard error (ddof 1).
        published: What the paper has in this place.
        in_table: Whether the paper's table has this column at all.
        standing: Where it stands in its column, see `benchmark.tables.best`.
        sample: Whether data were drawn: then nothing is made of its difference from anything.
    """

    metric: Metric
    values: Mapping[int, float]
    summary: Summary
    published: Published | None = None
    in_table: bool = False
    standing: Standing = ""
    sample: bool = False

    @property
    def compared(self) -> bool:
        """Whether its difference from what the paper published is a column of the table."""
        return self.in_table and not self.sample

    @property
    def difference(self) -> float:
        """Measured less published in standard errors: (ours - theirs) / sqrt(sem_ours^2 + sem_theirs^2), or NaN."""
        if self.published is None or self.sample:
            return nan
        error = hypot(self.summary.sem, self.published.sem)
        return nan if isnan(error) or error == 0 else (self.summary.mean - self.published.mean) / error


@dataclass(frozen=True)
class Row:
    """One method in one setting.

    Attributes:
        suite: Name of the suite, without marks.
        setting: Name of the setting.
        method: Name of the method.
        state: What there is.
        cells: One for each metric of the suite, in its order.
        notes: What is to be said of it: declined, failed, or missing with the command.
        trials: Number of search runs of the method that were made; None where it declines.
        planned: Number of those that its search has.
        sampler: What proposed them under a budget; empty for a grid.
        hyper: Hyper-parameters that validation chose; empty where nothing is chosen yet.
        steps: Seconds a training step of each final run.
        peak_bytes: Peak memory, mean over final runs: allocated on the CUDA device, or resident on the CPU.
        cost_note: Said of the costs alone, where runs of several precisions stand in one table.
        trials_note: Said of the number of trials: how many gave no result, and why.
    """

    suite: str
    setting: str
    method: str
    state: State
    cells: tuple[Cell, ...]
    notes: tuple[Note, ...] = ()
    trials: int | None = None
    planned: int | None = None
    sampler: str = ""
    hyper: Mapping[str, Value] = field(default_factory=dict)
    steps: tuple[float, ...] = ()
    peak_bytes: float = nan
    cost_note: Note | None = None
    trials_note: Note | None = None

    @property
    def step_sec(self) -> float:
        """Seconds a training step, mean over final runs; NaN without any."""
        return sum(self.steps) / len(self.steps) if self.steps else nan


@dataclass(frozen=True)
class Provenance:
    """Where numbers come from: sorted names without doubles; `finished` is the last day of any run, ISO 8601."""

    protocol: int
    commits: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    torch: tuple[str, ...] = ()
    finished: str = ""


@dataclass(frozen=True)
class Results:
    """All of one table.

    Attributes:
        suite: Name of the suite as results bear it: marked SAMPLE where data were drawn.
        title: Of the table.
        caption: How its numbers came about: SAMPLE, selection rule, runs, protocol, precision, machines.
        rows: Setting by setting, method by method.
        comparison: Every method against the reference methods.
        weights: Weight of each task at the end of training: a row a method, columns (`""`, method) and
            (setting, task); None for many tasks.
        provenance: Commits, devices, versions, dates.
        sample: Whether the data were drawn: then it is no result.
    """

    suite: str
    title: str
    caption: str
    rows: Sequence[Row]
    comparison: Comparison
    weights: pd.DataFrame | None
    provenance: Provenance
    sample: bool = False

    @property
    def settings(self) -> list[str]:
        """Settings in order."""
        return list(dict.fromkeys(row.setting for row in self.rows))

    @property
    def methods(self) -> list[str]:
        """Methods in order."""
        return list(dict.fromkeys(row.method for row in self.rows))

    @property
    def notes(self) -> list[Note]:
        """Footnotes in order of first use, each once."""
        found = [note for row in self.rows for note in (*row.notes, row.cost_note, row.trials_note) if note is not None]
        return list(dict.fromkeys(found))

    def row(self, setting: str, method: str) -> Row | None:
        """Return the row of a method in a setting, if it has one."""
        return next((row for row in self.rows if (row.setting, row.method) == (setting, method)), None)
