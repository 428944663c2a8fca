import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from benchmark.acquire import acquire
from benchmark.cache import Prepared, Split
from benchmark.datasets._images import decode_image
from benchmark.datasets.folder import Folder
from benchmark.errors import UserError
from benchmark.places import Places
from tests.benchmark.datasets.own import lay_out, pack, picture

CATS = {"cat/1.png": picture(10), "cat/deep/er.png": picture(20), "dog/1.JPG": picture(40, kind="JPEG")}
"""Two classes; a picture lies deeper, two have the same name."""
SPLIT = {
    **{f"train/{name}": content for name, content in CATS.items()},
    "val/cat/2.png": picture(60),
    "val/dog/3.png": picture(70),
    "test/dog/4.png": picture(80),
}
TRAIN, VALIDATION, TEST = Split.TRAIN, Split.VALIDATION, Split.TEST


def read(data_dir: Path) -> Prepared:
    return acquire(Folder("folder"), Places(data_dir, data_dir.parent / "cache"), say=lambda line: None)


def seen(prepared: Prepared) -> list[tuple[int, str, int]]:
    """Return grey value, class and part of each sample."""
    tensors, names = prepared.tensors, prepared.names["label"]
    values = tensors["image"][:, 0, 8, 8].tolist()
    labels = [names[label] for label in tensors["label"].tolist()]
    return list(zip(values, labels, tensors["split"].tolist(), strict=True))


PLAIN = [(10, "cat", TRAIN), (20, "cat", TRAIN), (40, "dog", TRAIN)]
WHOLE = [*PLAIN, (80, "dog", TEST), (60, "cat", VALIDATION), (70, "dog", VALIDATION)]


@pytest.mark.parametrize("prefix", ["", "images/", "folder/", "folder/images/", "folder/images/mine/"])
@pytest.mark.parametrize("files", [CATS, SPLIT])
def test_plain_folders(tmp_path: Path, prefix: str, files: dict[str, bytes]) -> None:
    data = lay_out(tmp_path / "data", {prefix + name: content for name, content in files.items()})
    if prefix == "folder/images/mine/":
        lay_out(
            data / "folder" / "images",
            {"mine/.hidden.png": b"", "__MACOSX/mine/cat/._1.png": b"", "mine/notes.txt": b"no picture"},
        )
    assert seen(read(data)) == (PLAIN if files is CATS else WHOLE)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.xz", ".zip"])
@pytest.mark.parametrize("prefix", ["", "images/", "./some/where/"])
@pytest.mark.parametrize("files", [CATS, SPLIT])
def test_archives(tmp_path: Path, suffix: str, prefix: str, files: dict[str, bytes]) -> None:
    pack(tmp_path / "data" / f"images{suffix}", files, prefix=prefix)
    assert seen(read(tmp_path / "data")) == (PLAIN if files is CATS else WHOLE)


def test_an_archive_for_each_part(tmp_path: Path) -> None:
    for part, name in (("train", "train.tar"), ("val", "val.zip"), ("test", "test.tar.gz")):
        files = {key.partition("/")[2]: value for key, value in SPLIT.items() if key.startswith(part)}
        pack(tmp_path / "data" / name, files, prefix=f"{part}/")
    assert seen(read(tmp_path / "data")) == WHOLE


@pytest.mark.parametrize("name", ["unlabelled", "unlabeled"])
@pytest.mark.parametrize("where", ["", "images/", "train/"])
def test_pictures_without_a_class_are_the_last_class(tmp_path: Path, name: str, where: str) -> None:
    files = {where + key: value for key, value in CATS.items()}
    data = lay_out(tmp_path / "data", {**files, f"{where}{name}/x.png": picture(90), "z/y.txt": "-"})
    assert seen(read(data)) == [*PLAIN, (90, "unlabelled", TRAIN)]
    beside = lay_out(tmp_path / "beside", {**files, f"{name}/x.png": picture(90)})
    assert seen(read(beside)) == seen(read(data))


