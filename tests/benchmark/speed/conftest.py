"""A tiny network in place of the ResNet, memory that is known, and commands in the process of the test."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from torch import Tensor, nn

from benchmark.commands import run_app
from benchmark.speed import hypergradient, methods, workload
from benchmark.speed.__main__ import app
from tests.benchmark.helpers import Ended

Cli = Callable[..., Ended]


class Tiny(nn.Module):
    """Stands for the ResNet."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(48, 6), nn.ReLU(), nn.BatchNorm1d(6))
        self.fc = nn.Linear(6, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.body(images))


@contextmanager
def known_peaks(_device: str) -> Iterator[Callable[[Callable[[], Callable[[], object]]], int]]:
    """Stand for the process that measures memory: do the work and find 250 bytes, of the reference 100."""

    def peak(make: Callable[[], Callable[[], object]]) -> int:
        make()()
        return 100 if make.args[0] in (methods.REFERENCE, hypergradient.REFERENCE) else 250  # type: ignore[attr-defined]

    yield peak


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload, "resnet18", lambda weights: Tiny())
    monkeypatch.setattr(workload, "PIXELS", 4)
    monkeypatch.setattr(workload, "CLASSES", 3)
    monkeypatch.setattr(methods, "peaks", known_peaks)
    monkeypatch.setattr(hypergradient, "peaks", known_peaks)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["speed", *map(str, arguments)])
        status = run_app(app, "python -m benchmark.speed")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    return run
