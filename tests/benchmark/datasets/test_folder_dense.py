import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.acquire import acquire
from benchmark.cache import Prepared, Split
from benchmark.datasets._maps import nearest, read_depth, read_labels, read_normals
from benchmark.datasets.folder_dense import FolderDense, stored_size
from benchmark.errors import UserError
from benchmark.places import Places
from tests.benchmark.datasets.own import array_file, lay_out, pack, picture

SIZE = (64, 32)
"""Width and height."""
LEFT = np.repeat([[0, 1]], 32, axis=1).repeat(32, axis=0)
"""Labels of an image: the left half is of class 0."""


def png(values: object, dtype: type = np.uint8) -> bytes:
    """Return a PNG file of (H, W) or (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(values, dtype)).save(file, "PNG")
    return file.getvalue()


FILES = {
    "images/a.jpg": picture(50, SIZE, kind="JPEG"),
    "images/b.png": picture(60, SIZE),
    "labels/a.png": png(LEFT),
    "labels/b.npy": array_file(np.where(LEFT == 1, 255, LEFT)),
    "depth/b.png": png(LEFT * 3000, np.uint16),
}


def read(data_dir: Path) -> Prepared:
    dataset = FolderDense("folder-dense")
    return acquire(dataset, Places(data_dir, data_dir.parent / "cache"), say=lambda line: None)


def test_images_and_maps_of_the_same_name_belong_together(tmp_path: Path) -> None:
    found = read(lay_out(tmp_path / "data", FILES))
    tensors = {name: tensor.numpy() for name, tensor in found.tensors.items()}
    assert tensors["image"][:, 0, 0, 0].tolist() == [50, 60]
    assert np.array_equal(tensors["label"][:, 0], [LEFT, np.where(LEFT == 1, -1, LEFT)])
    assert np.array_equal(tensors["depth"][:, 0], [np.zeros_like(LEFT), LEFT * 3000]), (
        "a map that is not there: unknown"
    )
    assert tensors["split"].tolist() == [Split.TRAIN] * 2
    assert set(tensors) == {"image", "label", "depth", "split"}
    assert found.names == {"label": ("0", "1")}


@pytest.mark.parametrize("layout", ["{part}/{file}", "{kind}/{part}/{name}"])
def test_parts_are_above_or_below_the_kinds(tmp_path: Path, layout: str) -> None:
    files = {}
    for value, part in enumerate(("train", "val", "test"), start=50):
        given = {**FILES, "images/a.jpg": picture(value, SIZE)}
        for file, content in given.items():
            kind, _, name = file.partition("/")
            files[layout.format(part=part, file=file, kind=kind, name=name)] = content
    found = read(lay_out(tmp_path / "data" / "folder-dense", files))
    assert found.tensors["image"][::2, 0, 0, 0].tolist() == [50, 52, 51]
    assert found.tensors["split"].tolist() == [0, 0, Split.TEST, Split.TEST, Split.VALIDATION, Split.VALIDATION]


@pytest.mark.parametrize("suffix", [".tar", ".tar.xz", ".zip"])
@pytest.mark.parametrize("prefixed", [False, True])
def test_archives_hold_the_same(tmp_path: Path, suffix: str, prefixed: bool) -> None:
    for kind in ("images", "labels", "depth"):
        files = {file.partition("/")[2]: content for file, content in FILES.items() if file.startswith(kind)}
        pack(tmp_path / "data" / f"{kind}{suffix}", files, prefix=f"{kind}/" * prefixed)
    plain = read(lay_out(tmp_path / "plain", FILES))
    assert read(tmp_path / "data").fingerprint == plain.fingerprint


def test_classes_have_names(tmp_path: Path) -> None:
    data = lay_out(tmp_path / "data", {**FILES, "classes.txt": "\ufeffroad\n\n tree \nsky\n"})
    assert read(data).names == {"label": ("road", "tree", "sky")}


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([(32, 64)], (32, 64)),
        ([(40, 70), (10, 10)], (32, 64)),
        ([(48, 80)], (64, 96)),
        ([(480, 640)], (288, 384)),
        ([(1024, 2048), (480, 640)], (192, 384)),
        ([(10, 2000)], (32, 384)),
    ],
)
def test_sides_are_multiples_of_32(sizes: list[tuple[int, int]], size: tuple[int, int]) -> None:
    assert stored_size(sizes) == size


def test_maps_take_the_nearest_pixel() -> None:
    values = np.arange(12).reshape(1, 3, 4)
    assert np.array_equal(nearest(values, (3, 4)), values)
    assert np.array_equal(nearest(values, (6, 8)), values.repeat(2, 1).repeat(2, 2))
    assert nearest(values, (1, 2)).tolist() == [[[5, 7]]]


def test_labels_of_every_kind_of_file() -> None:
    labels = np.array([[0, 7], [255, 1]])
    palette = Image.fromarray(labels.astype(np.uint8)).convert("L").convert("P")
    palette.putdata([0, 7, 255, 1])
    file = io.BytesIO()
    palette.save(file, "PNG")
    npy = [array_file(labels.astype(kind)) for kind in (np.uint8, np.int64, np.float32)]
    expected = [[0, 7], [-1, 1]]
    for content in (png(labels), png(labels, np.uint16), file.getvalue()):
        assert read_labels(content, "a.png").tolist() == expected
    for content in (*npy, array_file([[0, 7], [-1, 1]]), array_file(labels[..., None])):
        assert read_labels(content, "a.npy").tolist() == expected


def test_depth_is_as_it_is_and_0_where_unknown() -> None:
    assert read_depth(png([[0, 65535]], np.uint16), "a.png").tolist() == [[0, 65535]]
    assert read_depth(png([[0, 200]]), "a.png").tolist() == [[0, 200]]
    assert read_depth(array_file([[0.5, np.nan, np.inf, 0]]), "a.npy").tolist() == [[0.5, 0, 0, 0]]


def test_normals_are_unit_vectors_and_0_where_unknown() -> None:
    vectors = np.array([[[0, 0, 1], [0.6, 0, -0.8], [0, 0, 0]]])
    assert np.allclose(read_normals(array_file(vectors), "a.npy"), vectors.transpose(2, 0, 1))
    half = read_normals(array_file(vectors / 2), "a.npy")
    assert np.allclose(half, vectors.transpose(2, 0, 1), atol=1e-6)
    pixels = np.rint(127.5 * (vectors + 1))
    for grey in (127, 128, 0):
        pixels[0, 2] = grey
        found = read_normals(png(pixels), "a.png")
        assert np.allclose(found, vectors.transpose(2, 0, 1), atol=0.01)
        assert not found[:, 0, 2].any()


A = FILES["images/a.jpg"]
WRONG = {
    "no images": ({"images/a.txt": b"", "labels/a.png": png(LEFT)}, "a.png belongs to no image"),
    "map without image": ({**FILES, "depth/c.png": png(LEFT)}, "c.png belongs to no image; there is none of its name"),
    "two images": ({**FILES, "images/a.png": A}, "are the same by name; take one out"),
    "two maps": ({**FILES, "labels/a.npy": array_file(LEFT)}, "are the same by name; take one out"),
    "no labels": ({"images/a.jpg": A, "labels/.keep": b""}, "has no images with labels"),
    "unlabelled test": ({**FILES, "images/test/x.png": A}, "x.png has no labels to be judged by"),
    "another size": ({**FILES, "labels/a.png": png(LEFT[:30])}, "30 x 64 pixels, and its image has 32 x 64; repair or"),
    "colours": ({**FILES, "labels/a.png": picture(3, SIZE)}, "a.png: a picture in colours, not one of class indices"),
    "grey normals": ({**FILES, "normals/a.png": png(LEFT)}, "a picture in grey, not one of normals"),
    "long normals": ({**FILES, "normals/a.npy": array_file(np.full((32, 64, 3), 2.0))}, "a component of 2"),
    "flat normals": (
        {**FILES, "normals/a.npy": array_file(LEFT)},
        "an array of shape (32, 64), not (height, width, 3)",
    ),
    "fractions": ({**FILES, "labels/b.npy": array_file(LEFT / 2)}, "labels that are no whole numbers"),
    "NaN": ({**FILES, "labels/b.npy": array_file(LEFT * np.nan)}, "labels that are no whole numbers"),
    "high": ({**FILES, "labels/b.npy": array_file(LEFT * 300)}, "labels from 0 to 300, not from 0 to 254"),
    "negative": ({**FILES, "depth/b.npy": array_file(-LEFT), "depth/b.png": b""}, "are the same by name"),
    "negative depth": ({**FILES, "depth/a.npy": array_file(-LEFT)}, "a depth of -1; they must be above 0"),
    "truncated image": ({**FILES, "images/a.jpg": A[:100]}, "a.jpg: not a picture that can be read"),
    "truncated map": ({**FILES, "labels/a.png": png(LEFT)[:50]}, "a.png: not a picture that can be read"),
    "truncated array": ({**FILES, "labels/b.npy": array_file(LEFT)[:900]}, "b.npy: not an array that can be read"),
    "one class": ({"images/a.jpg": A, "labels/a.png": png(0 * LEFT)}, "the labels have 1 class; there must be two"),
    "too few names": ({**FILES, "classes.txt": "x\n"}, "it must name two or more classes"),
    "fewer names": (
        {**FILES, "labels/a.png": png(2 * LEFT), "classes.txt": "x\ny"},
        "names 2 classes, from 0 to 1",
    ),
    "odd names": ({**FILES, "classes.txt": b"\xff\xfe"}, "classes.txt: it is not in UTF-8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    files, message = WRONG[case]
    with pytest.raises(UserError) as error:
        read(lay_out(tmp_path / "data", files))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "official" not in str(error.value)


def test_other_layouts_are_not_taken_for_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds nothing that can be read: it takes the folders images and labels"):
        read(lay_out(tmp_path / "data", {"images/cat/a.png": A, "cat/a.png": A}))
