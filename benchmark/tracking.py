"""W&B as a mirror of the records: nothing depends on it, a failure of it costs a warning."""

import contextlib
import importlib.util
import json
import netrc
import os
import queue
import shutil
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

from rich.console import Console

from benchmark.display import PLAIN
from benchmark.errors import UserError, unknown
from benchmark.failures import LONGEST, reason_of
from benchmark.files import write_whole
from benchmark.interrupts import end_children
from benchmark.record import Record
from benchmark.spec import called, is_sample
from benchmark.text import anonymous, plain
from benchmark.wandb_writer import PATIENCE_SEC

PROJECT = "auxiliary-learning"
LONGEST_TAG = 64
"""Characters that W&B allows in a tag."""

Mode = Literal["disabled", "offline", "online"]
WRITER = (sys.executable, "-m", "benchmark.wandb_writer")

NETRC_FILES = ("~/.netrc", "~/_netrc")
MODES: tuple[Mode, ...] = get_args(Mode)


def choose_mode(asked: str | None) -> Mode:
    """Return the mode that was asked for; by default `online` with a key, `offline` without one.

    W&B itself is not imported: that takes longer than printing a table.

    Raises:
        UserError: There is no such mode, W&B is not installed, or `online` has no key.
    """
    if asked is not None and asked not in MODES:
        raise unknown("W&B mode", asked, MODES)
    if importlib.util.find_spec("wandb") is None:
        if asked not in (None, "disabled"):
            raise UserError(f"--wandb {asked} needs wandb, which is not installed")
        return "disabled"
    if asked == "online" and not _has_key():
        raise UserError("--wandb online needs a key; run `wandb login` first or use --wandb offline")
    if asked is None:
        return "online" if _has_key() else "offline"
    return MODES[MODES.index(asked)]


def forget(folder: Path, records: Iterable[Record]) -> None:
    """Let runs be mirrored again that are made again: take them off the ledgers of a suite's folder."""
    digests = {record.spec.digest for record in records}
    for ledger in (folder / "wandb").glob("mirrored-*") if digests else ():
        kept = [line for line in ledger.read_text().splitlines(keepends=True) if line.strip() not in digests]
        write_whole(ledger, "".join(kept))


