"""What a page is made from: a table, the arms behind it, and all records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.arm import Arm
from benchmark.campaign import search_records
from benchmark.record import Record
from benchmark.tables.data import Results
from benchmark.tables.notes import final_records


@dataclass(frozen=True)
class Line:
    """Where a record stands: file, number of the line, and the line itself."""

    path: Path
    number: int
    text: bytes


Lines = Mapping[str, Line]
"""Lines by digest of the record."""


@dataclass(frozen=True)
class Source:
    """What a page is made from.

    Attributes:
        results: The table.
        arms: The methods and settings of the table.
        records: All records by digest, those of other commands too.
        lines: Where each record stands.
        commands: What makes, watches and shares these results: a label and a command each.
    """

    results: Results
    arms: Sequence[Arm]
    records: Mapping[str, Record]
    lines: Lines
    commands: Sequence[tuple[str, str]] = ()

    def finals(self, arm: Arm) -> list[Record]:
        """Return the final runs of an arm that there are."""
        return final_records(arm, self.records)

    def counted(self) -> list[Record]:
        """Return the records behind the table: final runs first, then the searches that chose their settings."""
        finals = [record for arm in self.arms for record in self.finals(arm)]
        searches = [search_records(arm, self.records) for arm in self.arms if not arm.declined]
        found = [*finals, *(record for records in searches for record in records if record is not None)]
        return list({record.spec.digest: record for record in found}.values())


def read_lines(paths: Sequence[Path]) -> Lines:
    """Return the lines of files of records; of a record that stands twice, the last one."""
    found: dict[str, Line] = {}
    for path in paths:
        if path.exists():
            for number, text in enumerate(path.read_bytes().splitlines(), start=1):
                digest = text.rpartition(b'"digest":"')[2].partition(b'"')[0].decode(errors="replace")
                found[digest] = Line(path, number, text)
    return found
