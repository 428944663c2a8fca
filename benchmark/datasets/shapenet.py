"""ShapeNet part: 16,881 point clouds of 16 categories with a part of each point, in the text files of its authors."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.archives import Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign
from benchmark.datasets._shapenet_categories import CATEGORIES, LISTS, PARTS, SIZES
from benchmark.datasets._shapenet_sample import write_sample

POINTS = 2048
"""Points that are kept of a shape, as in PointNet; the official files have about 2,600 on average."""

FARTHEST = 1e3
"""Coordinates from which on a file is not of shapes, which lie about the unit cube."""

RELEASES = ("shapenetcore_partanno_segmentation_benchmark_v0_normal", "shapenetcore_partanno_segmentation_benchmark_v0")

Shape = tuple[str, str]
"""Folder of its category, and its name."""

Cloud = tuple[Shape, np.ndarray, np.ndarray]
"""A shape, its points (P, 3) and their parts (P,) from 0."""


class ShapeNet(Dataset):
    """Arrays: `points` (N, 3, 2048), `part` (N, 2048) of the category's own from 0, `category` (N,).

    Coordinates are PointNet's: the centre of the shape's points is 0 and the farthest one has distance 1. Of a shape
    with more points a random choice is kept; one with fewer has all of them, and then the same again. Which and in
    which order follows from the name of the shape alone. Rows are sorted by category and name.

    Both releases are read: that with a file of points and a file of labels a shape, and that with both and normals,
    which are not used, in one file. They need not hold the same points.
    """

    title = "ShapeNet part"
    licence = "ShapeNet's terms of use: research and education, not commercial"
    homepage = "https://cs.stanford.edu/~ericyi/project_page/part_annotation/"
    citation = "Yi et al., A scalable active framework for region annotation in 3D shape collections, 2016"
    sources = (
        Source(
            f"{RELEASES[0]}.zip",
            (
                f"https://shapenet.cs.stanford.edu/media/{RELEASES[0]}.zip",
                f"https://huggingface.co/datasets/cminst/ShapeNet/resolve/main/{RELEASES[0]}.zip",
                f"https://omnomnom.vision.rwth-aachen.de/data/point2vec/data/{RELEASES[0]}.zip",
            ),
            checksum="sha256:0e26411700bae2da38ee8ecc719ba4db2e6e0133486e258665952ad5dfced0fe",
        ),
    )
    content = Content(
        splits={split: sum(sizes) for split, sizes in SIZES.items()},
        arrays={"points": ("float32", (3, POINTS)), "part": ("int8", (POINTS,)), "category": ("uint8", ())},
        names={"category": tuple(PARTS)},
        class_sizes=SIZES,
    )

    def find(self, folder: Path) -> Found | None:
        """Return the folder or archive of one of the releases, or `folder` if it is that itself."""
        release = folder if (folder / LISTS[Split.TRAIN]).is_file() else Tree.first(folder, *RELEASES)
        return None if release is None else {"release": release}

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the shapes of the official lists."""
        tree = Tree(found["release"])
        top = _top(tree)
        splits = _read_lists(tree, top)
        shapes = sorted(splits)
        points = arrays.new("points", (len(shapes), 3, POINTS), np.float32)
        parts = arrays.new("part", (len(shapes), POINTS), np.int8)
        rows = {shape: row for row, shape in enumerate(shapes)}
        for shape, coordinates, labels in _clouds(tree, top, shapes):
            kept, row = choice(len(labels), "/".join(shape)), rows[shape]
            points[row] = coordinates[kept].T
            parts[row] = labels[kept]
        arrays.add("category", [list(CATEGORIES).index(category) for category, _ in shapes], np.uint8)
        arrays.add("split", [splits[shape] for shape in shapes], np.uint8)
        arrays.name("category", list(PARTS))

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write the official folder of the release without normals, with a few shapes of each category."""
        write_sample(folder / RELEASES[1], seed)


def choice(count: int, name: str) -> np.ndarray:
    """Return which of `count` points of the shape of that name are kept, (2048,): each once before one comes again."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.resize(np.random.default_rng(seed).permutation(count), POINTS)


def normalised(coordinates: np.ndarray, where: str) -> np.ndarray:
    """Return points (P, 3) moved and scaled to the unit ball around their centre.

    Raises:
        UserError: All points are the same, or some far from the unit cube that shapes lie in; the line names `where`.
    """
    if not (farthest := np.abs(coordinates).max()) < FARTHEST:
        raise foreign(where, f"a coordinate of {farthest:g}, where shapes lie about the unit cube")
    centred = coordinates - coordinates.mean(0)
    radius = np.linalg.norm(centred, axis=1).max()
    if radius == 0:
        raise foreign(where, "all of its points are the same")
    return centred / radius


