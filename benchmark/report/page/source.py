"""What a page is made from: tables, the arms behind them, and all records with the lines they stand in."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.arm import Arm
from benchmark.campaign import search_records
from benchmark.commands import DEFAULT_RESULTS
from benchmark.record import Record
from benchmark.report.suites import Plan
from benchmark.storage import JOURNAL
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
        plans: A table each, the suite's own first.
        records: All records of the suite by digest.
        lines: Where each record stands.
        commands: What makes, watches and shares these results: a label and a command each.
    """

    plans: Sequence[Plan]
    records: Mapping[str, Record]
    lines: Lines
    commands: Sequence[tuple[str, str]] = ()

    def finals(self, arm: Arm) -> list[Record]:
        """Return the final runs of an arm that there are."""
        return final_records(arm, self.records)

    def counted(self) -> list[Record]:
        """Return the records behind the tables: final runs first, then the searches that chose their settings."""
        arms = [arm for plan in self.plans for arm in plan.arms if not arm.declined]
        finals = [record for arm in arms for record in self.finals(arm)]
        searches = [record for arm in arms for record in search_records(arm, self.records) if record is not None]
        return list({record.spec.digest: record for record in (*finals, *searches)}.values())


def read_lines(paths: Sequence[Path]) -> Lines:
    """Return the lines of files of records, results before failures.

    Of a file's lines with one run the last, of several files' the first's.
    """
    found: dict[str, Line] = {}
    for path in paths:
        if path.exists():
            for number, text in enumerate(path.read_bytes().splitlines(), start=1):
                first = found.get(_digest(text))
                if first is None or _rank(text, later=path == first.path) > _rank(first.text):
                    found[_digest(text)] = Line(path, number, text)
    return found


def _rank(line: bytes, *, later: bool = False) -> tuple[bool, bool]:
    return b'"status":"failed"' not in line, later  # text within a record has its quotes escaped


def _digest(line: bytes) -> str:
    return line.rpartition(b'"digest":"')[2].partition(b'"')[0].decode(errors="replace")


def shown_names(paths: Sequence[Path]) -> dict[Path, Path]:
    """Return how a page, which may be sent to others, names files of records: never from the root or a home on.

    A file below the working directory is named from there; others from the results folder, or from the folder that all
    their results folders are in.
    """
    if not paths:
        return {}
    full = {path: Path(os.path.normpath(Path.cwd() / path)) for path in paths}
    common, home = Path(os.path.commonpath([path.parent.parent for path in full.values()])), Path.home()
    found = {}
    for path, place in full.items():
        base = Path.cwd() if place.is_relative_to(Path.cwd()) else common
        base = home if place.is_relative_to(home) and home.is_relative_to(base) else base
        found[path] = place.relative_to(base)
    return found


def commands_for(suite: str, file: Path) -> list[tuple[str, str]]:
    """Return the commands that go on from the records of a suite in a file, those that have something to show."""
    folder, shown = file.parent, shown_names([file])[file].parent
    sample = " --sample" if folder.name.endswith("-sample") else ""
    place = f" --results-dir {shlex.quote(str(shown.parent))}" if shown.parent != DEFAULT_RESULTS else ""
    report = f"python -m benchmark.report --suite {suite}{sample}{place}"
    found = [("Make this page again", report), ("Follow the runs", f"{report} --watch")]
    journal, mirror = shown / JOURNAL, shown / "wandb"
    if (folder / JOURNAL).exists():
        found.append(("Open the searches", f"optuna-dashboard {shlex.quote(str(journal))}"))
    if (folder / "wandb").exists():
        found.append(("Send the runs to W&B", f"wandb sync {shlex.quote(str(mirror))}/offline-run-*"))
    return found
