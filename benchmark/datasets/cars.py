"""Stanford Cars: 16,185 photographs of 196 models of cars, in the release of 2013."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.archives import Tree, read_file
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign, numbered
from benchmark.datasets._drawing import class_images
from benchmark.datasets._images import jpeg
from benchmark.datasets._matlab import read_mat, write_mat
from benchmark.datasets._photographs import SIDE, add_photographs, check_sizes, check_unique, located

CLASSES = 196
SIZES = {Split.TRAIN: 8144, Split.TEST: 8041}
PICTURES = {Split.TRAIN: "cars_train", Split.TEST: "cars_test"}
META, TRAIN_LABELS, TEST_LABELS = "cars_meta.mat", "cars_train_annos.mat", "cars_test_annos_withlabels.mat"

ARCHIVED = "https://web.archive.org/web/2021id_/http://ai.stanford.edu/~jkrause/"
"""The authors' server has not had the files since 2023; the Internet Archive keeps copies."""

SAMPLE_MODELS = (
    "AM General Hummer SUV 2000",
    "Acura RL Sedan 2012",
    "Acura TL Sedan 2012",
    "Acura TL Type-S 2008",
    "Acura TSX Sedan 2012",
)
SAMPLE_SIZES = {Split.TRAIN: 45, Split.TEST: 15}
"""Pictures of a model."""
SAMPLE_PIXELS = (72, 96)


class Cars(Dataset):
    """Arrays: `image` (N, 3, 256, 256), the whole picture stretched, `label` (N,)."""

    title = "Stanford Cars"
    licence = "none stated; for non-commercial research, as ImageNet"
    homepage = "https://web.archive.org/web/20210212183835/http://ai.stanford.edu/~jkrause/cars/car_dataset.html"
    citation = "Krause, Stark, Deng and Fei-Fei, 3D object representations for fine-grained categorization, 2013"
    sources = (
        Source(
            "car_devkit.tgz",
            ("https://github.com/pytorch/vision/files/11644847/car_devkit.tgz", f"{ARCHIVED}cars/car_devkit.tgz"),
            330960,
            "md5:c3b158d763b6e2245038c8ad08e45376",
        ),
        Source(
            TEST_LABELS,
            (
                f"{ARCHIVED}car196/{TEST_LABELS}",
                f"https://raw.githubusercontent.com/nguyentruonglau/stanford-cars/main/labeldata/{TEST_LABELS}",
            ),
            185758,
            "md5:b0a2b23655a3edd16d84508592a98d10",
        ),
        Source(
            "cars_train.tgz",
            (f"{ARCHIVED}car196/cars_train.tgz",),
            979269282,
            "md5:065e5b463ae28d29e77c1b4b166cfe61",
        ),
        Source(
            "cars_test.tgz",
            (f"{ARCHIVED}car196/cars_test.tgz",),
            977350468,
            "md5:4ce7ebf6a94d07f1952d94dd34c4d501",
        ),
    )
    content = Content(
        splits=SIZES,
        arrays={"image": ("uint8", (3, SIDE, SIDE)), "label": ("int64", ())},
        names={"label": numbered(CLASSES)},
    )
    folders = ("stanford_cars",)

    def find(self, folder: Path) -> Found | None:
        """Return pictures and devkit, folders or archives, and the labels of the test set, beside or in the devkit."""
        found = {
            **{part: Tree.first(folder, part) for part in PICTURES.values()},
            "devkit": Tree.first(folder, "devkit", "car_devkit"),
            TEST_LABELS: next(filter(Path.is_file, (folder / TEST_LABELS, folder / "devkit" / TEST_LABELS)), None),
        }
        there = {role: path for role, path in found.items() if path is not None}
        return there if len(there) == len(found) else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the training set and then the test set, each in the order of its annotations."""
        devkit = Tree(found["devkit"])
        meta, train = located(devkit, [META, TRAIN_LABELS])
        models = _models(devkit.read(meta), devkit.where(meta))
        listed = {
            Split.TRAIN: _annotations(devkit.read(train), devkit.where(train), len(models)),
            Split.TEST: _annotations(read_file(found[TEST_LABELS]), str(found[TEST_LABELS]), len(models)),
        }
        splits = [split for split, rows in listed.items() for _ in rows]
        if len(models) == CLASSES:
            check_sizes(splits, SIZES, str(devkit.path))
        trees = {split: Tree(found[part]) for split, part in PICTURES.items()}
        parts = [(tree, located(tree, [name for name, _ in listed[split]])) for split, tree in trees.items()]
        add_photographs(arrays, parts)
        arrays.add("label", [number - 1 for rows in listed.values() for _, number in rows], np.int64)
        arrays.add("split", splits, np.uint8)
        arrays.name("label", models)

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write folders of pictures, the devkit and the labels of the test set, with five of the models."""
        rng = np.random.default_rng(seed)
        models = np.arange(len(SAMPLE_MODELS))
        labels = {split: rng.permutation(np.repeat(models, size)) for split, size in SAMPLE_SIZES.items()}
        pictures = iter(class_images(np.concatenate(list(labels.values())), SAMPLE_PIXELS, rng=rng))
        (folder / "devkit").mkdir()
        write_mat(folder / "devkit" / META, class_names=np.array(SAMPLE_MODELS, object))
        files = {Split.TRAIN: folder / "devkit" / TRAIN_LABELS, Split.TEST: folder / TEST_LABELS}
        for split, part in PICTURES.items():
            (folder / part).mkdir()
            names = [f"{number:05d}.jpg" for number in range(1, len(labels[split]) + 1)]
            for name in names:
                (folder / part / name).write_bytes(jpeg(next(pictures)))
            write_mat(files[split], annotations=_table(names, labels[split] + 1))


def _models(content: bytes, where: str) -> list[str]:
    """Return the names of the classes, a cell array of text."""
    (cells,) = read_mat(content, where, "class_names")
    models = [str(cell.item()) for cell in cells.flat if isinstance(cell, np.ndarray) and cell.size == 1]
    if not models or len(models) != cells.size or len(set(models)) != len(models):
        raise foreign(where, "its `class_names` are not the names of classes")
    return models


def _annotations(content: bytes, where: str, classes: int) -> list[tuple[str, int]]:
    """Return file name and class, counted from 1, of each picture: fields of a struct array."""
    (table,) = read_mat(content, where, "annotations")
    fields = table.dtype.names or ()
    lacking = [field for field in ("fname", "class") if field not in fields]
    if lacking:
        raise foreign(where, f"its `annotations` have no field `{lacking[0]}`")
    if any(row[field].size != 1 for row in table.flat for field in ("fname", "class")):
        raise foreign(where, "its `annotations` are not one file name and one class for each picture")
    names = [str(row["fname"].item()) for row in table.flat]
    labels = [row["class"].item() for row in table.flat]
    if not labels or not set(labels) <= set(range(1, classes + 1)):
        raise foreign(where, f"its `annotations` are not of classes from 1 to {classes}")
    check_unique(names, where)
    return list(zip(names, map(int, labels), strict=True))


def _table(names: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Return the official annotations of pictures whose cars fill them, as a struct array (1, N)."""
    fields = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
    table = np.empty((1, len(names)), [(field, object) for field in fields])
    height, width = SAMPLE_PIXELS
    for row, (name, label) in enumerate(zip(names, labels, strict=True)):
        table[0, row] = (np.uint16(1), np.uint16(1), np.uint16(width), np.uint16(height), np.uint8(label), name)
    return table
