"""Measurements as rows of a CSV file, one a thing that is measured."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from filelock import FileLock

from benchmark.errors import UserError
from benchmark.files import whole


@dataclass(frozen=True, kw_only=True)
class Row(ABC):
    """A measurement, and where and when it was made; its numbers are texts, whole numbers and real ones or None.

    Attributes:
        called: What measurements of the kind are called.
        device: Name of the processor or accelerator.
        torch: Version of torch.
        threads: Threads of the process.
        commit: Commit of the code, with `+` where it was changed.
        date: Day of the measurement, UTC.
    """

    called: ClassVar[str]

    device: str
    torch: str
    threads: str
    commit: str
    date: str

    @property
    @abstractmethod
    def key(self) -> tuple[Any, ...]:
        """What is measured; a file has one row for it."""

    @property
    def origin(self) -> str:
        """Where and when it was measured, in words."""
        return in_words(self.device, self.torch, self.threads, self.commit, self.date)


AnyRow = TypeVar("AnyRow", bound=Row)


def read(path: Path, kind: type[AnyRow]) -> list[AnyRow]:
    """Return the rows of a file; none where there is no file.

    Args:
        path: The file.
        kind: What a row is.

    Raises:
        UserError: The file holds something else, or no file can be there.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, where {kind.called} are written to")
    for folder in path.parents:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file; {path} cannot be written")
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [_parsed(row, kind) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError, csv.Error):
            raise UserError(f"{path} does not hold {kind.called} as this version writes them; move it away") from None


def add(path: Path, measured: Iterable[AnyRow], kind: type[AnyRow]) -> list[AnyRow]:
    """Put rows into a file, in place of those of the same keys, and return all there are now.

    Processes that add to files of one folder wait for each other, so that none loses what another one measured.

    Raises:
        UserError: The file holds something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(".lock")):
        return write(path, (*read(path, kind), *measured), kind)


def newest(found: Sequence[AnyRow]) -> list[AnyRow]:
    """Return the rows of the machine that measured last."""
    last = max(found, key=lambda row: row.date)
    return [row for row in found if row.device == last.device]


def write(path: Path, rows: Iterable[AnyRow], kind: type[AnyRow]) -> list[AnyRow]:
    """Write rows into a file in the order of their keys, the last one of each, and return them."""
    ordered = sorted({row.key: row for row in rows}.values(), key=lambda row: row.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _columns(kind), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in ordered)
    return ordered


def in_words(device: str, torch: str, threads: str, commit: str, date: str) -> str:
    """Return where and when a measurement was made."""
    return f"{device}, torch {torch}, {threads} thread{'s' * (threads != '1')}, commit {commit}, {date}"


def origins(found: Iterable[Row]) -> str:
    """Return where and when rows were measured, in words."""
    return "; ".join(dict.fromkeys(row.origin for row in found))


def _columns(kind: type[Row]) -> list[str]:
    """Return the names of a file's columns, those of every measurement last."""
    last = [field.name for field in fields(Row)]
    return [field.name for field in fields(kind) if field.name not in last] + last


def _parsed(row: dict[str, str], kind: type[AnyRow]) -> AnyRow:
    values: dict[str, Any] = {}
    for field in fields(kind):
        text = row[field.name]
        if field.type in (int, str):
            values[field.name] = field.type(text)
        else:
            values[field.name] = float(text) if text else None
    return kind(**values)
