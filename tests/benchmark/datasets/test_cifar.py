import io
import pickle
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark import datasets
from benchmark.cache import Split
from benchmark.datasets._cifar import Cifar
from benchmark.datasets._images import png
from benchmark.datasets.cifar100 import CLASSES, COARSE, COARSE_OF
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import Decoded, decoded, sample_of
from tests.benchmark.datasets.python2 import python2_pickle

BOTH = pytest.mark.parametrize("name", ["cifar10", "cifar100"])
EACH = 2
"""Samples of a class in each file."""


def cifar(name: str) -> Cifar:
    found = datasets.load(name)
    assert isinstance(found, Cifar)
    return found


def batch(given: Cifar, seed: int) -> dict[bytes, Any]:
    """Return what an official file holds, with noise for pixels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(given.classes)), EACH))
    held: dict[bytes, Any] = {
        b"batch_label": b"a batch",
        given.label_key.encode(): labels.tolist(),
        b"data": rng.integers(256, size=(len(labels), 3072), dtype=np.uint8),
        b"filenames": [f"{index}.png".encode() for index in range(len(labels))],
    }
    return {**held, b"coarse_labels": COARSE_OF[labels].tolist()} if given.name == "cifar100" else held


def write(given: Cifar, folder: Path, **changes: bytes) -> dict[str, dict[bytes, Any]]:
    """Write the official folder as Python 2 did, files given replaced, and return what the files hold."""
    held = {name: batch(given, seed) for seed, name in enumerate(given.batches)}
    (folder / given.release).mkdir(parents=True)
    for name, content in held.items():
        (folder / given.release / name).write_bytes(changes.get(name, python2_pickle(content)))
    (folder / given.release / "readme.html").write_text("read me")
    return held


def pack(folder: Path, path: Path, *, backwards: bool = False) -> Path:
    """Pack a folder's content with its name as first part."""
    with tarfile.open(path, "w:gz") as archive:
        for file in sorted(folder.rglob("*"), reverse=backwards):
            if file.is_file():
                archive.add(file, f"{folder.name}/{file.relative_to(folder)}")
    return path


def same(first: Decoded, second: Decoded) -> bool:
    return first[1] == second[1] and all(np.array_equal(first[0][key], second[0][key]) for key in first[0])


@BOTH
def test_official_files_are_read_in_their_order(name: str, tmp_path: Path) -> None:
    given = cifar(name)
    held = write(given, tmp_path / "data")
    arrays, names = decoded(given, tmp_path / "data", tmp_path / "cache")
    expected = np.concatenate([content[b"data"] for content in held.values()]).reshape(-1, 3, 32, 32)
    labels = [label for content in held.values() for label in content[given.label_key.encode()]]
    assert np.array_equal(arrays["image"], expected)
    assert arrays["label"].tolist() == labels
    assert arrays["split"].tolist() == np.repeat(list(given.batches.values()), len(given.classes) * EACH).tolist()
    assert names["label"] == tuple(given.classes)
    assert set(arrays) == {"image", "label", "split"} | ({"coarse"} if name == "cifar100" else set())


@BOTH
def test_the_official_archive_is_read_in_place_whatever_its_order(name: str, tmp_path: Path) -> None:
    given = cifar(name)
    write(given, tmp_path / "folder")
    expected = decoded(given, tmp_path / "folder", tmp_path / "first")
    for backwards in (False, True):
        place = tmp_path / str(backwards)
        place.mkdir()
        pack(tmp_path / "folder" / given.release, place / given.sources[0].name, backwards=backwards)
        before = sorted(tmp_path.rglob("*"))
        assert same(decoded(given, place, tmp_path / f"cache{backwards}"), expected)
        assert set(place.rglob("*")) == {path for path in before if path.is_relative_to(place)} - {place}


