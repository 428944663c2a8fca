"""The toy suite installed, commands run in the process of the test, weights of ResNet-18 without a network."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch import Tensor

from benchmark import stopping, train
from benchmark.cluster import start
from benchmark.commands import run_app
from benchmark.figures import STYLE
from benchmark.models.resnet import resnet18
from benchmark.run import app
from tests.benchmark.helpers import Ended, Toy, install

Cli = Callable[..., Ended]
FONT_TYPE = STYLE["pdf.fonttype"]


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

    monkeypatch.setattr(stopping, "_terminals", [])
    held = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    yield run
    for number, handler in held.items():
        signal.signal(number, handler)


@pytest.fixture
def state() -> dict[str, Tensor]:
    return dict(resnet18(classifier=True)[0].state_dict())


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return torch's own folder of weights, empty, on a machine without a network."""
    from torchvision.models import ResNet18_Weights  # takes seconds

    def refuse(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / Path(ResNet18_Weights.IMAGENET1K_V1.url).name


@pytest.fixture(autouse=True)
def coarse_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer dots an inch and whole fonts: commands of this process write many figures that nobody looks at."""
    monkeypatch.setitem(STYLE, "savefig.dpi", 60)
    monkeypatch.setitem(STYLE, "pdf.fonttype", 3)  # taking letters out of a font takes half a second a figure


@pytest.fixture
def real_fonts(coarse_figures: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put letters into figures as users have them."""
    monkeypatch.setitem(STYLE, "pdf.fonttype", FONT_TYPE)


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training an error, and a scheduler that does not answer a matter of a moment."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr(train, "run", refuse)
    monkeypatch.setattr(start, "PATIENCE", 0.5)
