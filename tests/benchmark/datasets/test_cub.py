from pathlib import Path

import numpy as np
import pytest

from benchmark.cache import Split
from benchmark.dataset import Found
from benchmark.datasets import cub
from benchmark.datasets.cub import CERTAINTIES, CUB, group_numbers, numbered_lines, read_attributes
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded
from tests.benchmark.datasets.photographs import pack, photograph, stretched

PICTURES = {
    "001.Ani/Ani_0002_1670.jpg": photograph(1),
    "001.Ani/Ani_0001_22.jpg": photograph(2, mode="L"),
    "003.Wren/Wren_0001_5.jpg": photograph(3),
    "002.Tern/Tern_0009_8.jpg": photograph(4),
}
CLASSES = ("001.Ani", "002.Tern", "003.Wren")
ATTRIBUTES = ("has_bill_shape::dagger", "has_bill_shape::cone", "has_eye_color::red", "has_size::small_(5_-_9_in)")
PRESENT = np.array([[1, 0, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1], [1, 0, 0, 0]])
CERTAINTY = np.array([[4, 4, 1, 2], [3, 3, 4, 4], [1, 1, 2, 4], [4, 3, 2, 1]])


def answers(order: "np.ndarray | range" = range(16)) -> str:
    """Return the official lines, in another order if asked for; the second picture's have a zero more."""
    lines = [
        f"{row + 1} {column + 1} {PRESENT[row, column]} {CERTAINTY[row, column]} {'0 ' * (row == 1)}{row * 1.625}\n"
        for row in range(4)
        for column in range(4)
    ]
    return "".join(lines[index] for index in order)


TEXTS = {
    "images.txt": "".join(f"{row} {name}\n" for row, name in enumerate(PICTURES, start=1)),
    "classes.txt": "1 001.Ani\n2 002.Tern\n3 003.Wren\n",
    "image_class_labels.txt": "1 1\n2 1\n3 3\n4 2\n",
    "train_test_split.txt": "1 0\n2 1\n3 1\n4 0\n",
    "attributes/image_attribute_labels.txt": answers(),
    "attributes/certainties.txt": "1 not visible\n2 guessing\n3 probably\n4 definitely\n",
    "../attributes.txt": "".join(f"{row} {name}\n" for row, name in enumerate(ATTRIBUTES, start=1)),
}


def write(release: Path, place: str = "..", **changes: str) -> Path:
    """Write the folder of the release, and the attributes' names beside it or in another place."""
    for name, content in PICTURES.items():
        path = release / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (release / "attributes").mkdir()
    for name, text in TEXTS.items():
        path = release / name.replace("..", place)
        path.write_text(changes.get(path.stem, text))
    return release


def check(arrays: dict[str, np.ndarray], names: dict[str, tuple[str, ...]]) -> None:
    assert np.array_equal(arrays["image"], [stretched(content) for content in PICTURES.values()])
    assert arrays["label"].tolist() == [0, 0, 2, 1]
    assert arrays["split"].tolist() == [Split.TEST, Split.TRAIN, Split.TRAIN, Split.TEST]
    assert np.array_equal(arrays["attribute"], PRESENT)
    assert np.array_equal(arrays["certainty"], CERTAINTY - 1)
    assert arrays["attribute"].dtype == arrays["certainty"].dtype == np.uint8
    assert names == {"label": CLASSES, "attribute": ATTRIBUTES, "certainty": CERTAINTIES}
    assert set(arrays) == {"image", "label", "split", "attribute", "certainty"}


@pytest.mark.parametrize("attributes", ["..", ".", "attributes"])
@pytest.mark.parametrize("where", [".", "cub"])
def test_folders_are_read_wherever_the_names_of_attributes_lie(tmp_path: Path, where: str, attributes: str) -> None:
    release = write(tmp_path / "data" / where / "CUB_200_2011", attributes)
    (release / "copy").mkdir()
    (release / "copy" / "image_class_labels.txt").touch()
    found = CUB("cub").locate(tmp_path / "data")
    beside: Found = {"attributes": release.parent / "attributes.txt"} if attributes == ".." else {}
    assert found == {"release": release, **beside}
    check(*decoded(CUB("cub"), release.parent, tmp_path / "cache"))


