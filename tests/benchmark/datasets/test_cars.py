import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.cache import Split
from benchmark.datasets import cars
from benchmark.datasets.cars import Cars
from benchmark.download import download
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded, sample_of
from tests.benchmark.datasets.photographs import pack, photograph, stretched

MODELS = ["AM General Hummer SUV 2000", "Ram C/V Cargo Van Minivan 2012", "smart fortwo Convertible 2012"]
TRAIN = {"00001.jpg": 3, "00002.jpg": 1, "00003.jpg": 1}
TEST = {"00001.jpg": 2, "00002.jpg": 3}
PICTURES = {
    **{("cars_train", name): photograph(row, mode="L" if row == 1 else "RGB") for row, name in enumerate(TRAIN)},
    **{("cars_test", name): photograph(9 + row) for row, name in enumerate(TEST)},
}
TEST_LABELS = "cars_test_annos_withlabels.mat"


def mat(**variables: Any) -> bytes:
    file = io.BytesIO()
    savemat(file, variables)
    return file.getvalue()


def annotations(rows: dict[str, Any], *fields: str) -> bytes:
    """Return a struct array as the authors have it; a field of numbers is of the smallest type that holds them."""
    kept = fields or ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
    table = np.empty((1, len(rows)), [(field, object) for field in kept])
    for column, (name, label) in enumerate(rows.items()):
        values = {"class": np.uint8(label) if isinstance(label, int) else label, "fname": name}
        table[0, column] = tuple(values.get(field, np.uint16(300)) for field in kept)
    return mat(annotations=table)


