"""The command of the benchmark under observation: runs note what they do, and processes die where a plan says so.

`python -m tests.reliability.observed` takes the command's own arguments; its workers import this file as their main
module, those of a cluster with `--preload tests.reliability.observed`. The environment's `OBSERVED` names the folder of
the notes and of the plan.
"""

import functools
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from benchmark import checkpoint, train
from benchmark.files import PART
from benchmark.record import Record, Store
from benchmark.spec import Spec
from benchmark.storage import JOURNAL

MOMENTS = ("begin", "step", "saving", "saved", "end")
"""Where a worker dies: before its run, in it, with half a checkpoint, with a whole one, with a record nobody has."""

STEPS = 24
"""Steps of which one is a moment to die at; runs are longer."""

EVERY = 6
"""Steps between two checkpoints."""


class Plan:
    """The notes of all processes, and who dies when."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._plan = json.loads((folder / "plan.json").read_text())

    def note(self, *words: object) -> None:
        """Write one line, whole also among other writers."""
        with self._log.open("ab", buffering=0) as file:
            file.write((" ".join(map(str, (os.getpid(), *words))) + "\n").encode())

    def fate(self, digest: str) -> tuple[str, int]:
        """Return at which moment, and step, the next process with this run dies; ("", 0) for one that lives."""
        deaths = self._log.read_text().count(f" dies {digest} ")
        draw = random.Random(f"{self._plan['seed']} {digest} {deaths}")
        if deaths >= self._plan["most"] or draw.random() >= self._plan["share"]:
            return "", 0
        return draw.choice(MOMENTS), draw.randrange(1, STEPS)

    def driver_fate(self, recorded: int) -> str:
        """Return at which moment the driver dies that has so many records; "" if it lives, or died of that before."""
        if f" driver-dies {recorded} " in self._log.read_text():
            return ""
        return self._plan["driver"].get(str(recorded), "")

    def die(self, digest: str, moment: str) -> None:
        """End this process as SIGKILL from outside does."""
        self.note("dies", digest, moment)
        os.kill(os.getpid(), signal.SIGKILL)

    def driver_dies(self, recorded: int, moment: str) -> None:
        """End the driver, or all of the command's processes at once."""
        self.note("driver-dies", recorded, moment)
        os.killpg(os.getpgid(0), signal.SIGKILL) if moment.startswith("all") else os.kill(os.getpid(), signal.SIGKILL)


def watch_runs(plan: Plan) -> None:
    """Let runs note their beginning and end, write many checkpoints, and die."""
    train_run, visit, replace = train.run, checkpoint.Saver.visit, checkpoint.replace
    fate: dict[str, Any] = {}

    @functools.wraps(train_run)
    def observed_run(spec: Spec, *arguments: Any, **keywords: Any) -> Record:
        moment, step = plan.fate(spec.digest)
        fate.update(digest=spec.digest, moment=moment, step=step)
        plan.note("began", spec.digest)
        if moment == "begin":
            plan.die(spec.digest, moment)
        found = train_run(spec, *arguments, **keywords, every=EVERY)
        if moment:  # also where the run was over before its moment came
            plan.die(spec.digest, "end")
        plan.note("ended", spec.digest)
        return found

    def observed_visit(self: checkpoint.Saver, run: checkpoint.Resumable) -> None:
        if fate["moment"] == "step" and run.step == fate["step"]:
            plan.die(fate["digest"], "step")
        visit(self, run)

    def observed_replace(path: Path, value: Any) -> None:
        if fate["moment"] == "saving":
            path.with_name(f"{path.name}.torn{PART}").write_bytes(b"AUX")
            plan.die(fate["digest"], "saving")
        replace(path, value)
        if fate["moment"] == "saved":
            plan.die(fate["digest"], "saved")

    train.run, checkpoint.Saver.visit, checkpoint.replace = observed_run, observed_visit, observed_replace


def watch_records(plan: Plan) -> None:
    """Let the driver note what it has written, and die: with half a line, or before the study hears of the record."""
    append = Store.append

    def observed_append(self: Store, *records: Record) -> None:
        counts = range(len(self.records), len(self.records) + len(records))
        count, moment = next(((count, fate) for count in counts if (fate := plan.driver_fate(count))), (0, ""))
        if moment.endswith("torn"):
            tear(self.path, "".join(json.dumps(record.to_json()) + "\n" for record in records).rstrip("\n"))
            plan.driver_dies(count, moment)
        append(self, *records)
        for record in records:
            plan.note("recorded", record.spec.digest)
        if moment:
            journal = self.folder / JOURNAL
            tear(journal, '{"op_code": 6, "worker_id": "x", "trial_id": 1, "state": 1, "values": [0.93]}')
            journal.with_name(journal.name + ".lock").symlink_to(journal)
            plan.driver_dies(count, moment)

    Store.append = observed_append


def tear(path: Path, line: str) -> None:
    """Begin a line of a file and leave it there."""
    with path.open("ab", buffering=0) as file:
        file.write(line[: len(line) // 2].encode())


def observe() -> None:
    """Watch what this process does, if it is told where to write."""
    if folder := os.environ.get("OBSERVED"):
        plan = Plan(Path(folder))
        watch_runs(plan)
        watch_records(plan)


def start_quickly() -> None:
    """Fork workers from a process that has imported what they need: a storm waits for nothing else."""
    from multiprocessing import forkserver

    preload = forkserver.set_forkserver_preload
    needed = ["torch._dynamo", "benchmark.engine", "benchmark.suites.digits", "benchmark.train"]
    forkserver.set_forkserver_preload = lambda modules: preload([*modules, *needed])


observe()

if __name__ == "__main__":
    start_quickly()
    from benchmark.commands import run_app
    from benchmark.run import app

    sys.exit(run_app(app, "python -m benchmark.run"))
