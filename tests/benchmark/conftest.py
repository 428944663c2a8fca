"""The toy suite installed, and commands run in the process of the test."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.commands import run_app
from benchmark.run import app
from tests.benchmark.helpers import Ended, Toy, install

Cli = Callable[..., Ended]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    suite = Toy()
    install(monkeypatch, suite)
    return suite


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Return a function that runs a command line here and tells how it ended."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["run", *map(str, arguments)])
        status = run_app(app, "python -m benchmark.run")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    held = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, held)
