"""Small suites of each kind with all that a checkpoint has to keep, and runs that are killed again and again."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

import baselines
from auxilearn import Method
from benchmark import train
from benchmark.checkpoint import Resumable, Saver
from benchmark.data import Batch
from benchmark.models.mlp import mlp
from benchmark.models.multitask import MultiTask
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.suite import Suite
from benchmark.train import run
from tests.benchmark.helpers import Toy, _Features
from tests.benchmark.waiting import Generated, Pictures


class Killed(BaseException):
    """The process is gone."""


class Vectors(Toy):
    """Losses of samples, dropout and BatchNorm, momentum, a learning rate that falls by half, held-out batches."""

    held_out_batch_size = 4

    def model(self, setting: str) -> MultiTask:
        trunk = nn.Sequential(_Features(), mlp(4, (8,)), nn.BatchNorm1d(8), nn.Dropout(0.3))
        return MultiTask(trunk, 8, [group.outputs for group in self.groups_of(setting)])

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler:
        return StepLR(optimizer, 1, gamma=0.5)


class Drawn(Pictures):
    """Loss images of pictures that are cropped and mirrored by draws, measured for what the network makes of them."""

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        total = sum(float(model(batch.inputs)[0].double().abs().mean()) for batch in batches)
        return {"top1": total, "top2": -total}

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler:
        return CosineAnnealingLR(optimizer, epochs)


class Steps(Vectors):
    """Epochs of a number of steps that is no multiple of a pass over the data."""

    steps_per_epoch = 5


SUITES: dict[str, Callable[[], Suite]] = {
    "vectors": Vectors,
    "images": Drawn,
    "generated": Generated,
    "steps": Steps,
}


def cases() -> Iterable[tuple[str, str]]:
    """Yield each kind of suite with each method that serves it; the last kind is about the loop alone."""
    for kind, make in SUITES.items():
        problem = make().problem("few", 0)
        names = ("equal", "auxilearn-linear") if kind == "steps" else baselines.names()
        yield from ((kind, name) for name in names if baselines.load(name).declines(problem) is None)


@pytest.fixture
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bilevel methods take an outer step every second step."""
    build = train.build_method

    def often(*arguments: Any, **keywords: Any) -> Method:
        method = build(*arguments, **keywords)
        method.outer_every = min(method.outer_every, 2)
        return method

    monkeypatch.setattr(train, "build_method", often)


def killed_at(stops: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill each process at the first step that `stops`, after the one at which it began, and its checkpoint."""
    visit = Saver.visit
    began: dict[int, int] = {}

    def fatal(self: Saver, run: Resumable) -> None:
        visit(self, run)
        if run.step > began.setdefault(id(self), run.step) and stops(run.step):
            raise Killed

    monkeypatch.setattr(Saver, "visit", fatal)


def lives(spec: Spec, folder: Path, *, every: int = 1, device: str = "cpu") -> tuple[Record, int]:
    """Run `spec` with checkpoints until a process lives to the end; return its record and the number of deaths."""
    deaths = 0
    while True:
        torch.manual_seed(deaths)  # another process has drawn something else before
        try:
            return run(spec, device, Places(checkpoints=folder), every=every), deaths
        except Killed:
            deaths += 1