def test_the_content_counts_and_not_what_it_is_packed_in(tmp_path: Path) -> None:
    prints = {
        read(lay_out(tmp_path / "a", CATS)).fingerprint,
        read(lay_out(tmp_path / "b", {f"images/{key}": value for key, value in CATS.items()})).fingerprint,
    }
    pack(tmp_path / "c" / "images.tar.xz", CATS)
    zoo = {"zoo/1.png": picture(4), "cat/1.png": picture(5)}
    within, beside = (
        read(lay_out(tmp_path / name, {**{f"images/{key}": v for key, v in zoo.items()}, f"{top}x.png": picture(6)}))
        for name, top in (("f", "images/unlabelled/"), ("g", "unlabelled/"))
    )
    assert within.fingerprint == beside.fingerprint
    assert prints == {read(tmp_path / "c").fingerprint}
    assert read(lay_out(tmp_path / "d", {**CATS, "cat/1.png": picture(11)})).fingerprint not in prints
    assert (
        read(lay_out(tmp_path / "e", {key.replace("cat", "cow"): v for key, v in CATS.items()})).fingerprint
        not in prints
    )


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(16, 16)] * 2, 16),
        ([(28, 20), (12, 28)], 28),
        ([(4, 5)] * 2, 16),
        ([(64, 64)] * 2, 64),
        ([(65, 9), (9, 9)], 256),
    ],
)
def test_small_pictures_keep_the_longest_side(tmp_path: Path, sizes: list[tuple[int, int]], side: int) -> None:
    contents = [picture(10 + row, size) for row, size in enumerate(sizes)]
    files = {f"{name}/1.png": content for name, content in zip("ab", contents, strict=True)}
    assert read(lay_out(tmp_path / "data", files)).tensors["image"].shape == (2, 3, side, side)


def test_pictures_of_the_same_square_size_are_kept_to_the_bit(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(2, 24, 24, 3), dtype=np.uint8)
    for name, values in zip("ab", pixels, strict=True):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.fromarray(values).save(tmp_path / "data" / name / "1.bmp")
    assert np.array_equal(read(tmp_path / "data").tensors["image"].numpy(), pixels.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("orientation", range(10))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(24, 16, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    for name in "ab":
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "data" / name / "1.png", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "data" / "a" / "1.png"))
    expected = np.asarray(upright.resize((24, 24), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.array_equal(read(tmp_path / "data").tensors["image"].numpy(), [expected, expected])


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what it skips
@settings(max_examples=300)
@given(seed=st.integers(0, 2**32 - 1))
def test_broken_exif_is_passed_over_or_told(seed: int) -> None:
    random = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "a camera"
    file = io.BytesIO()
    Image.new("RGB", (16, 8)).save(file, "JPEG", exif=exif)
    content = bytearray(file.getvalue())
    start = content.index(b"Exif") + 6
    for place in random.integers(start, start + 60, 4):
        content[place] = random.integers(256)
    with contextlib.suppress(UserError):
        assert decode_image(bytes(content), "1.jpg", (3, 16, 16), resize="stretch", upright=True).shape == (3, 16, 16)


WRONG = {
    "nothing": ({}, "holds nothing that can be read"),
    "label maps": ({"images/a.png": picture(1), "labels/a.png": picture(1)}, "there is the suite folder-dense"),
    "no folders": ({"1.png": picture(1)}, "holds nothing that can be read"),
    "one class": ({"cat/1.png": picture(1)}, "pictures of 1 class; there must be folders of two or more"),
    "stray": ({**CATS, "cover.png": picture(1)}, "cover.png lies in no folder of a class"),
    "stray in a part": ({**SPLIT, "test/1.png": picture(1)}, "1.png lies in no folder of a class"),
    "test beside classes": ({**CATS, "test/cat/1.png": picture(1)}, "has the part test, and cat stands beside it"),
    "class beside train": ({f"images/{key}": picture(1) for key in (*SPLIT, "cow/1.png")}, "and cow stands beside it"),
    "test alone": ({"images/test/cat/1.png": picture(1), "images/val/cat/1.png": b""}, "and there is no train"),
    "no class in test": ({**SPLIT, "test/unlabelled/1.png": picture(1)}, "has no class to be judged by"),
    "truncated": ({**CATS, "cat/2.png": picture(1)[:40]}, "2.png: not a picture that can be read"),
    "foreign": ({**CATS, "cat/2.png": b"text"}, "2.png: not a picture that can be read"),
    "empty part": ({**CATS, "train/readme.txt": "-"}, "train holds no pictures; they are files called .png"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    files, message = WRONG[case]
    (tmp_path / "data").mkdir()
    with pytest.raises(UserError) as error:
        read(lay_out(tmp_path / "data", files))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "official" not in str(error.value)


def test_pictures_of_16_bits_are_refused(tmp_path: Path) -> None:
    data = lay_out(tmp_path / "data", CATS)
    Image.fromarray(np.full((16, 16), 40_000, np.uint16)).save(data / "cat" / "deep.png")
    with pytest.raises(UserError, match=r"deep\.png: a picture of more than 8 bits a channel; repair or remove it"):
        read(data)
