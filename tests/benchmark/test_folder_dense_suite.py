"""The suite of the user's own dense data: sets, what data lack, the same unit of depth whatever the files have."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import suites
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.suites.folder_dense import FolderDense
from tests.benchmark.conftest import Cli
from tests.benchmark.datasets.own import array_file, lay_out, picture

SIDE = 32
LABELS = array_file(np.indices((SIDE, SIDE)).sum(0) % 3)


def scenes(folder: Path, labelled: int, unlabelled: int = 0, *, unit: float = 1.0, depth: bool = True) -> Path:
    """Write images, the grey value of each its number, labels of some, and a depth that grows with the number."""
    files = {}
    for number in range(labelled + unlabelled):
        files[f"images/{number:02}.png"] = picture(number, (SIDE, SIDE))
        if number < labelled:
            files[f"labels/{number:02}.npy"] = LABELS
        if depth:
            files[f"depth/{number:02}.npy"] = array_file(np.full((SIDE, SIDE), unit * (number + 1)))
    return lay_out(folder, files)


def suite(data_dir: Path) -> FolderDense:
    found = suites.load("folder-dense", Places(data_dir, data_dir.parent / "cache"))
    assert isinstance(found, FolderDense)
    return found


def test_sets_are_cut_from_labelled_scenes_and_others_are_trained_on(tmp_path: Path) -> None:
    data = suite(scenes(tmp_path / "data", 20, 3)).data("dense", 1)
    sizes = [len(part) for part in (data.test, data.validation, data.auxiliary, data.train)]
    assert sizes == [4, 4, 1, 11 + 3]
    assert {20, 21, 22} <= set(data.train.tolist())
    assert sorted(torch.cat([data.test, data.validation, data.auxiliary, data.train]).tolist()) == list(range(23))


def test_given_sets_stay(tmp_path: Path) -> None:
    scenes(tmp_path / "data" / "train", 10)
    scenes(tmp_path / "data" / "test", 2)
    data = suite(tmp_path / "data").data("dense", 1)
    assert data.test.tolist() == [10, 11]
    assert [len(part) for part in (data.validation, data.auxiliary, data.train)] == [2, 1, 7]


def test_the_unit_of_depth_does_not_matter(tmp_path: Path) -> None:
    metres, millimetres = (
        suite(scenes(tmp_path / str(unit), 10, unit=unit)).data("dense", 1).samples.targets[1] for unit in (1.0, 1000.0)
    )
    assert torch.allclose(metres, millimetres)
    data = suite(tmp_path / "1.0").data("dense", 1)
    assert float(metres[torch.cat([data.train, data.auxiliary])].mean()) == pytest.approx(1)


def test_too_few_scenes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are 9 training images with labels; 10 are needed"):
        suite(scenes(tmp_path / "data", 9, 5)).data("dense", 1)


def test_an_image_that_judges_must_have_a_label(tmp_path: Path) -> None:
    scenes(tmp_path / "data" / "train", 10)
    scenes(tmp_path / "data" / "test", 1)
    lay_out(tmp_path / "data" / "test" / "labels", {"00.npy": array_file(np.full((SIDE, SIDE), -1))})
    with pytest.raises(UserError, match="an image of the test set has no labelled pixel"):
        suite(tmp_path / "data").data("dense", 1)


def test_without_depth_and_normals_there_is_nothing_to_help(cli: Cli, tmp_path: Path) -> None:
    data = scenes(tmp_path / "data", 10, depth=False)
    refused = cli("--suite", "folder-dense", "--data-dir", data, "--wandb", "disabled", "--workers", "0")
    assert refused.status == 2
    assert refused.err.splitlines()[-1].startswith(
        "error: no setting of suite 'folder-dense' can be served: 'dense' needs"
    )
