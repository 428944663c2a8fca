"""A toy suite whose samples carry their own number, ready-made specs and records, commands in this process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from benchmark import seeds, suites
from benchmark.data import Batch, Data
from benchmark.engine import Engine
from benchmark.metrics import accuracy
from benchmark.models.mlp import mlp
from benchmark.models.multitask import MultiTask
from benchmark.plan import Arm, Options, make_plan
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.suite import Metric, Suite
from benchmark.tasks import Classification, Regression

ROOT = Path(__file__).resolve().parents[2]
RUN = (sys.executable, "-m", "benchmark.run")


class Toy(Suite):
    """Three classes in four dimensions; input 0 is the number of the sample."""

    citation = "nobody, 2026"
    settings = ("few", "many")
    default_methods = ("stl", "equal")
    main_task = "three classes"
    auxiliary_tasks = "two classes, a value"
    groups = (Classification({"main": 3, "side": 2}), Regression(("value",)))
    metrics = (Metric("top1"), Metric("top2"))
    grid: ClassVar = {"lr": (0.1, 0.01), "weight_decay": (0.0, 0.01)}
    epochs = 3
    batch_size = 10
    final_seeds = 2

    def __init__(self, name: str = "toy") -> None:
        super().__init__(name)
        self.measured: list[list[int]] = []
        self.scramble_test = False

    def fingerprint(self) -> str:
        return "toy-1"

    def data(self, setting: str, seed: int) -> Data:
        draw = torch.Generator().manual_seed(7)
        features = torch.randn(100, 4, generator=draw)
        main = (features @ torch.randn(4, 3, generator=draw)).argmax(1)
        side = (features[:, 0] > 0).long()
        labels = torch.stack([main, side], 1)
        if self.scramble_test:
            labels[70:, 0] = (labels[70:, 0] + 1) % 3
        hidden = torch.randperm(30, generator=seeds.generator(self.name, setting, seed, "labels"))
        labels[hidden[: 15 if setting == "few" else 5], 0] = -1
        inputs = torch.cat([torch.arange(100.0)[:, None], features], 1)
        return Data(Batch(inputs, (labels, features[:, 1:2].clone())), *torch.arange(100).split([30, 10, 30, 30]))

    def model(self, setting: str) -> MultiTask:
        return MultiTask(
            nn.Sequential(_Features(), mlp(4, (8,)), nn.Dropout(0.1)),
            8,
            [group.outputs for group in self.groups_of(setting)],
        )

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        kept = list(batches)
        self.measured.append([number for batch in kept for number in numbers(batch)])
        return accuracy(model, kept, classes=3, ks=(1, 2))


class _Features(nn.Module):
    """Drop the number of the sample."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs[:, 1:]


def numbers(batch: Batch) -> list[int]:
    """Return the numbers of a toy batch's samples."""
    return batch.inputs[:, 0].long().tolist()


def install(monkeypatch: pytest.MonkeyPatch, suite: Suite) -> None:
    """Let every part of the benchmark in this process find `suite`."""
    names, load = suites.names(), suites.load
    monkeypatch.setattr(suites, "names", lambda: sorted({*names, suite.name}))
    monkeypatch.setattr(suites, "load", lambda name, places=None: suite if name == suite.name else load(name, places))


def a_spec(**changes: Any) -> Spec:
    """Return a spec of the toy suite, changed as asked."""
    hyper = (("lr", 0.1), ("weight_decay", 0.0))
    spec = Spec("toy", "few", "stl", hyper=hyper, seed=0, phase="search", epochs=3, data="toy-1")
    return replace(spec, **changes)


def next_of(engine: Engine) -> Record:
    """Return the record of the next cell that ends, whatever room there is for others."""
    while True:
        if record := engine.next():
            return record


def a_record(spec: Spec | None = None, *, score: float = 0.5, test: float = 0.5, **changes: Any) -> Record:
    """Return the record of a run that went well, with the score that validation selects by and the test result."""
    spec = spec or a_spec()
    validation = {"top1": score, "top2": score}
    row = {"epoch": 1, "lr": 0.1, "loss": [1.0, 2.0, 3.0], "weight": [1.0, 0.5, 0.25], "diagnostics": {}}
    record = Record(
        spec=spec,
        status="ok",
        tasks=("main", "side", "value"),
        epochs=[{**row, "validation": validation}],
        selected={"epoch": 1, "validation": validation},
        test={"top1": test, "top2": test} if spec.phase == "final" else {},
        timing={"step_sec": 0.5, "train_sec": 1.0, "evaluation_sec": 0.1, "total_sec": 1.1},
        environment={"device": "a machine"},
    )
    return replace(record, **changes)


def a_failure(spec: Spec, reason: str = "it broke") -> Record:
    """Return the record of a run that failed."""
    return Record(spec=spec, status="failed", reason=reason)


def toy_arm(method: str = "stl", *, setting: str = "few", **options: Any) -> Arm:
    """Return an arm of the toy suite, which must be installed."""
    (arm,) = make_plan(Options("toy", settings=(setting,), methods=(method,), **options))
    return arm


def by_digest(records: Iterable[Record]) -> dict[str, Record]:
    """Return records as the store holds them."""
    return {record.spec.digest: record for record in records}


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment for a command: one thread, no keys."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    fixed = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "160", "PYTHONFAULTHANDLER": "1"}
    return {**kept, **fixed, **changes}


def ended(process: subprocess.Popen[str], timeout_sec: float) -> Ended:
    """Wait for a command's end; one that does not come to it says where its threads are."""
    try:
        out, err = process.communicate(timeout=timeout_sec)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # at which `faulthandler` prints
        out, err = process.communicate(timeout=timeout_sec)
        pytest.fail(f"no end within {timeout_sec} s: {process.args}\n{out}\n{err}")
    return Ended(process.returncode, out, err)


def command(*arguments: str | Path, timeout_sec: float = 100, **changes: str) -> Ended:
    """Run `python -m benchmark.run` in a process of its own to its end."""
    words = [*RUN, *map(str, arguments)]
    pipe = subprocess.PIPE
    started = subprocess.Popen(words, cwd=ROOT, env=environment(**changes), stdout=pipe, stderr=pipe, text=True)
    with started:
        return ended(started, timeout_sec)


def lines(folder: Path, suite: str = "digits") -> list[dict[str, Any]]:
    """Return the records on disk as plain values, a torn last line left out."""
    path = folder / suite / "records.jsonl"
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


def measured(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a record that the same spec must give again bit for bit."""
    return {key: values[key] for key in ("status", "reason", "tasks", "epochs", "selected", "test")}


def results(folder: Path, suite: str = "digits") -> dict[str, dict[str, Any]]:
    """Return what each recorded run measured, by digest; a digest that stands there twice is an error."""
    found = lines(folder, suite)
    digests = [line["digest"] for line in found]
    assert len(set(digests)) == len(digests), "a cell was run twice"
    return {line["digest"]: measured(line) for line in found}


def flags(options: Mapping[str, object]) -> Sequence[str]:
    """Return `--name value` for each option."""
    return [word for key, value in options.items() for word in (f"--{key}", str(value))]


def png_size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG file."""
    head = path.read_bytes()[16:24]
    return int.from_bytes(head[:4]), int.from_bytes(head[4:])
