"""Readers of MTAN's releases against files made by hand: every map, every order, every kind of damage."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmark import datasets
from benchmark.cache import Split
from benchmark.datasets import _npy, cityscapes, nyuv2
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded
from tests.benchmark.datasets.photographs import pack

SIZE = (32, 64)
TRAIN, TEST = 11, 2
"""More than ten: as text, `10` comes before `2`."""
BOTH = pytest.mark.parametrize("name", ["nyuv2", "cityscapes"])
FOLDERS = {
    "nyuv2": {"image": "image", "label": "label", "depth": "depth", "normal": "normal"},
    "cityscapes": {
        "image": "image",
        "label_19": "label_19",
        "label_7": "label_7",
        "label_2": "label_2",
        "disparity": "depth",
    },
}
CLASSES = {"label": 13, "label_19": 19, "label_7": 7, "label_2": 2}


def values(array: str, number: int) -> np.ndarray:
    """Return the values of a map, as the release has them: float64 and float32, the channels last."""
    draw = np.random.default_rng(number)
    if array in CLASSES:
        return draw.integers(-1, CLASSES[array], SIZE).astype(np.float64)
    if array == "normal":
        vectors = draw.normal(size=(*SIZE, 3))
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        return np.where(draw.random((*SIZE, 1)) < 0.2, 0, vectors).astype(np.float32)
    channels = 3 if array == "image" else 1
    found = draw.random((*SIZE, channels))
    return found if array == "image" else np.where(found < 0.3, 0, 0.45 * found)


def write(name: str, folder: Path, *, train: int = TRAIN, test: int = TEST) -> Path:
    """Write the official folders, with what a Mac leaves among the files."""
    for part, numbers in (("train", range(train)), ("val", range(1000, 1000 + test))):
        for array, below in FOLDERS[name].items():
            place = folder / part / below
            place.mkdir(parents=True)
            (place / "._0.npy").write_bytes(b"\0\5\x16\7")
            for index, number in enumerate(numbers):
                np.save(place / f"{index}.npy", values(array, number))
    return folder


def check(name: str, arrays: Mapping[str, np.ndarray], names: Mapping[str, tuple[str, ...]]) -> None:
    numbers = [*range(TRAIN), *range(1000, 1000 + TEST)]
    assert set(arrays) == {*FOLDERS[name], "split"}
    assert arrays["split"].tolist() == [Split.TRAIN] * TRAIN + [Split.TEST] * TEST
    for array in FOLDERS[name]:
        expected = np.stack([values(array, number) for number in numbers])
        found = arrays[array]
        if array in CLASSES:
            assert found.dtype == np.int8
            assert np.array_equal(found, expected[:, None])
            assert len(names[array]) == CLASSES[array]
        elif array == "image":
            assert found.dtype == np.uint8
            assert np.abs(found / 255 - expected.transpose(0, 3, 1, 2)).max() <= 0.5 / 255 + 1e-9
        else:
            assert found.dtype == np.float32
            assert np.array_equal(found, expected.transpose(0, 3, 1, 2).astype(np.float32))


@BOTH
@pytest.mark.parametrize("where", [".", "own", "own/own"])
def test_folders_are_read_by_number(name: str, where: str, tmp_path: Path) -> None:
    folder = write(name, tmp_path / "data" / where.replace("own", name))
    given = datasets.load(name)
    assert given.locate(tmp_path / "data") == {"release": folder}
    check(name, *decoded(given, folder, tmp_path / "cache"))


@BOTH
@pytest.mark.parametrize(("kind", "top"), [(".zip", ""), (".tar.gz", "some more/")])
def test_archives_are_read_in_place(name: str, kind: str, top: str, tmp_path: Path) -> None:
    folder = write(name, tmp_path / "unpacked")
    path = tmp_path / "data" / f"{name}{kind}"
    path.parent.mkdir()
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*.npy"), reverse=True):
                archive.write(file, f"{top}{file.relative_to(folder)}")
    else:
        pack(folder, path, prefix=top)
    given = datasets.load(name)
    assert given.locate(tmp_path / "data") == {"release": path}
    check(name, *decoded(given, tmp_path / "data", tmp_path / "cache"))


def test_each_takes_its_own_folders_alone(tmp_path: Path) -> None:
    for name in FOLDERS:
        write(name, tmp_path / name / "data")
        (tmp_path / name / "data" / "cityscapes" / "leftImg8bit").mkdir(parents=True)
    for name in FOLDERS:
        for other in FOLDERS:
            found = datasets.load(other).find(tmp_path / name / "data")
            assert found == ({"release": tmp_path / name / "data"} if name == other else None)


def refused(name: str, folder: Path, cache: Path) -> str:
    with pytest.raises(UserError) as error:
        decoded(datasets.load(name), folder, cache)
    assert "\n" not in str(error.value)
    return str(error.value)


def changed(array: str, change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.save(file, change(values(array, 3)), allow_pickle=True)
    return file.getvalue()


def put(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(given: np.ndarray) -> np.ndarray:
        given[3, 5] = value
        return given

    return change


def header(end: bytes) -> bytes:
    """Return a file whose header ends differently."""
    content, old = changed("label", np.copy), b"(32, 64), }"
    return content.replace(old + b" " * (len(end) - len(old)), end + b" " * (len(old) - len(end)))


def archive_of_arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, values("label", 3))
    return file.getvalue()


DAMAGE = {
    "empty": ("label", b"", "not an array that can be read"),
    "text": ("label", b"<html>not found</html>", "not an array that can be read"),
    "cut header": ("label", changed("label", np.copy)[:40], "not an array that can be read"),
    "cut": ("normal", changed("normal", np.copy)[:-7], "not an array that can be read"),
    "cut before values": ("depth", changed("depth", np.copy)[:128], "not an array that can be read"),
    "longer": ("depth", changed("depth", np.copy) + b"\0", "more than an array"),
    "huge": ("label", header(b"(99999999, 9999999), }"), "not an array that can be read"),
    "broken header": ("label", header(b"(32, 64, }"), "not an array that can be read"),
    "unclosed header": ("label", header(b"((((32, 64"), "not an array that can be read"),
    "objects": ("label", changed("label", lambda given: given.astype(object)), "not an array that can be read"),
    "several": ("label", archive_of_arrays(), "not an array of numbers"),
    "complex": ("depth", changed("depth", lambda given: given + 1j), "not an array of numbers"),
    "words": ("label", changed("label", lambda given: given.astype(str)), "not an array of numbers"),
    "flat": ("label", changed("label", np.ravel), "an array of no image"),
    "turned": ("label", changed("label", np.transpose), r"an array of shape (64, 32), not (32, 64)"),
    "channels first": ("normal", changed("normal", lambda given: given.transpose(2, 0, 1)), "not (32, 64, 3)"),
    "without channel": ("depth", changed("depth", lambda given: given[..., 0]), "not (32, 64, 1)"),
    "grey": ("image", changed("image", lambda given: given[..., :1]), "not (32, 64, 3)"),
    "nan": ("depth", changed("depth", put(np.nan)), "not finite"),
    "infinite": ("normal", changed("normal", put(np.inf)), "not finite"),
    "of 8 bits": ("image", changed("image", lambda given: 255 * given), "which go from -0.1 to 1.1"),
    "unknown class": ("label", changed("label", put(13)), "values from -1 to 13, which go from -1 to 12"),
    "void as 255": ("label", changed("label", put(255)), "which go from -1 to 12"),
    "below": ("label", changed("label", put(-2)), "which go from -1 to 12"),
    "between classes": ("label", changed("label", put(1.5)), "labels that are no whole numbers"),
    "millimetres": ("depth", changed("depth", put(2300)), "which go from 0 to 100"),
    "negative depth": ("depth", changed("depth", put(-0.1)), "which go from 0 to 100"),
    "long normal": ("normal", changed("normal", put(2)), "which go from -1.1 to 1.1"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_foreign_file_gets_one_line_that_names_it(damage: str, tmp_path: Path) -> None:
    array, content, why = DAMAGE[damage]
    folder = write("nyuv2", tmp_path / "data", train=4, test=1)
    (folder / "train" / array / "3.npy").write_bytes(content)
    line = refused("nyuv2", folder, tmp_path / "cache")
    assert line.startswith(str(folder / "train" / array / "3.npy"))
    assert why in line


@BOTH
@pytest.mark.parametrize("missing", ["train/depth/2.npy", "val/image/0.npy", "train/image/3.npy", "val/depth"])
def test_a_missing_file_is_named(name: str, missing: str, tmp_path: Path) -> None:
    folder = write(name, tmp_path / "data", train=4, test=1)
    gone = [folder / missing] if missing.endswith("npy") else list((folder / missing).iterdir())
    for path in gone:
        path.unlink()
    first = missing if missing.endswith("npy") else f"{missing}/0.npy"
    assert refused(name, folder, tmp_path / "cache").startswith(f"{folder / first}: it is missing")


def test_other_sizes_than_those_of_the_network_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.benchmark.datasets.test_npy.SIZE", (32, 48))
    folder = write("nyuv2", tmp_path / "data", train=2, test=1)
    line = refused("nyuv2", folder, tmp_path / "cache")
    assert "0.npy: 32 x 48 pixels, whose sides are no multiples of 32" in line


@pytest.mark.parametrize(
    ("official", "whole"),
    [((3, 1, SIZE), True), ((2, 1, SIZE), False), ((3, 2, SIZE), False), ((3, 1, (64, 64)), False)],
)
def test_official_numbers_and_sizes_go_together(
    official: tuple[int, int, tuple[int, int]], whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer scenes of the official size are a part of the release, other sizes in its number another one."""
    monkeypatch.setattr(nyuv2, "OFFICIAL", _npy.Official(*official))
    folder = write("nyuv2", tmp_path / "data", train=3, test=1)
    if whole:
        decoded(datasets.load("nyuv2"), folder, tmp_path / "cache")
    else:
        line = refused("nyuv2", folder, tmp_path / "cache")
        assert "train and val have 3 and 1 scenes of 32 x 64 pixels, not the" in line


def test_the_official_numbers() -> None:
    assert nyuv2.OFFICIAL == (795, 654, (288, 384))
    assert cityscapes.OFFICIAL == (2975, 500, (128, 256))


def test_what_interpolation_leaves_beyond_the_range_is_clipped() -> None:
    image = np.array([-0.05, 0.0, 0.25, 1.0, 1.05, 0.5]).reshape(1, 2, 3)
    file = io.BytesIO()
    np.save(file, image)
    found = _npy.read_map(file.getvalue(), "here", _npy.IMAGE, (1, 2))
    assert found.ravel().tolist() == [0, 255, 0, 255, 64, 128]
    assert found.shape == (3, 1, 2)
