from pathlib import Path

import numpy as np
import pytest

from benchmark.cache import Split
from benchmark.datasets import pet
from benchmark.datasets.pet import Pet
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded, sample_of
from tests.benchmark.datasets.photographs import pack, photograph, stretched

LISTS = {
    "trainval.txt": "Abyssinian_100 1 1 1\nEgyptian_Mau_14 3 1 2\namerican_bulldog_7 2 2 1\nAbyssinian_5 1 1 1\n",
    "test.txt": "american_bulldog_1 2 2 1\nAbyssinian_201 1 1 1\n",
}
PICTURES = {
    "Abyssinian_100": photograph(1),
    "Egyptian_Mau_14": photograph(2, kind="PNG", mode="RGBA"),
    "american_bulldog_7": photograph(3, mode="L"),
    "Abyssinian_5": photograph(4, kind="GIF", mode="P"),
    "american_bulldog_1": photograph(5, mode="CMYK"),
    "Abyssinian_201": photograph(6),
}
"""All are called `.jpg`."""


def write(folder: Path, **lists: str) -> Path:
    """Write the official folders with what else the release has in them."""
    for below in ("images", "annotations/trimaps"):
        (folder / below).mkdir(parents=True)
    for name, content in PICTURES.items():
        (folder / "images" / f"{name}.jpg").write_bytes(content)
    for name in ("Abyssinian_100.mat", "Abyssinian_102.mat", "._Abyssinian_100.jpg", "Abyssinian_7.jpg"):
        (folder / "images" / name).write_bytes(b"not a picture")
    for name, content in LISTS.items():
        (folder / "annotations" / name).write_text(lists.get(name.removesuffix(".txt"), content))
    listed = "".join(LISTS.values())
    (folder / "annotations" / "list.txt").write_text(f"#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37\n{listed}")
    (folder / "annotations" / "._test.txt").write_bytes(b"\0\5\x16\7")
    return folder


def check(arrays: dict[str, np.ndarray], names: dict[str, tuple[str, ...]]) -> None:
    assert np.array_equal(arrays["image"], [stretched(content) for content in PICTURES.values()])
    assert arrays["label"].tolist() == [0, 2, 1, 0, 1, 0]
    assert arrays["split"].tolist() == [Split.TRAIN] * 4 + [Split.TEST] * 2
    assert names == {"label": ("Abyssinian", "american_bulldog", "Egyptian_Mau")}
    assert set(arrays) == {"image", "label", "split"}


@pytest.mark.parametrize("where", [".", "pet", "oxford-iiit-pet"])
def test_folders_are_read_in_the_order_of_the_lists(tmp_path: Path, where: str) -> None:
    folder = write(tmp_path / "data" / where)
    assert Pet("pet").locate(tmp_path / "data") == {
        "images": folder / "images",
        "annotations": folder / "annotations",
    }
    check(*decoded(Pet("pet"), folder, tmp_path / "cache"))


@pytest.mark.parametrize("compressed", [False, True])
def test_archives_are_read_in_place(tmp_path: Path, compressed: bool) -> None:
    """The official ones are called `.tar.gz`, whether they are compressed or not."""
    folder = write(tmp_path / "unpacked")
    (tmp_path / "data").mkdir()
    for part in ("images", "annotations"):
        pack(folder / part, tmp_path / "data" / f"{part}.tar.gz", prefix=f"{part}/", compressed=compressed)
    check(*decoded(Pet("pet"), tmp_path / "data", tmp_path / "cache"))


def test_torchvision_reads_the_sample_alike(tmp_path: Path) -> None:
    from torchvision.datasets import OxfordIIITPet

    arrays, names = decoded(Pet("pet"), sample_of(Pet("pet"), tmp_path / "oxford-iiit-pet"), tmp_path / "cache")
    for split, part in ((Split.TRAIN, "trainval"), (Split.TEST, "test")):
        reference = OxfordIIITPet(tmp_path, split=part)
        chosen = np.flatnonzero(arrays["split"] == split)
        assert arrays["label"][chosen].tolist() == reference._labels
        assert [name.title() for name in names["label"]] == reference.classes
        for index in (0, 7, len(chosen) - 1):
            picture = stretched(reference._images[index].read_bytes())
            assert np.array_equal(arrays["image"][chosen[index]], picture)


