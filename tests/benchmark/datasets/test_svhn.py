import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.cache import Split
from benchmark.datasets._matlab import read_mat, write_mat
from benchmark.datasets.svhn import SVHN
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded, sample_of

RNG = np.random.default_rng(0)
PIXELS = {
    "train_32x32.mat": RNG.integers(256, size=(32, 32, 3, 5), dtype=np.uint8),
    "test_32x32.mat": RNG.integers(256, size=(32, 32, 3, 1), dtype=np.uint8),
}
LABELS = {"train_32x32.mat": [10, 1, 9, 10, 5], "test_32x32.mat": [2]}


def mat(**variables: Any) -> bytes:
    file = io.BytesIO()
    savemat(file, variables, do_compression=True)
    return file.getvalue()


def part(name: str) -> bytes:
    return mat(X=PIXELS[name], y=np.array(LABELS[name], np.uint8)[:, None])


def write(folder: Path, **changes: bytes) -> Path:
    folder.mkdir(parents=True)
    for name in PIXELS:
        (folder / name).write_bytes(changes.get(name.removesuffix(".mat"), part(name)))
    return folder


@pytest.mark.parametrize("where", [".", "svhn", "SVHN"])
def test_files_are_found_and_read(tmp_path: Path, where: str) -> None:
    folder = write(tmp_path / "data" / where)
    (folder / "extra_32x32.mat").touch()
    assert SVHN("svhn").locate(tmp_path / "data") == {name: folder / name for name in PIXELS}
    arrays, names = decoded(SVHN("svhn"), folder, tmp_path / "cache")
    assert arrays["image"].dtype == np.uint8
    assert arrays["image"].shape == (6, 3, 32, 32)
    for row, (name, index) in enumerate([*(("train_32x32.mat", i) for i in range(5)), ("test_32x32.mat", 0)]):
        assert np.array_equal(arrays["image"][row].transpose(1, 2, 0), PIXELS[name][..., index])
    assert arrays["label"].tolist() == [0, 1, 9, 0, 5, 2], "the files call the zero 10"
    assert arrays["split"].tolist() == [Split.TRAIN] * 5 + [Split.TEST]
    assert names == {"label": tuple("0123456789")}


def test_torchvision_reads_the_sample_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import SVHN as Reference

    folder = sample_of(SVHN("svhn"), tmp_path / "data")
    arrays, _ = decoded(SVHN("svhn"), folder, tmp_path / "cache")
    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda *_: True)
    for split, part in ((Split.TRAIN, "train"), (Split.TEST, "test")):
        reference = Reference(folder, split=part)
        chosen = arrays["split"] == split
        assert np.array_equal(arrays["image"][chosen], reference.data)
        assert np.array_equal(arrays["label"][chosen], reference.labels)
        assert set(reference.labels.tolist()) == set(range(10))


def test_one_of_the_files_is_not_the_data_set(tmp_path: Path) -> None:
    for missing in PIXELS:
        folder = write(tmp_path / missing)
        (folder / missing).unlink()
        assert SVHN("svhn").find(folder) is None


X, Y = PIXELS["test_32x32.mat"], np.ones((1, 1), np.uint8)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a MATLAB file that can be read"),
        (b"<html>not found</html>", "not a MATLAB file that can be read"),
        (b"\x89HDF\r\n\x1a\n".ljust(200), "not a MATLAB file that can be read"),
        (part("train_32x32.mat")[:-200], "not a MATLAB file that can be read"),
        (part("train_32x32.mat")[:5000], "not a MATLAB file that can be read"),
        (mat(y=Y), "it holds no `X`"),
        (mat(X=X), "it holds no `y`"),
        (mat(X=X.astype(float), y=Y), "its `X` are not 32 x 32 x 3 bytes a sample"),
        (mat(X=X[..., 0], y=Y), "its `X` are not 32 x 32 x 3 bytes a sample"),
        (mat(X=X.transpose(3, 0, 1, 2), y=Y), "its `X` are not 32 x 32 x 3 bytes a sample"),
        (mat(X=X, y=np.ones((2, 1))), "its `y` are not one label for each of 1 samples"),
        (mat(X=X, y=np.ones((1, 2))), "its `y` are not one label for each of 1 samples"),
        (mat(X=X, y=Y * 0), "its `y` are not numbers from 1 to 10"),
        (mat(X=X, y=Y * 11), "its `y` are not numbers from 1 to 10"),
        (mat(X=X, y=Y * 1.5), "its `y` are not numbers from 1 to 10"),
        (mat(X=X, y=np.array([["1"]])), "its `y` are not numbers from 1 to 10"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    folder = write(tmp_path / "data", test_32x32=content)
    with pytest.raises(UserError, match=why) as error:
        decoded(SVHN("svhn"), folder, tmp_path / "cache")
    assert str(error.value).startswith(f"{folder / 'test_32x32.mat'}: ")
    assert "\n" not in str(error.value)


def test_what_is_written_is_read_and_does_not_depend_on_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(12).reshape(3, 4)
    write_mat(tmp_path / "first", values=values)
    monkeypatch.setattr("time.asctime", lambda *_: "Thu Jan  1 00:00:00 1970")
    write_mat(tmp_path / "second", values=values)
    content = (tmp_path / "first").read_bytes()
    assert content == (tmp_path / "second").read_bytes()
    assert np.array_equal(read_mat(content, "x", "values")[0], values)
