import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.archives import Tree
from benchmark.datasets import _images
from benchmark.datasets._drawing import class_images
from benchmark.datasets._images import _parcels, class_folders, decode_image, fill_images, jpeg, png
from benchmark.errors import UserError

NOISE = np.random.default_rng(0).integers(256, size=(60, 3, 8, 6), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("parcel", [1, 1000, 1 << 19])
def test_every_picture_comes_to_its_row(tmp_path: Path, parcel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "_PARCEL_BYTES", parcel)
    monkeypatch.setattr(_images, "_AHEAD", 2)
    for number, pixels in enumerate(NOISE):
        (tmp_path / f"{number}.png").write_bytes(png(pixels))
    order = np.random.default_rng(1).permutation(len(NOISE))
    images = np.zeros_like(NOISE)
    fill_images(images, Tree(tmp_path), {f"{number}.png": row for row, number in enumerate(order)})
    assert np.array_equal(images, NOISE[order])


@pytest.mark.parametrize("parcel", [1, 1 << 19])
def test_a_broken_picture_among_others_is_named(tmp_path: Path, parcel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "_PARCEL_BYTES", parcel)
    for number, pixels in enumerate(NOISE):
        (tmp_path / f"{number}.png").write_bytes(png(pixels)[: 60 if number == 41 else None])
    with pytest.raises(UserError, match=r"41\.png: not a picture that can be read"):
        fill_images(np.zeros_like(NOISE), Tree(tmp_path), {f"{row}.png": row for row in range(len(NOISE))})


def test_pictures_of_all_kinds_become_rgb_or_grey() -> None:
    pixels = NOISE[0].transpose(1, 2, 0)
    rgb = Image.fromarray(pixels)
    for image in (rgb, rgb.convert("RGBA")):
        assert np.array_equal(decode_image(encoded(image), "x", (3, 8, 6)), NOISE[0])
    grey = np.asarray(rgb.convert("L"))
    for content in (encoded(rgb), encoded(rgb.convert("L")), png(grey[None])):
        assert np.array_equal(decode_image(content, "x", (1, 8, 6)), grey[None])
    assert np.array_equal(decode_image(png(grey[None]), "x", (3, 8, 6)), np.stack([grey] * 3))
    palette = rgb.convert("P")
    assert np.array_equal(
        decode_image(encoded(palette), "x", (3, 8, 6)), np.asarray(palette.convert("RGB")).transpose(2, 0, 1)
    )
    smooth = np.full((3, 8, 6), 100, np.uint8)
    assert np.abs(decode_image(jpeg(smooth), "x", (3, 8, 6)).astype(int) - 100).max() <= 2


def test_another_size_is_refused_stretched_or_cut_as_asked() -> None:
    left = np.zeros((3, 16, 32), np.uint8)
    left[:, :, :8], left[:, :, 24:] = 255, 255
    with pytest.raises(UserError, match=r"x: a picture of 32 x 16 pixels, not of 8 x 4"):
        decode_image(png(left), "x", (3, 4, 8))
    stretched = decode_image(png(left), "x", (3, 8, 8), resize="stretch")
    assert stretched.shape == (3, 8, 8)
    assert (stretched[:, :, [0, 7]] == 255).all()
    covered = decode_image(png(left), "x", (3, 8, 8), resize="cover")
    assert covered.shape == (3, 8, 8)
    assert covered[:, :, 2:6].max() == 0
    assert np.array_equal(decode_image(png(NOISE[0]), "x", (3, 8, 6), resize="stretch"), NOISE[0])
    assert np.array_equal(decode_image(png(NOISE[0]), "x", (3, 8, 6), resize="cover"), NOISE[0])


def test_a_picture_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = png(np.zeros((1, 300, 300), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(UserError, match="x: not a picture that can be read"):
        decode_image(content, "x", (1, 300, 300))


@pytest.mark.parametrize("content", [png(NOISE[0]), jpeg(NOISE[0])], ids=["png", "jpeg"])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_a_damaged_picture_ends_in_one_line_or_none(content: bytes, value: int) -> None:
    """Whichever byte is wrong: the decoders raise four kinds of errors between them."""
    refused = 0
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] = value
        try:
            assert decode_image(bytes(damaged), "x", (3, 8, 6)).shape == (3, 8, 6)
        except UserError:
            refused += 1
    assert refused > 20


def test_the_content_says_the_kind_and_one_that_is_not_known_is_refused() -> None:
    image = Image.fromarray(NOISE[0, 0])
    for kind in ("GIF", "TIFF"):
        assert decode_image(encoded(image, kind), "x.jpg", (1, 8, 6)).shape == (1, 8, 6)
    with pytest.raises(UserError, match=r"x.jpg: not a picture that can be read \(of no known kind\)"):
        decode_image(b"no picture", "x.jpg", (1, 8, 6))


def test_pictures_are_handed_out_in_parcels() -> None:
    files = [(str(number), b"x" * 200_000) for number in range(7)]
    parcels = list(_parcels(files))
    assert [len(parcel) for parcel in parcels] == [3, 3, 1]
    assert [file for parcel in parcels for file in parcel] == files
    assert list(_parcels([])) == []


def test_the_folder_of_a_picture_is_its_class(tmp_path: Path) -> None:
    for name in ("b/2.png", "deep/b/1.JPG", "a/x.jpeg", "top.png", "a/notes.txt", "__MACOSX/a/._x.jpeg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert class_folders(Tree(tmp_path)) == [("a", "a/x.jpeg"), ("b", "deep/b/1.JPG"), ("b", "b/2.png")]


@pytest.mark.parametrize("channels", [1, 3])
def test_drawn_pictures_differ_by_class_more_than_within(channels: int) -> None:
    labels = np.repeat(np.arange(6), 40)
    drawn = class_images(labels, (20, 12), channels=channels, rng=np.random.default_rng(0))
    assert (drawn.shape, drawn.dtype) == ((240, channels, 20, 12), np.uint8)
    again = class_images(labels, (20, 12), channels=channels, rng=np.random.default_rng(0))
    assert np.array_equal(drawn, again)
    means = drawn.reshape(6, 40, -1).mean(1)
    between = np.linalg.norm(means[:, None] - means[None], axis=-1)
    spread = np.linalg.norm(drawn.reshape(6, 2, 20, -1).mean(2) - means[:, None], axis=-1)
    assert between[~np.eye(6, dtype=bool)].min() > spread.max()
