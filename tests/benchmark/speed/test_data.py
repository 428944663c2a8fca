"""The speed of inputs: both ways give the same inputs in distribution; no time is asserted."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark.images import Images
from benchmark.speed import data, pipelines, rows
from benchmark.speed.data import FILE, Speed
from tests.benchmark.made_up import WHERE
from tests.benchmark.speed.conftest import Cli


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BATCH": 4, "CROP": 14, "SIDE": 16, "HEIGHT": 20, "WIDTH": 30}.items():
        monkeypatch.setattr(pipelines, name, value)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "originals"
    folder.mkdir()
    return pipelines.draw_originals(folder, 6)


def place(found: Tensor, whole: Tensor) -> list[tuple[int, int, bool]]:
    """Return where and how `found` (3, 14, 14) was cut from `whole` (3, 16, 16)."""
    return [
        (top, left, mirrored)
        for top in range(3)
        for left in range(3)
        for mirrored in (False, True)
        if torch.allclose(found.flip(-1) if mirrored else found, whole[:, top : top + 14, left : left + 14], atol=1e-5)
    ]


def test_both_ways_give_the_same_crops_of_the_same_pixels(paths: list[Path], tmp_path: Path) -> None:
    stored = pipelines.decoded(paths, tmp_path / "decoded").tensors["image"]
    draws = torch.Generator().manual_seed(0)
    whole = Images(pipelines.MEAN, pipelines.STD, draws).evaluation(stored, torch.arange(6))
    reader = Images(pipelines.MEAN, pipelines.STD, draws, crop=14, flip=True)
    originals = pipelines.Originals(paths)
    ours, theirs = set(), set()
    for number in range(6):
        for _ in range(60):
            (mine,) = place(reader.training(stored, torch.tensor([number]))[0], whole[number])
            (other,) = place(originals[number], whole[number])
            ours.add(mine)
            theirs.add(other)
    assert len(ours) == 3 * 3 * 2
    assert ours == theirs


def test_both_ways_read_the_same_number_of_images(paths: list[Path], tmp_path: Path) -> None:
    prepared = pipelines.decoded(paths, tmp_path / "decoded")
    device = torch.device("cpu")
    assert pipelines.whole_batches(prepared, device)() == 4
    assert pipelines.one_by_one(paths, device, workers=0)() == 4


def test_one_command_measures_writes_and_prints(cli: Cli, tmp_path: Path) -> None:
    words = ("data", "--images", "5", "--repeats", "2", "--workers", "0", "--results-dir", tmp_path)
    assert cli(*words).status == 0
    ended = cli(*words)  # in place of the first measurement
    assert ended.status == 0, ended.err
    (found,) = rows.read(tmp_path / FILE, Speed)
    assert (found.images, found.workers, found.turns) == (5, 0, 2)
    for value in (found.ours, found.loader, found.ratio, found.decoding, found.kilobytes):
        assert value is not None
        assert value > 0
    assert found.date > "2026"
    for text in (f"{found.ours:.0f}", f"{found.decoding:.0f}", str(tmp_path / FILE), "has paid off"):
        assert text in ended.out


def test_decoding_pays_after_as_many_epochs_as_it_takes_and_perhaps_never() -> None:
    speed = Speed(9, 2, 500.0, 100.0, 5.0, 4.0, 6.0, 50.0, 2.5, 98.0, 3, **WHERE)
    assert "after 2.5 epochs" in data.caption(speed)
    assert "never pays off" in data.caption(replace(speed, epochs_to_pay=None))