@BOTH
def test_torchvision_reads_the_sample_alike(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import CIFAR10, CIFAR100

    given = cifar(name)
    arrays, _ = decoded(given, sample_of(given, tmp_path / "data"), tmp_path / "cache")
    meta = {"label_names": list(given.classes), "fine_label_names": list(given.classes)}
    for file in ("batches.meta", "meta"):
        (tmp_path / "data" / given.release / file).write_bytes(pickle.dumps(meta))
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    for train in (True, False):
        reference = (CIFAR10 if name == "cifar10" else CIFAR100)(tmp_path / "data", train=train)
        chosen = arrays["split"] == (Split.TRAIN if train else Split.TEST)
        assert np.array_equal(arrays["image"][chosen].transpose(0, 2, 3, 1), reference.data)
        assert arrays["label"][chosen].tolist() == reference.targets
        assert tuple(reference.classes) == tuple(given.classes)


def pictures(given: Cifar, folder: Path) -> dict[tuple[int, str, str], np.ndarray]:
    """Write pictures in folders by class, and return them by split, class and name."""
    rng = np.random.default_rng(0)
    held = {}
    for split, part in ((Split.TRAIN, "train"), (Split.TEST, "test")):
        for label in reversed(given.classes):
            for number in rng.permutation(3 - split):
                pixels = rng.integers(256, size=(3, 32, 32), dtype=np.uint8)
                path = folder / part / label / f"{label[0]}_{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png(pixels))
                held[split, label, path.name] = pixels
    (folder / "train" / "about.txt").write_text("not a picture")
    return held


@BOTH
def test_folders_by_class_are_read_sorted_and_packed_ones_alike(name: str, tmp_path: Path) -> None:
    given = cifar(name)
    held = pictures(given, tmp_path / "data" / name)
    found = given.locate(tmp_path / "data")
    assert found == {part: tmp_path / "data" / name / part for part in ("train", "test")}
    arrays, _ = expected = decoded(given, tmp_path / "data" / name, tmp_path / "first")
    assert np.array_equal(arrays["image"], [held[key] for key in sorted(held)])
    assert [given.classes[label] for label in arrays["label"]] == [label for _, label, _ in sorted(held)]
    assert arrays["split"].tolist() == [split for split, _, _ in sorted(held)]
    packed = tmp_path / "packed"
    packed.mkdir()
    for part in ("train", "test"):
        pack(tmp_path / "data" / name / part, packed / f"{name}-{part}.tar.gz", backwards=True)
    assert same(decoded(given, packed, tmp_path / "second"), expected)


def test_one_folder_holds_the_archives_of_both(tmp_path: Path) -> None:
    for name in ("cifar10", "cifar100"):
        for part in ("train", "test"):
            (tmp_path / f"{name}-{part}.tar.xz").touch()
    for name in ("cifar10", "cifar100"):
        found = cifar(name).locate(tmp_path)
        assert found == {part: tmp_path / f"{name}-{part}.tar.xz" for part in ("train", "test")}


@BOTH
def test_folders_of_somebody_else_are_not_taken(name: str, tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
    assert cifar(name).locate(tmp_path) is None
    (tmp_path / f"{name}-train").mkdir()
    assert cifar(name).locate(tmp_path) is None, "its test pictures are missing"


@BOTH
def test_official_files_go_before_pictures(name: str, tmp_path: Path) -> None:
    given = cifar(name)
    for folder in (f"{name}-train", f"{name}-test", given.release):
        (tmp_path / folder).mkdir()
    (tmp_path / given.sources[0].name).touch()
    assert given.locate(tmp_path) == {"official": tmp_path / given.release}


def test_pictures_that_do_not_fit_are_named(tmp_path: Path) -> None:
    given = cifar("cifar10")
    for number, (file, content, why) in enumerate(
        [
            ("train/cow/1.png", png(np.zeros((3, 32, 32), np.uint8)), "'cow' is not a class of CIFAR-10"),
            ("test/cat/1.png", png(np.zeros((3, 31, 32), np.uint8)), "a picture of 32 x 31 pixels, not of 32 x 32"),
            ("test/cat/2.png", png(np.zeros((3, 32, 32), np.uint8))[:-30], "not a picture that can be read"),
            ("train/cat/3.jpg", b"", "not a picture that can be read"),
        ]
    ):
        folder = tmp_path / str(number) / "cifar10"
        pictures(given, folder)
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
        with pytest.raises(UserError, match=why) as error:
            decoded(given, folder, tmp_path / f"cache{number}")
        assert str(error.value).startswith(f"{folder / file}: ")


def test_folders_without_pictures_are_named(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / f"cifar10-{part}").mkdir()
        (tmp_path / f"cifar10-{part}" / "top.png").touch()
    with pytest.raises(UserError, match=r"cifar10-train: no pictures in folders by class"):
        decoded(cifar("cifar10"), tmp_path, tmp_path / "cache")


def changed(given: Cifar, **changes: Any) -> bytes:
    held = {key.decode(): value for key, value in batch(given, 0).items()}
    return pickle.dumps({key: value for key, value in {**held, **changes}.items() if value is not None})


DATA = np.zeros((20, 3072), np.uint8)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": None}, "its `data` are not a row"),
        ({"data": DATA[:, :-1]}, "its `data` are not a row"),
        ({"data": DATA.astype(np.int64)}, "its `data` are not a row"),
        ({"data": DATA[:-1]}, "its `data` are not a row"),
        ({"data": DATA.reshape(-1)}, "its `data` are not a row"),
        ({"labels": None}, "its `data` are not a row|its `labels` are not numbers"),
        ({"labels": [0] * 19 + [10]}, "its `labels` are not numbers of the 10 classes"),
        ({"labels": [0] * 19 + [-1]}, "its `labels` are not numbers of the 10 classes"),
        ({"labels": [0.5] * 20}, "its `labels` are not numbers of the 10 classes"),
        ({"labels": ["cat"] * 20}, "its `labels` are not numbers of the 10 classes"),
        ({"labels": [[0]] * 20}, "its `labels` are not numbers of the 10 classes"),
    ],
)
def test_a_foreign_file_is_named(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    given = cifar("cifar10")
    write(given, tmp_path, test_batch=changed(given, **changes))
    with pytest.raises(UserError, match=why) as error:
        decoded(given, tmp_path, tmp_path / "cache")
    assert str(error.value).startswith(f"{tmp_path / given.release / 'test_batch'}: ")


@BOTH
def test_broken_and_missing_files_are_named(name: str, tmp_path: Path) -> None:
    given = cifar(name)
    write(given, tmp_path / "data")
    path = tmp_path / "data" / given.release / next(iter(given.batches))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="not a pickle of arrays") as error:
        decoded(given, tmp_path / "data", tmp_path / "cache")
    assert str(error.value).startswith(str(path))
    path.unlink()
    with pytest.raises(UserError, match=f"{given.release}: {path.name} is missing in it"):
        decoded(given, tmp_path / "data", tmp_path / "cache")