def _top(tree: Tree) -> str:
    """Return the path of the release's folder in a tree, with a slash at its end; nothing where it is the tree."""
    tops = [name.removesuffix(LISTS[Split.TRAIN]) for name in tree.names() if name.endswith(LISTS[Split.TRAIN])]
    if not tops:
        raise foreign(tree.path, f"{LISTS[Split.TRAIN]} is missing in it")
    return min(tops, key=len)


def _read_lists(tree: Tree, top: str) -> dict[Shape, Split]:
    """Return the split of each shape that the official lists name.

    A shape that two of them name is not trained on: it belongs to the test set or, failing that, to validation.
    """
    contents = dict(tree.read_all([top + name for name in LISTS.values()]))
    splits = {}
    for split in (Split.TRAIN, Split.VALIDATION, Split.TEST):
        path = top + LISTS[split]
        splits |= dict.fromkeys(_read_list(contents[path], tree.where(path)), split)
    return splits


def _read_list(content: bytes, where: str) -> list[Shape]:
    """Return the shapes of a list of texts like `shape_data/02691156/1a04e3eab45ca15dd86060f189eb133`."""
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise foreign(where, f"not a list of shapes that can be read ({error})") from error
    if not isinstance(entries, list) or not entries:
        raise foreign(where, "not a list of shapes")
    shapes = [tuple(PurePosixPath(str(entry)).parts[-2:]) for entry in entries]
    for entry, shape in zip(entries, shapes, strict=True):
        if len(shape) != 2 or shape[0] not in CATEGORIES:
            raise foreign(where, f"its entry {entry!r} is not a shape of one of the {len(CATEGORIES)} categories")
    return [(shape[0], shape[1]) for shape in shapes]


def _clouds(tree: Tree, top: str, shapes: Sequence[Shape]) -> Iterator[Cloud]:
    """Yield normalised points and parts of each shape, in the order in which the files lie."""

    def files(below: str) -> dict[str, Shape]:
        return {top + below.format(*shape): shape for shape in shapes}

    with_normals = files("{}/{}.txt")
    if with_normals.keys() & set(tree.names()):
        for path, content in tree.read_all(with_normals):
            shape, where = with_normals[path], tree.where(path)
            table = read_table(content, where, columns=7)
            yield (
                shape,
                normalised(table[:, :3], where),
                _parts(table[:, 6], shape, where, first=CATEGORIES[shape[0]].first),
            )
        return
    labels = {}
    for path, content in tree.read_all(label_files := files("{}/points_label/{}.seg")):
        shape, where = label_files[path], tree.where(path)
        labels[shape] = _parts(read_table(content, where, columns=1)[:, 0], shape, where, first=1)
    for path, content in tree.read_all(point_files := files("{}/points/{}.pts")):
        shape, where = point_files[path], tree.where(path)
        points = read_table(content, where, columns=3)
        if len(points) != len(labels[shape]):
            raise foreign(where, f"{len(points):,} points, and {len(labels[shape]):,} labels in the file of these")
        yield shape, normalised(points, where), labels[shape]


def read_table(content: bytes, where: str, *, columns: int) -> np.ndarray:
    """Return the numbers of a file, (lines, columns) in float64.

    Raises:
        UserError: It holds something else; the line names `where`.
    """
    import pandas as pd  # takes a second, which a list of data sets does not need

    try:
        table = pd.read_csv(io.BytesIO(content), sep=r"\s+", header=None, dtype=np.float64, low_memory=False).to_numpy()
    except (ValueError, OverflowError) as error:
        reason = str(error).strip().splitlines()[0]
        raise foreign(where, f"not lines of {columns} numbers ({reason})") from error
    if table.shape[1] != columns or not np.isfinite(table).all():
        raise foreign(where, f"not lines of {columns} numbers")
    return table


def _parts(labels: np.ndarray, shape: Shape, where: str, *, first: int) -> np.ndarray:
    """Return the parts (P,) from 0 of labels that count from `first`."""
    category = CATEGORIES[shape[0]]
    if not np.isin(labels, range(first, first + category.parts)).all():
        known = f"{first} to {first + category.parts - 1}"
        raise foreign(where, f"its labels are not whole numbers from {known}, those of the parts of a {category.name}")
    return (labels - first).astype(np.int8)
