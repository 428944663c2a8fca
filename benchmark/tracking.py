"""W&B as a mirror of the records: nothing depends on it, a failure of it costs a warning."""

import contextlib
import importlib.util
import netrc
import os
import queue
import shutil
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
from benchmark.failures import reason_of
from benchmark.record import Record
from benchmark.spec import called, is_sample

PROJECT = "auxiliary-learning"
LONGEST_TAG = 64
"""Characters that W&B allows in a tag."""

Mode = Literal["disabled", "offline", "online"]
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


class Mirror:
    """Copies records to W&B from a thread of its own, each once.

    A run's id is its spec's digest, its group suite/method, or suite+control/method, its job type the phase. The
    file `mirrored-<mode>` in the suite's `wandb` folder lists the digests whose files are whole; those that a killed
    command did not list are mirrored again, under the same id and in the place of what is there.
    """

    def __init__(self, folder: Path, mode: Mode) -> None:
        self._folder = folder / "wandb"
        self._mode: Mode = mode
        self._queue: queue.Queue[Record | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="wandb mirror", daemon=True)
        self._ledger = self._folder / f"mirrored-{mode}"

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
        done: list[str] = []
        try:
            while (record := self._queue.get()) is not None:
                self._mirror(record)
                done.append(record.spec.digest)
        except Exception as error:
            line = f"warning: W&B mirror stopped: {reason_of(error)}"
            Console(stderr=True, **PLAIN).print(line, soft_wrap=True)
        if wandb := sys.modules.get("wandb"):
            wandb.teardown()  # ends when the last run's file is whole, which `finish` does not wait for
            self._remove_logs()
        if done:
            with self._ledger.open("a") as file:
                file.writelines(digest + "\n" for digest in done)

    def _remove_logs(self) -> None:
        """Remove what W&B wrote about itself: it has the path of the results in it."""
        for logs in self._folder.glob("*run-*/logs"):
            shutil.rmtree(logs, ignore_errors=True)
        for link in (*self._folder.glob("debug*.log"), self._folder / "latest-run"):
            link.unlink(missing_ok=True)

    def _mirror(self, record: Record) -> None:
        import wandb

        spec = record.spec
        suite = called(spec.suite, spec.data)
        budget = ["equal-budget"] if spec.search else []
        budget += [f"sampler-seed {spec.search.seed}"] if spec.search and spec.search.seed else []
        self._folder.mkdir(exist_ok=True)
        for part in self._folder.glob(f"offline-run-*-{spec.digest}"):  # of a command that was killed
            shutil.rmtree(part, ignore_errors=True)
        run = wandb.init(
            project=PROJECT,
            id=spec.digest,
            name=f"{'SAMPLE ' * is_sample(spec.data)}{spec.method} {spec.setting} {spec.phase} {spec.seed}",
            group=f"{'+'.join((suite, *spec.controls))}/{spec.method}",
            job_type=spec.phase,
            tags=[tag[:LONGEST_TAG] for tag in (suite, spec.setting, spec.method, *spec.controls, *budget)],
            config={**spec.to_json(), "environment": record.environment},
            dir=str(self._folder.parent),
            mode=self._mode,
            resume="allow" if self._mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(
                console="off",
                silent=True,
                x_disable_stats=True,
                x_disable_meta=True,
                x_disable_machine_info=True,
                disable_git=True,
                host="",  # else the name of this machine
                save_code=False,
                x_save_requirements=False,
            ),
        )
        for row in record.epochs:
            run.log(_flat(row, record.tasks), step=row["epoch"])
        run.summary.update({"status": record.status, "reason": record.reason})
        run.summary.update({f"test/{name}": value for name, value in record.test.items()})
        run.summary.update({f"selected/{name}": value for name, value in record.selected.get("validation", {}).items()})
        run.summary.update({f"timing/{name}": value for name, value in record.timing.items()})
        run.finish(exit_code=0 if record.status in ("ok", "pruned") else 1)

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
            self._thread.join()
        except KeyboardInterrupt:  # what is written now becomes whole, what waits is left to the next command
            self._drop_waiting()
            self._queue.put(None)
            self._thread.join()
            raise

    def _drop_waiting(self) -> None:
        """Leave what is not mirrored yet to the next command's `catch_up`."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()


def _flat(row: dict[str, Any], tasks: tuple[str, ...]) -> dict[str, float]:
    """Return an epoch's row as W&B charts: `loss/<task>`, `weight/<task>`, `validation/<metric>`, ..."""
    flat = {"lr": row["lr"]}
    for key in ("loss", "weight"):
        flat |= {f"{key}/{task}": value for task, value in zip(tasks, row[key], strict=True)}
    for key in ("validation", "diagnostics"):
        flat |= {f"{key}/{name}": value for name, value in row[key].items()}
    return flat