@pytest.mark.parametrize("attributes", ["..", "attributes"])
def test_the_folder_of_the_release_itself_may_be_given(tmp_path: Path, attributes: str) -> None:
    release = write(tmp_path / "birds", attributes)
    assert CUB("cub").locate(release) is not None
    check(*decoded(CUB("cub"), release, tmp_path / "cache"))


@pytest.mark.parametrize("attributes", ["..", ".", "attributes"])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_the_archive_is_read_in_place(tmp_path: Path, attributes: str, prefix: str) -> None:
    write(tmp_path / "unpacked" / "CUB_200_2011", attributes)
    (tmp_path / "data").mkdir()
    pack(tmp_path / "unpacked", tmp_path / "data" / "CUB_200_2011.tgz", prefix=prefix)
    check(*decoded(CUB("cub"), tmp_path / "data", tmp_path / "cache"))


def test_the_order_of_the_answers_does_not_matter(tmp_path: Path) -> None:
    shuffled = answers(np.random.default_rng(0).permutation(16))
    release = write(tmp_path / "CUB_200_2011", image_attribute_labels=shuffled)
    check(*decoded(CUB("cub"), release.parent, tmp_path / "cache"))


def test_answers_are_those_of_the_slow_obvious_reader() -> None:
    rng = np.random.default_rng(1)
    shape = (13, 7)
    lines = [
        f"{row} {column} {rng.integers(2)} {rng.integers(1, 5)} {'0 ' * int(rng.integers(2))}{rng.random():.3f}"
        for row in range(1, 14)
        for column in range(1, 8)
    ]
    present, certainty = read_attributes("\n".join(rng.permutation(lines)).encode(), "x", shape)
    for line in lines:
        row, column, answer, sure = (int(word) for word in line.split()[:4])
        assert present[row - 1, column - 1] == answer
        assert certainty[row - 1, column - 1] == sure
    assert present.shape == certainty.shape == shape
    assert len(np.unique(certainty)) == 4