def _has_key() -> bool:
    """Return whether W&B would find a key where its documentation says: the environment or the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urllib.parse.urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    path = os.environ.get("NETRC") or next(filter(os.path.exists, map(os.path.expanduser, NETRC_FILES)), None)
    try:
        return bool(host and path and netrc.netrc(path).authenticators(host))
    except (OSError, netrc.NetrcParseError):
        return False


class _Broken(Exception):
    """W&B failed; its text says how."""


class _Silent(_Broken):
    """Its process has ended, and no answer said why."""


def _warn(error: Exception) -> None:
    reason = " ".join(str(error).split()) if isinstance(error, _Broken) else reason_of(error)
    line = f"warning: W&B mirror stopped: {plain(anonymous(reason))[:LONGEST]}"
    Console(stderr=True, **PLAIN).print(line, soft_wrap=True)


class Mirror:
    """Copies records to W&B, each once, from a thread that tells a process of its own (`wandb_writer`).

    A run's id is its spec's digest, its group suite/method, or suite+control/method, its job type the phase. The
    file `mirrored-<mode>` in the suite's `wandb` folder lists the digests whose files are whole; those that a killed
    command did not list are mirrored again, under the same id and in the place of what is there.
    """

    def __init__(self, folder: Path, mode: Mode) -> None:
        self._folder = folder / "wandb"
        self._mode: Mode = mode
        self._queue: queue.Queue[Record | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="W&B mirror", daemon=True)
        self._ledger = self._folder / f"mirrored-{mode}"
        self._writer: subprocess.Popen[str] | None = None
        self._written: list[str] = []
        self._moves = 0
        self._given_up = False

    def catch_up(self, records: Iterable[Record]) -> None:
        """Mirror those of `records` that are not mirrored yet."""
        done = set(self._ledger.read_text().split()) if self._ledger.exists() else set()
        for record in records:
            if record.spec.digest not in done:
                self.add(record)

    def add(self, record: Record) -> None:
        """Mirror a record soon."""
        if self._mode != "disabled":
            self._queue.put(record)

    def _work(self) -> None:
        broken: Exception | None = None
        try:
            while (record := self._queue.get()) is not None:
                self._mirror(record)
                self._written.append(record.spec.digest)
        except Exception as error:
            broken = error
        try:
            self._end_writer()
            if self._written:
                with self._ledger.open("a") as file:
                    file.writelines(digest + "\n" for digest in self._written)
        except Exception as error:
            if broken is None or isinstance(broken, _Silent):
                broken = error
        if broken is not None:
            _warn(broken)

    def _mirror(self, record: Record) -> None:
        self._folder.mkdir(exist_ok=True)
        for part in self._folder.glob(f"offline-run-*-{record.spec.digest}"):  # of a command that was killed
            shutil.rmtree(part, ignore_errors=True)
        if self._writer is None:
            self._writer = subprocess.Popen(
                WRITER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="ascii",
                env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONINSPECT": ""},
                start_new_session=True,  # a terminal's Ctrl-C is not for it
            )  # fmt: skip
        assert self._writer.stdin is not None
        assert self._writer.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            print(json.dumps(as_run(record, self._folder.parent, self._mode)), file=self._writer.stdin, flush=True)
        while (answer := self._writer.stdout.readline()) == "\n":
            self._moves += 1
        if not answer:
            raise _Silent("its process ended")
        self._moves += 1
        if failure := json.loads(answer):
            raise _Broken(failure)

    def _end_writer(self) -> None:
        """Wait until the process has ended, if there is one, which makes the last file whole.

        Raises:
            _Broken: It ended otherwise.
        """
        if self._writer is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._writer.communicate()
        # what W&B wrote about itself has the path of the results in it
        for logs in self._folder.glob("*run-*/logs"):
            shutil.rmtree(logs, ignore_errors=True)
        for link in (*self._folder.glob("debug*.log"), self._folder / "latest-run"):
            link.unlink(missing_ok=True)
        if self._given_up:
            raise _Broken(f"no answer for {PATIENCE_SEC:g} s")
        if self._writer.returncode:
            raise _Broken(f"its process ended with status {self._writer.returncode}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._drop_waiting()
        self._queue.put(None)
        try:
            self._wait()
        except KeyboardInterrupt:  # what is written now becomes whole, what waits is left to the next command
            self._drop_waiting()
            self._queue.put(None)
            self._wait()
            raise

    def _wait(self) -> None:
        """Wait until all is written, or give up where the process does not go on."""
        while self._thread.is_alive():
            before = self._moves
            self._thread.join(PATIENCE_SEC)
            if self._thread.is_alive() and self._writer is not None and self._moves == before:
                self._given_up = True
                end_children(self._writer.pid)
                self._writer.kill()

    def _drop_waiting(self) -> None:
        """Leave what is not mirrored yet to the next command's `catch_up`."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()


def as_run(record: Record, folder: Path, mode: Mode) -> dict[str, Any]:
    """Return what `wandb_writer.write` takes, for a record that it writes under `folder`."""
    spec = record.spec
    suite = called(spec.suite, spec.data)
    budget = ["equal-budget"] if spec.search else []
    budget += [f"sampler-seed {spec.search.seed}"] if spec.search and spec.search.seed else []
    init = {
        "project": PROJECT,
        "id": spec.digest,
        "name": f"{'SAMPLE ' * is_sample(spec.data)}{spec.method} {spec.setting} {spec.phase} {spec.seed}",
        "group": f"{'+'.join((suite, *spec.controls))}/{spec.method}",
        "job_type": spec.phase,
        "tags": [tag[:LONGEST_TAG] for tag in (suite, spec.setting, spec.method, *spec.controls, *budget)],
        "config": {**spec.to_json(), "environment": record.environment},
        "dir": str(folder),
        "mode": mode,
        "resume": "allow" if mode == "online" else None,
    }
    selected = record.selected.get("validation", {})
    summary = {"status": record.status, "reason": record.reason}
    summary |= {f"test/{name}": value for name, value in record.test.items()}
    summary |= {f"selected/{name}": value for name, value in selected.items()}
    summary |= {f"timing/{name}": value for name, value in record.timing.items()}
    rows = [(row["epoch"], _flat(row, record.tasks)) for row in record.epochs]
    return {"init": init, "rows": rows, "summary": summary, "exit_code": int(record.status not in ("ok", "pruned"))}


def _flat(row: dict[str, Any], tasks: tuple[str, ...]) -> dict[str, float]:
    """Return an epoch's row as W&B charts: `loss/<task>`, `weight/<task>`, `validation/<metric>`, ..."""
    flat = {"lr": row["lr"]}
    for key in ("loss", "weight"):
        flat |= {f"{key}/{task}": value for task, value in zip(tasks, row[key], strict=True)}
    for key in ("validation", "diagnostics"):
        flat |= {f"{key}/{name}": value for name, value in row[key].items()}
    return flat
