"""Records of finished runs, kept on disk as one JSON line each."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from io import FileIO
from pathlib import Path
from typing import Any, Literal, get_args

import filelock

from benchmark.edits import check_results
from benchmark.epochs import Rows, finite
from benchmark.errors import UserError
from benchmark.files import PART, whole
from benchmark.spec import Spec
from benchmark.text import plain

REPLACED = "replaced.jsonl"
"""Holds, beside the records, those whose runs were made again because somebody asked for it."""

Status = Literal["ok", "diverged", "pruned", "failed"]


@dataclass(frozen=True)
class Record:
    """One run and all it gave.

    Attributes:
        spec: What was run.
        status: `ok`, or why there is no result: `diverged` (a loss was not finite), `pruned` (a hopeless trial) or
            `failed` (an error).
        reason: One line on why there is no result; of a run that succeeded, why an earlier attempt failed.
        tasks: Names of the tasks; the first is the main one.
        epochs: A row an epoch: `epoch`, `lr`, `loss` and `weight` by task, `validation` metrics, diagnostics.
        selected: Epoch with the best validation score, and its `validation` metrics.
        test: Test metrics of the selected epoch; empty in the search phase.
        timing: `step_sec` (mean of a training step), `train_sec`, `evaluation_sec`, `total_sec`.
        memory: `peak_bytes` allocated on the CUDA device, or the process's resident peak on the CPU.
        environment: Commit, versions and device, see `environment.describe`.
        finished: UTC time at which the run ended, ISO 8601.
        attempts: How often the run was begun in the command that made the record, until it did not fail.
    """

    spec: Spec
    status: Status
    reason: str = ""
    tasks: tuple[str, ...] = ()
    epochs: Sequence[dict[str, Any]] = field(default_factory=list)
    selected: dict[str, Any] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    timing: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    finished: str = ""
    attempts: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values, numbers that are not finite as None."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        return finite({**parts, "epochs": list(self.epochs), "spec": self.spec.to_json(), "digest": self.spec.digest})

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Record":
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: The digest is not the spec's, or a part that tables read is missing or no number: the line
                was changed by hand or is another format's.
        """
        known = {f.name for f in fields(cls)}
        spec = Spec.from_json(values["spec"])
        if values["digest"] != spec.digest:
            raise ValueError("the digest does not belong to the spec")
        if values["status"] not in get_args(Status):
            raise ValueError(f"unknown status {values['status']!r}")
        check_results(values, spec)
        values = {key: value for key, value in values.items() if key in known}
        values["reason"] = plain(values.get("reason", ""))
        values["environment"] = {
            key: plain(value) if isinstance(value, str) else value
            for key, value in values.get("environment", {}).items()
        }
        return cls(**{**values, "spec": spec, "tasks": tuple(values.get("tasks", ()))})


def _kept(record: Record, line: bytes) -> Record:
    """Return a record as the store keeps it, thousands of them at once."""
    return replace(record, epochs=Rows(line, len(record.epochs)))