LINE = "2 3 1 4 0 1.625\n"


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("images", "", "it is empty"),
        ("images", "<html>\n", "its line 1 is '<html>', not that number and a text"),
        ("images", TEXTS["images.txt"].replace("2 001", "3 001"), "its line 2 is '3 001.Ani/Ani_0001_22.jpg', not"),
        ("images", "1\n", "its line 1 is '1', not that number and a text"),
        ("images", TEXTS["images.txt"].replace("0001_22", "0002_1670"), "lists 001.Ani/Ani_0002_1670.jpg twice"),
        ("classes", "2 002.Tern\n", "its line 1 is '2 002.Tern', not that number and a text"),
        ("image_class_labels", "1 1\n2 1\n3 3\n", "3 lines for 4 pictures"),
        ("image_class_labels", "1 1\n2 1\n3 4\n4 2\n", "its line 3 says '4', not a number from 1 to 3"),
        ("image_class_labels", "1 1\n2 1\n3 0\n4 2\n", "its line 3 says '0', not a number from 1 to 3"),
        ("image_class_labels", "1 1\n2 -1\n3 1\n4 2\n", "its line 2 says '-1', not a number from 1 to 3"),
        ("train_test_split", "1 0\n2 1\n3 1\n", "3 lines for 4 pictures"),
        ("train_test_split", "1 0\n2 1\n3 1\n4 2\n", "its line 4 says '2', not a number from 0 to 1"),
        ("image_attribute_labels", "", "it is empty"),
        ("image_attribute_labels", "\n\n", "it is empty"),
        ("image_attribute_labels", "not found\n", "not lines of picture, attribute, presence and certainty"),
        ("image_attribute_labels", answers()[:-12], "not lines of picture, attribute, presence and certainty"),
        ("image_attribute_labels", answers(range(15)), "not one line for each of 4 pictures and 4 attributes"),
        ("image_attribute_labels", answers() + LINE, "not one line for each of 4 pictures and 4 attributes"),
        ("image_attribute_labels", answers().replace(LINE, "2 4 1 4 0 1.625\n"), "not one line for each"),
        ("image_attribute_labels", answers().replace(LINE, "5 3 1 4 0 1.625\n"), r"line 7 starts with \[5, 3, 1, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 5 1 4 0 1.625\n"), r"line 7 starts with \[2, 5, 1, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 0 1 4 0 1.625\n"), r"line 7 starts with \[2, 0, 1, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "0 3 1 4 0 1.625\n"), r"line 7 starts with \[0, 3, 1, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 3 2 4 0 1.625\n"), r"line 7 starts with \[2, 3, 2, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 3 -1 4 0 1.6\n"), r"line 7 starts with \[2, 3, -1, 4\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 3 1 5 0 1.625\n"), r"line 7 starts with \[2, 3, 1, 5\]"),
        ("image_attribute_labels", answers().replace(LINE, "2 3 1 0 0 1.625\n"), r"line 7 starts with \[2, 3, 1, 0\]"),
        ("attributes", "has_bill_shape::dagger\n", "its line 1 is 'has_bill_shape::dagger', not that number"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, file: str, content: str, why: str) -> None:
    release = write(tmp_path / "data" / "CUB_200_2011", **{file: content})
    with pytest.raises(UserError, match=why) as error:
        decoded(CUB("cub"), release.parent, tmp_path / "cache")
    path = next(release.parent.rglob(f"{file}.txt"))
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", [name for name in TEXTS if "certainties" not in name])
def test_a_missing_list_is_named(tmp_path: Path, missing: str) -> None:
    release = write(tmp_path / "data" / "CUB_200_2011")
    (release / missing).unlink()
    with pytest.raises(UserError, match=f"{Path(missing).name}.* is missing") as error:
        decoded(CUB("cub"), release.parent, tmp_path / "cache")
    assert str(release) in str(error.value)


def test_missing_and_broken_pictures_are_named(tmp_path: Path) -> None:
    release = write(tmp_path / "data" / "CUB_200_2011")
    path = release / "images" / "003.Wren" / "Wren_0001_5.jpg"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="not a picture that can be read") as error:
        decoded(CUB("cub"), release.parent, tmp_path / "cache")
    assert str(error.value).startswith(f"{path}: ")
    path.unlink()
    with pytest.raises(UserError, match=r"Wren_0001_5.jpg is missing"):
        decoded(CUB("cub"), release.parent, tmp_path / "cache")


def test_pictures_outside_of_the_release_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(photograph(5))
    images = TEXTS["images.txt"].replace("001.Ani/Ani_0001_22.jpg", "../../../secret.jpg")
    release = write(tmp_path / "data" / "CUB_200_2011", images=images)
    with pytest.raises(UserError, match=r"secret.jpg is missing"):
        decoded(CUB("cub"), release.parent, tmp_path / "cache")


def test_a_release_with_all_classes_must_be_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = write(tmp_path / "data" / "CUB_200_2011")
    monkeypatch.setattr(cub, "CLASSES", 3)
    with pytest.raises(UserError, match="2 train and 2 test samples instead of 5,994 train and 5,794 test") as error:
        decoded(CUB("cub"), release.parent, tmp_path / "cache")
    assert str(error.value).startswith(str(release / "train_test_split.txt"))
    monkeypatch.setattr(cub, "SIZES", {Split.TRAIN: 2, Split.TEST: 2})
    check(*decoded(CUB("cub"), release.parent, tmp_path / "cache"))


def test_groups_count_as_they_come() -> None:
    assert group_numbers(ATTRIBUTES) == [0, 0, 1, 2]
    assert group_numbers(["b::x", "a::x", "b::y", "c::x", "a::z"]) == [0, 1, 0, 2, 1]


def test_numbered_lines_keep_what_follows_the_number() -> None:
    assert numbered_lines(b"1 not visible\r\n2 a b  c \r\n", "x") == ["not visible", "a b  c"]