def write(folder: Path, changes: Mapping[str, bytes] = {}, *, beside: bool = True, nested: bool = False) -> Path:
    (folder / "devkit").mkdir(parents=True)
    files = {
        "devkit/cars_meta.mat": mat(class_names=np.array(MODELS, object)),
        "devkit/cars_train_annos.mat": annotations(TRAIN),
        "devkit/cars_test_annos.mat": annotations(TEST, "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "fname"),
        TEST_LABELS if beside else f"devkit/{TEST_LABELS}": annotations(TEST),
    }
    for path, content in files.items():
        (folder / path).write_bytes(changes.get(path, content))
    for (part, name), content in PICTURES.items():
        path = folder / part / (part if nested else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def check(arrays: dict[str, np.ndarray], names: dict[str, tuple[str, ...]]) -> None:
    assert np.array_equal(arrays["image"], [stretched(content) for content in PICTURES.values()])
    assert arrays["label"].tolist() == [2, 0, 0, 1, 2]
    assert arrays["split"].tolist() == [Split.TRAIN] * 3 + [Split.TEST] * 2
    assert names == {"label": tuple(MODELS)}
    assert set(arrays) == {"image", "label", "split"}


@pytest.mark.parametrize("where", [".", "cars", "stanford_cars"])
@pytest.mark.parametrize("beside", [True, False])
def test_folders_are_read_in_the_order_of_the_annotations(tmp_path: Path, where: str, beside: bool) -> None:
    folder = write(tmp_path / "data" / where, beside=beside, nested=not beside)
    found = Cars("cars").locate(tmp_path / "data")
    assert found
    assert found[TEST_LABELS] == folder / ("" if beside else "devkit") / TEST_LABELS
    check(*decoded(Cars("cars"), folder, tmp_path / "cache"))


def test_archives_are_read_in_place(tmp_path: Path) -> None:
    folder = write(tmp_path / "unpacked")
    (tmp_path / "data").mkdir()
    for part, name in (("cars_train", "cars_train"), ("cars_test", "cars_test"), ("devkit", "car_devkit")):
        pack(folder / part, tmp_path / "data" / f"{name}.tgz", prefix=f"{part}/")
    assert Cars("cars").find(tmp_path / "data") is None, "the labels of the test set are a file of their own"
    (folder / TEST_LABELS).rename(tmp_path / "data" / TEST_LABELS)
    check(*decoded(Cars("cars"), tmp_path / "data", tmp_path / "cache"))


@pytest.mark.parametrize("missing", ["cars_train", "cars_test", "devkit", TEST_LABELS])
def test_a_part_of_the_files_is_not_the_data_set(tmp_path: Path, missing: str) -> None:
    folder = write(tmp_path / "data")
    (folder / missing).rename(tmp_path / "elsewhere")
    assert Cars("cars").find(folder) is None


def test_torchvision_reads_the_sample_alike(tmp_path: Path) -> None:
    from torchvision.datasets import StanfordCars

    arrays, names = decoded(Cars("cars"), sample_of(Cars("cars"), tmp_path / "stanford_cars"), tmp_path / "cache")
    for split, part in ((Split.TRAIN, "train"), (Split.TEST, "test")):
        reference = StanfordCars(tmp_path, split=part)
        chosen = np.flatnonzero(arrays["split"] == split)
        assert arrays["label"][chosen].tolist() == [label for _, label in reference._samples]
        assert list(names["label"]) == reference.classes
        for index in (0, 7, len(chosen) - 1):
            picture = stretched(Path(reference._samples[index][0]).read_bytes())
            assert np.array_equal(arrays["image"][chosen[index]], picture)


EMPTY = np.empty((1, 0), [("fname", object), ("class", object)])
PAIR = np.array([1, 2])


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("devkit/cars_meta.mat", b"", "not a MATLAB file that can be read"),
        ("devkit/cars_meta.mat", mat(classes=1), "it holds no `class_names`"),
        ("devkit/cars_meta.mat", mat(class_names=np.array([1, 2, 3])), "not the names of classes"),
        ("devkit/cars_meta.mat", mat(class_names=np.array([*MODELS, ""], object)), "not the names of classes"),
        ("devkit/cars_meta.mat", mat(class_names=np.array(["a", "a"], object)), "not the names of classes"),
        ("devkit/cars_train_annos.mat", annotations(TRAIN)[:-90], "not a MATLAB file that can be read"),
        ("devkit/cars_train_annos.mat", mat(annotations=np.ones(3)), "have no field `fname`"),
        ("devkit/cars_train_annos.mat", mat(annotations=EMPTY), "not of classes from 1 to 3"),
        ("devkit/cars_train_annos.mat", annotations({"1.jpg": 0}), "not of classes from 1 to 3"),
        ("devkit/cars_train_annos.mat", annotations({"1.jpg": 4}), "not of classes from 1 to 3"),
        ("devkit/cars_train_annos.mat", annotations({"1.jpg": "one"}), "not of classes from 1 to 3"),
        ("devkit/cars_train_annos.mat", annotations({"1.jpg": PAIR}), "not one file name and one class"),
        ("devkit/cars_train_annos.mat", annotations({"": 1}), "not one file name and one class"),
        (TEST_LABELS, annotations(TEST, "bbox_x1", "fname"), "its `annotations` have no field `class`"),
        (TEST_LABELS, b"<html>", "not a MATLAB file that can be read"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, file: str, content: bytes, why: str) -> None:
    folder = write(tmp_path / "data", {file: content})
    with pytest.raises(UserError, match=why) as error:
        decoded(Cars("cars"), folder, tmp_path / "cache")
    assert str(error.value).startswith(f"{folder / file}: ")
    assert "\n" not in str(error.value)


def test_a_picture_listed_twice_is_named(tmp_path: Path) -> None:
    table = np.array([[("1.jpg", 1), ("2.jpg", 1), ("1.jpg", 2)]], [("fname", object), ("class", object)])
    folder = write(tmp_path / "data", {"devkit/cars_train_annos.mat": mat(annotations=table)})
    with pytest.raises(UserError, match=r"cars_train_annos.mat: it lists 1.jpg twice"):
        decoded(Cars("cars"), folder, tmp_path / "cache")


def test_missing_and_broken_pictures_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    (folder / "cars_test" / "00002.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"cars_test/00002.jpg: not a picture that can be read"):
        decoded(Cars("cars"), folder, tmp_path / "cache")
    (folder / "cars_test" / "00002.jpg").unlink()
    with pytest.raises(UserError, match=r"cars_test: 00002.jpg is missing in it"):
        decoded(Cars("cars"), folder, tmp_path / "cache")


def test_a_release_with_all_models_must_be_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data")
    monkeypatch.setattr(cars, "CLASSES", 3)
    with pytest.raises(UserError, match="3 train and 2 test samples instead of 8,144 train and 8,041 test"):
        decoded(Cars("cars"), folder, tmp_path / "cache")
    monkeypatch.setattr(cars, "SIZES", {Split.TRAIN: 3, Split.TEST: 2})
    check(*decoded(Cars("cars"), folder, tmp_path / "cache"))


def test_without_a_network_the_line_says_which_files_to_place_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cars, "sources", tuple(type(source)(source.name) for source in Cars.sources))
    with pytest.raises(UserError) as error:
        download(Cars("cars"), tmp_path / "cars", say=lambda line: None, pause_sec=0)
    for wanted in ("car_devkit.tgz", TEST_LABELS, "cars_train.tgz", "cars_test.tgz", str(tmp_path / "cars")):
        assert wanted in str(error.value)
