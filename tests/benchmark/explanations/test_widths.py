"""MNIST's widths: the network has those that are named and the seeds of the runs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import nn

from benchmark.errors import UserError
from benchmark.explanations import widths
from benchmark.explanations.widths import WIDTHS, accuracies
from benchmark.places import Places
from benchmark.speed import measurement
from benchmark.suites.mnist import MNIST
from benchmark.train import Row, Training, Visit
from tests.benchmark.made_up import WHERE


def test_networks_have_the_widths_and_runs_their_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, list[int]]] = []

    class Noted(Training):
        def finish(self, visit: Visit | None = None) -> Row:
            convolutions = [part for part in self.problem.model.modules() if isinstance(part, nn.Conv2d)]
            seen.append((self.spec.seed, [part.out_channels for part in convolutions]))
            return {"test": {"top1": 0.5}}

    monkeypatch.setattr(widths, "Training", Noted)
    assert accuracies((3, 5), Places(cache_dir=tmp_path, sample=True), seeds=2) == [0.5, 0.5]
    assert seen == [(1, [3, 5]), (2, [3, 5])]


def test_the_suite_is_as_it_was() -> None:
    assert MNIST.widths == WIDTHS[0]


def test_what_is_measured_is_not_measured_again_by_this_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = WHERE | {"commit": "one"}
    seen: list[tuple[tuple[int, int], int]] = []

    def noted(channels: tuple[int, int], places: Places, *, seeds: int) -> list[float]:
        seen.append((channels, seeds))
        return [0.5] * seeds

    monkeypatch.setattr(widths, "accuracies", noted)
    monkeypatch.setattr(widths, "load_suite", lambda *_: SimpleNamespace(shortfall=lambda: ""))
    for module in (widths, measurement):
        monkeypatch.setattr(module, "origin", lambda device: about)
    for given, seeds, again in (
        ("one", 2, True),
        ("one", 2, False),
        ("one", 3, True),
        ("two", 3, True),
        ("two+", 3, True),
    ):
        about["commit"] = given
        seen.clear()
        widths.command(tmp_path, seeds, tmp_path)
        assert seen == [(each, seeds) for each in WIDTHS if again]
    widths.command(tmp_path, 3, tmp_path)
    assert len(seen) == 2 * len(WIDTHS), "code that was changed measures again"


def test_a_part_of_the_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widths, "load_suite", lambda *_: SimpleNamespace(shortfall=lambda: "mnist, 5 of 10 images"))
    with pytest.raises(UserError, match="does not have all of MNIST: mnist, 5 of 10 images"):
        widths.command(tmp_path, 2, tmp_path)
    assert not list(tmp_path.iterdir())
