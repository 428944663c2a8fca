import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmark.cache import Split
from benchmark.datasets.mnist import MNIST, read_idx
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded, sample_of

IMAGES = {"train": np.arange(3 * 28 * 28).reshape(3, 28, 28) % 251, "t10k": np.full((2, 28, 28), 7)}
LABELS = {"train": np.array([9, 0, 4]), "t10k": np.array([1, 1])}


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    """Return a file as its authors describe it: two zeros, type, axes, sizes as big-endian int32, values."""
    sizes = b"".join(int(size).to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, kind, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


def write(folder: Path, *, packed: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part in IMAGES:
        for name, values in ((f"{part}-images-idx3-ubyte", IMAGES[part]), (f"{part}-labels-idx1-ubyte", LABELS[part])):
            path = folder / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(idx(values)) if packed else idx(values))
    return folder


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("where", [".", "mnist", "MNIST/raw"])
def test_files_are_found_and_read(tmp_path: Path, where: str, packed: bool) -> None:
    folder = write(tmp_path / "data" / where, packed=packed)
    found = MNIST("mnist").locate(tmp_path / "data")
    assert found == MNIST("mnist").find(folder)
    arrays, names = decoded(MNIST("mnist"), folder, tmp_path / "cache")
    assert arrays["image"].shape == (5, 1, 28, 28)
    assert arrays["image"].dtype == np.uint8
    assert np.array_equal(arrays["image"][:3, 0], IMAGES["train"])
    assert np.array_equal(arrays["image"][3:, 0], IMAGES["t10k"])
    assert arrays["label"].tolist() == [9, 0, 4, 1, 1]
    assert arrays["split"].tolist() == [Split.TRAIN] * 3 + [Split.TEST] * 2
    assert names == {"label": tuple("0123456789")}


def test_torchvision_reads_the_sample_alike(tmp_path: Path) -> None:
    from torchvision.datasets import MNIST as Reference

    folder = sample_of(MNIST("mnist"), tmp_path / "MNIST" / "raw")
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    arrays, _ = decoded(MNIST("mnist"), folder, tmp_path / "cache")
    for train in (True, False):
        chosen = arrays["split"] == (Split.TRAIN if train else Split.TEST)
        reference = Reference(tmp_path, train=train)
        assert np.array_equal(arrays["image"][chosen, 0], reference.data.numpy())
        assert np.array_equal(arrays["label"][chosen], reference.targets.numpy())


def test_a_part_of_the_files_is_not_the_data_set(tmp_path: Path) -> None:
    folder = write(tmp_path, packed=False)
    for path in folder.iterdir():
        content = path.read_bytes()
        path.unlink()
        assert MNIST("mnist").find(folder) is None
        path.write_bytes(content)
    assert MNIST("mnist").find(folder)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("train-images-idx3-ubyte", idx(IMAGES["train"])[:-1], "truncated or foreign: 2,351 values instead of 2,352"),
        ("train-images-idx3-ubyte", idx(IMAGES["train"]) + b"1", "truncated or foreign: 2,353 values instead of 2,352"),
        ("train-images-idx3-ubyte", idx(LABELS["train"]), "not an IDX file of 28 x 28 images"),
        ("train-images-idx3-ubyte", idx(IMAGES["train"], kind=9), "not an IDX file of 28 x 28 images"),
        ("train-images-idx3-ubyte", idx(np.zeros((3, 28, 27))), "not an IDX file of 28 x 28 images"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03", "not an IDX file of 28 x 28 images"),
        ("t10k-images-idx3-ubyte", b"", "not an IDX file of 28 x 28 images"),
        ("t10k-labels-idx1-ubyte", b"<html>", "not an IDX file of labels"),
        ("t10k-labels-idx1-ubyte", idx(np.array([1, 1, 1])), "3 labels for 2 images"),
        ("t10k-labels-idx1-ubyte", idx(np.array([1, 10])), "a label of 10, where digits end with 9"),
        ("train-labels-idx1-ubyte", gzip.compress(idx(LABELS["train"]), mtime=0)[:-9], "broken or truncated"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    folder = write(tmp_path / "data", packed=False)
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=why) as error:
        decoded(MNIST("mnist"), folder, tmp_path / "cache")
    assert str(error.value).startswith(str(folder / name))


def test_sizes_are_read_as_big_endian(tmp_path: Path) -> None:
    labels = np.arange(300) % 10
    (tmp_path / "x").write_bytes(idx(labels))
    assert np.array_equal(read_idx(tmp_path / "x"), labels)
