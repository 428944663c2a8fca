"""Both layouts do the same work, each in its own; no time is asserted."""

from pathlib import Path

import pytest
import torch

from benchmark.speed import layout
from benchmark.speed.layout import FILE, run
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.speed.conftest import Cli
from tests.benchmark.speed.test_everything import COMMANDS

CPU = torch.device("cpu")


def test_one_command_measures_writes_and_prints(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "EVALUATED", 200)
    ended = cli("layout", "--suite", "mnist", "--repeats", "2", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = read(tmp_path / FILE, Measurement)
    assert [row.what for row in found] == [
        "channels first to last, a step of mnist",
        "channels first to last, evaluation of mnist",
    ]
    assert [row.detail for row in found] == ["128 samples, float32", "200 samples, 128 at once against 200"]
    assert all(row.turns == 2 for row in found)
    assert all(row.what in ended.out for row in found)


def test_the_default_is_what_the_module_says() -> None:
    (option,) = [p for p in COMMANDS["layout"].params if p.name == "suite"]
    assert option.default == ",".join(layout.SUITES)


@pytest.mark.parametrize("name", ["digits", "noisy-auxiliaries", "folder"])
def test_suites_without_images_of_a_known_size_are_refused(name: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli("layout", "--suite", f"mnist,{name}", "--results-dir", tmp_path)
    assert (ended.status, ended.err) == (2, f"error: {name}: no suite of images whose size is known without them\n")
    assert not list(tmp_path.iterdir())


def test_the_two_runs_differ_in_nothing_but_their_layout() -> None:
    last, first = (run("cifar100-coarse", CPU, last=last) for last in (True, False))
    assert (last.evaluated, first.evaluated) == (128, 1000)
    for training, format in ((last, torch.channels_last), (first, torch.contiguous_format)):
        inputs = training._batch(training.data.train[:4]).inputs
        weights = [part for part in training.problem.model.parameters() if part.dim() == 4]
        assert weights
        assert all(part.is_contiguous(memory_format=format) for part in (inputs, *weights))
    for training in (last, first):
        training.advance(1)
    for ours, theirs in zip(last.problem.model.parameters(), first.problem.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
