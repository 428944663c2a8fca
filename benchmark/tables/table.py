"""The table at the end of a run: results of one plan, as the terminal shows them and as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from benchmark.arm import Arm
from benchmark.comparison import Comparison
from benchmark.fill import Command, fill_command
from benchmark.record import Record
from benchmark.tables.data import Results
from benchmark.tables.gather import gather
from benchmark.tables.numbers import numbers
from benchmark.tables.sheet import frame_of_sheet, results_sheet
from benchmark.tables.write import write


@dataclass(frozen=True)
class Table:
    """One suite's results, and what they look like."""

    data: Results

    @property
    def suite(self) -> str:
        """Name of the suite as results bear it."""
        return self.data.suite

    @property
    def weights(self) -> pd.DataFrame | None:
        """A row a method, columns (setting, task): mean weight after training; None for many tasks."""
        return self.data.weights

    @property
    def comparison(self) -> Comparison:
        """Every method against the reference methods."""
        return self.data.comparison

    @cached_property
    def results(self) -> pd.DataFrame:
        """A row a method; columns (setting, metric), and (`""`, ...) for what belongs to no setting."""
        return frame_of_sheet(results_sheet(self.data))

    @property
    def caption(self) -> str:
        """How its numbers came about."""
        return results_sheet(self.data).caption

    @property
    def notes(self) -> list[str]:
        """What the marks in cells stand for, and which commands fill missing cells."""
        return [f"[{number}] {note.text}" for number, note in enumerate(self.data.notes, start=1)]

    @property
    def numbers(self) -> pd.DataFrame:
        """The numbers behind `results`, a row a setting, method and metric."""
        return numbers([self.data])

    def write(self, folder: Path) -> list[str]:
        """Write the table in every format and return the file names."""
        return write([self.data], folder)


def make_table(
    arms: Sequence[Arm],
    records: Mapping[str, Record],
    command: Command = fill_command,
    references: Sequence[str] = (),
    title: str = "",
) -> Table:
    """Return the table of a plan from the records there are; nothing else is read but published numbers.

    Args:
        arms: A row for each method, columns for each setting.
        records: Records by digest.
        command: Says how the missing runs of arms are made.
        references: Methods that all others are compared with; none for the default ones.
        title: What the table is called; none for that of the suite.
    """
    return Table(gather(arms, records, title=title, command=command, references=references))