def test_the_sample_has_the_breeds_in_both_sets(tmp_path: Path) -> None:
    folder = sample_of(Pet("pet"), tmp_path / "data")
    rows = [line.split() for line in (folder / "annotations" / "list.txt").read_text().splitlines()[1:]]
    assert len(rows) == 5 * (45 + 15) == len(list((folder / "images").iterdir()))
    assert all((species == "1") == name[0].isupper() for name, _, species, _ in rows), "cats have capital letters"


def test_common_folder_names_of_other_data_are_not_taken(tmp_path: Path) -> None:
    for name in ("images", "annotations"):
        assert Pet("pet").find(tmp_path) is None
        (tmp_path / name).mkdir()
    assert Pet("pet").find(tmp_path) is None
    (tmp_path / "annotations" / "trainval.txt").touch()
    assert Pet("pet").find(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("test", "", "it lists no pictures"),
        ("test", "# nothing\n", "it lists no pictures"),
        ("test", "Abyssinian_201 1 1", r"'Abyssinian_201 1 1' is not a picture, its class, species and breed"),
        ("test", "Abyssinian 1 1 1", "is not a picture"),
        ("test", "Abyssinian_x 1 1 1", "is not a picture"),
        ("test", "Abyssinian_201 one 1 1", "is not a picture"),
        ("test", "<html> is not here", "is not a picture"),
        ("test", "Abyssinian_201 1 1 1\nAbyssinian_201 1 1 1", "it lists Abyssinian_201.jpg twice"),
        ("test", LISTS["trainval.txt"], "it lists Abyssinian_100.jpg twice"),
        ("test", "Abyssinian_201 2 1 1", "gives the number of american_bulldog to Abyssinian"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, file: str, content: str, why: str) -> None:
    folder = write(tmp_path / "data", **{file: content})
    with pytest.raises(UserError, match=why) as error:
        decoded(Pet("pet"), folder, tmp_path / "cache")
    assert str(folder / "annotations") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("listed", ["Egyptian_Mau_14 3 1 2\n", "Abyssinian_100 2 1 1\n", "Egyptian_Mau_14 0 1 2\n"])
def test_each_breed_has_one_number(tmp_path: Path, listed: str) -> None:
    folder = write(tmp_path / "data", trainval=listed, test="Abyssinian_201 1 1 1\n")
    with pytest.raises(UserError, match="annotations: its lists do not give each breed one number, from 1 on"):
        decoded(Pet("pet"), folder, tmp_path / "cache")


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    (folder / "images" / "Abyssinian_201.jpg").write_bytes(PICTURES["Abyssinian_201"][:200])
    with pytest.raises(UserError, match=r"images/Abyssinian_201.jpg: not a picture that can be read"):
        decoded(Pet("pet"), folder, tmp_path / "cache")
    (folder / "images" / "Abyssinian_201.jpg").unlink()
    with pytest.raises(UserError, match=r"images: Abyssinian_201.jpg is missing in it"):
        decoded(Pet("pet"), folder, tmp_path / "cache")
    (folder / "annotations" / "test.txt").unlink()
    with pytest.raises(UserError, match=r"annotations: test.txt is missing in it"):
        decoded(Pet("pet"), folder, tmp_path / "cache")


def test_a_release_with_all_breeds_must_be_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data")
    monkeypatch.setattr(pet, "CLASSES", 3)
    with pytest.raises(UserError, match="4 train and 2 test samples instead of 3,680 train and 3,669 test"):
        decoded(Pet("pet"), folder, tmp_path / "cache")
    monkeypatch.setattr(pet, "SIZES", {Split.TRAIN: 4, Split.TEST: 2})
    check(*decoded(Pet("pet"), folder, tmp_path / "cache"))


def test_the_uppermost_of_several_pictures_counts(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    for below in ("images/a", "images/z/z"):
        (folder / below).mkdir(parents=True)
        for name in PICTURES:
            (folder / below / f"{name}.jpg").write_bytes(photograph(99))
    check(*decoded(Pet("pet"), folder, tmp_path / "cache"))