def test_coarse_labels_follow_from_fine_ones_and_are_checked(tmp_path: Path) -> None:
    given = cifar("cifar100")
    held = write(given, tmp_path / "data")
    arrays, names = decoded(given, tmp_path / "data", tmp_path / "cache")
    assert arrays["coarse"].tolist() == [label for content in held.values() for label in content[b"coarse_labels"]]
    assert names["coarse"] == tuple(COARSE)
    for fine, coarse in zip(arrays["label"], arrays["coarse"], strict=True):
        assert CLASSES[fine] in COARSE[names["coarse"][coarse]]
    wrong = [0] * (100 * EACH)
    write(given, tmp_path / "wrong", train=changed(given, coarse_labels=wrong))
    with pytest.raises(UserError, match="its coarse labels are not those of its classes"):
        decoded(given, tmp_path / "wrong", tmp_path / "other")


def test_there_are_twenty_coarse_classes_of_five() -> None:
    assert len(COARSE) == 20
    assert list(COARSE) == sorted(COARSE)
    assert all(len(names) == 5 and list(names) == sorted(names) for names in COARSE.values())
    assert len(set(CLASSES)) == 100
    assert Counter(COARSE_OF.tolist()) == Counter(dict.fromkeys(range(20), 5))


def test_coarse_labels_of_the_first_ten_classes_are_the_published_ones() -> None:
    """Of apple, aquarium_fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle."""
    assert COARSE_OF[:10].tolist() == [4, 1, 14, 8, 0, 6, 7, 7, 18, 3]


def test_an_archive_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("data_batch_1"), io.BytesIO())
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz: data_batch_2 is missing in it"):
        decoded(cifar("cifar10"), tmp_path, tmp_path / "cache")