class Store:
    """The records of one suite in `<folder>/records.jsonl`, with one writer at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "records.jsonl"
        self.checkpoints = folder / "checkpoints"
        self.records: dict[str, Record] = {}
        self.replaced: list[Record] = []
        """Records that were set aside when writing began."""
        self._file: FileIO | None = None

    def read(self, *, failed: bool = False) -> None:
        """Load the records; a torn last line, left by a writer that was killed, is passed over.

        Args:
            failed: Whether to keep the last failure of a run that has no result; else it is to be made again.

        Raises:
            UserError: The file or another line cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            data = b""
        except OSError as error:
            raise UserError(f"cannot read {self.path} ({error.strerror}); use another --results-dir") from None
        self.records = {}
        for record, line in self._parse(data.rpartition(b"\n")[0]):
            known = self.records.get(record.spec.digest)
            if record.status == "failed":
                if failed and (known is None or known.status == "failed"):
                    self.records[record.spec.digest] = _kept(record, line)
                continue
            if known is not None and known.status != "failed":
                raise UserError(f"{self.path} has two records of run {record.spec.digest}; remove one of them")
            self.records[record.spec.digest] = _kept(record, line)

    def _parse(self, whole: bytes) -> Iterator[tuple[Record, bytes]]:
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = Record.from_json(json.loads(line, parse_constant=_refuse))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                hint = "mend or remove that line, or use another --results-dir"
                raise UserError(f"{self.path}, line {number}: not a record ({error}); {hint}") from None
            yield record, line

    def check_place(self) -> None:
        """Refuse a folder that cannot be one, without writing.

        Raises:
            UserError: There is a file where it or a folder above it would be.
        """
        nearest = next(path for path in (self.folder, *self.folder.absolute().parents) if os.path.lexists(path))
        if not nearest.is_dir():
            raise self._unwritable(errno.ENOTDIR)

    def _unwritable(self, number: int | None) -> UserError:
        reason = os.strerror(number or errno.EIO)
        return UserError(f"cannot write to {self.folder} ({reason}); use another --results-dir")

    @contextmanager
    def writing(self, again: Callable[[Iterable[Record]], Iterable[Record]] = lambda records: ()) -> Iterator["Store"]:
        """Hold the folder for writing: lock it, load its records, cut off a torn last line.

        Records that `again` returns of those there are move to `replaced.jsonl`, and their runs are missing then. A
        new folder is removed again if a mistake of the user ends the session before its first record or checkpoint.

        Raises:
            UserError: The folder cannot be written or another process holds it.
        """
        new = not os.path.lexists(self.folder)
        with ExitStack() as held:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(filelock.FileLock(self.folder / ".lock", timeout=0))
                self.read()
                cut_torn_line(self.path)
                self._set_aside(list(again(self.records.values())))
                self._file = held.enter_context(self.path.open("ab", buffering=0))
                _sync_folder(self.folder)  # else the file itself may be gone when the machine comes up again
                self.checkpoints.mkdir(exist_ok=True)
                self._sweep()
            except filelock.Timeout:
                hint = "wait for it or use another --results-dir"
                raise UserError(f"another run is writing to {self.folder}; {hint}") from None
            except OSError as error:
                raise self._unwritable(error.errno) from None
            try:
                yield self
            except UserError:
                if new and not self.records and not any(self.checkpoints.glob("*")):
                    shutil.rmtree(self.folder, ignore_errors=True)
                raise
            finally:
                self._file = None
                self._drop(*self.records)  # a run whose worker died can have begun again before it was recorded
                with contextlib.suppress(OSError):  # it stays as long as there is a checkpoint in it
                    self.checkpoints.rmdir()

    def _set_aside(self, records: list[Record]) -> None:
        """Move all lines of some runs to another file; where that ends between the two, they are in both."""
        self.replaced = records
        if not records:
            return
        cut_torn_line(self.folder / REPLACED)
        digests = {record.spec.digest for record in records}
        lines = self.path.read_bytes().splitlines(keepends=True)
        moved = {number for number, line in enumerate(lines) if json.loads(line)["digest"] in digests}
        with (self.folder / REPLACED).open("ab") as file:
            file.writelines(lines[number] for number in sorted(moved))
            file.flush()
            os.fsync(file.fileno())
        with whole(self.path.resolve()) as part, part.open("wb") as file:
            file.writelines(line for number, line in enumerate(lines) if number not in moved)
            file.flush()
            os.fsync(file.fileno())
        for digest in digests:
            del self.records[digest]

    def append(self, *records: Record) -> None:
        """Write records to disk; once this returns, they survive a crash of process or machine."""
        if self._file is None:
            raise RuntimeError("the store is not open for writing")
        lines = [
            json.dumps(record.to_json(), allow_nan=False, separators=(",", ":")).encode() + b"\n" for record in records
        ]
        left = b"".join(lines)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            hint = "all records before it are safe; make room and run the command again"
            raise UserError(f"cannot write to {self.path} ({error.strerror}); {hint}") from None
        for record, line in zip(records, lines, strict=True):
            self.records[record.spec.digest] = _kept(record, line)
        self._drop(*(record.spec.digest for record in records))

    def _drop(self, *digests: str) -> None:
        """Remove the checkpoints of runs that are recorded and did not fail, with what dead workers began to write."""
        over = {digest for digest in digests if self.records[digest].status != "failed"}
        with contextlib.suppress(OSError):
            for path in self.checkpoints.iterdir() if over else ():
                if path.name.partition(".")[0] in over:
                    _remove(path)

    def _sweep(self) -> None:
        """Remove the checkpoints of runs that are recorded, and those that were never written to their end."""
        for path in self.checkpoints.iterdir():
            if path.name in self.records or path.name.endswith(PART):
                _remove(path)


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk, and its own."""
    for each in (folder, folder.resolve().parent):
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove(path: Path) -> None:
    """Remove a file that is of no use any more; where that fails it is in nobody's way."""
    with contextlib.suppress(OSError):
        path.unlink()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def cut_torn_line(path: Path) -> None:
    """Remove what follows the last line end of a file of lines, left by a writer that was killed."""
    if path.exists():
        with path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
