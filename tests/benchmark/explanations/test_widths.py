"""MNIST's widths: the network has those that are named and the seeds of the runs."""

from pathlib import Path

import pytest
from torch import nn

from benchmark.explanations import widths
from benchmark.explanations.widths import accuracies
from benchmark.places import Places
from benchmark.suites.mnist import MNIST
from benchmark.train import Row, Training, Visit


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
    assert MNIST.widths == widths.WIDTHS[0]
