"""The preprocessed releases of MTAN (Liu, Johns and Davison, CVPR 2019): a `.npy` file for each map of each scene."""

import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.archives import SUFFIXES, Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Found, foreign

PARTS = {Split.TRAIN: "train", Split.TEST: "val"}
"""The folders of the official training and test scenes."""
MULTIPLE = 32
"""What divides the sides of every image that a SegNet takes."""

_BROKEN = (
    *(ValueError, EOFError, OSError, TypeError, MemoryError, OverflowError),
    *(SyntaxError, tokenize.TokenError),  # the header is a Python literal
)
"""What numpy raises over damage."""


class Map(NamedTuple):
    """One of the maps of a scene.

    Attributes:
        array: Its name among the decoded arrays.
        folder: The folder of its files, `<number>.npy`.
        channels: Length of the last axis, (H, W, channels); None for (H, W).
        low: Least value that is admitted.
        high: Greatest value that is admitted.
        dtype: How it is stored: images in [0, 1] as uint8, labels as int8, all else as float32.
    """

    array: str
    folder: str
    channels: int | None
    low: float
    high: float
    dtype: type[np.generic] = np.float32


IMAGE = Map("image", "image", 3, -0.1, 1.1, np.uint8)
"""What interpolation leaves a little beyond [0, 1] is clipped."""


def label_map(array: str, classes: int) -> Map:
    """Return a map of class indices, -1 where there is no label."""
    return Map(array, array, None, -1, classes - 1, np.int8)


class Official(NamedTuple):
    """The numbers of training and test scenes of a release, and height and width of its images."""

    train: int
    test: int
    size: tuple[int, int]

    def content(self, maps: Sequence[Map], names: Mapping[str, tuple[str, ...]]) -> Content:
        """Return what the whole release decodes to."""
        arrays = {m.array: (np.dtype(m.dtype).name, (m.channels or 1, *self.size)) for m in maps}
        return Content({Split.TRAIN: self.train, Split.TEST: self.test}, arrays, names)


def find_release(folder: Path, stems: Sequence[str], mark: str) -> Found | None:
    """Return the folder that has `train/<mark>` in it, or the archive of one of these names, in `folder`."""
    folders = (place for place in (folder, *(folder / stem for stem in stems)) if (place / "train" / mark).is_dir())
    archives = (folder / f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES)
    release = next(folders, None) or next((path for path in archives if path.is_file()), None)
    return release and {"release": release}


def decode_release(path: Path, maps: Sequence[Map], official: Official, arrays: Arrays) -> None:
    """Write all maps, (N, channels, H, W), and `split`: training scenes, then test scenes, by number.

    Raises:
        UserError: A file is missing, broken or foreign, or scenes are neither those of the release nor of another
            number and size; the line names it.
    """
    tree = Tree(path)
    numbers = {split: _scenes(tree, top, maps) for split, top in _tops(tree, maps).items()}
    counts = [len(paths) for paths in numbers.values()]
    first = numbers[Split.TRAIN][0][maps[0]]
    height, width = size = read_array(tree.read(first), tree.where(first)).shape[:2]
    if height % MULTIPLE or width % MULTIPLE:
        raise foreign(tree.where(first), f"{height} x {width} pixels, whose sides are no multiples of {MULTIPLE}")
    if (tuple(counts) == official[:2]) != (size == official.size):
        found, wanted = (f"{n:,} and {m:,} scenes of {h} x {w} pixels" for n, m, (h, w) in ((*counts, size), official))
        raise foreign(path, f"train and val have {found}, not the {wanted} of the release")
    stored = {m: arrays.new(m.array, (sum(counts), m.channels or 1, *size), m.dtype) for m in maps}
    scenes = [scene for split in PARTS for scene in numbers[split]]
    places = {name: (m, row) for row, scene in enumerate(scenes) for m, name in scene.items()}
    for name, content in tree.read_all(places):
        given, row = places[name]
        stored[given][row] = read_map(content, tree.where(name), given, size)
    arrays.add("split", np.repeat([int(split) for split in PARTS], counts), np.uint8)


def read_map(content: bytes, where: str, given: Map, size: tuple[int, int]) -> np.ndarray:
    """Return the map in a file as it is stored, (channels, H, W).

    Raises:
        UserError: It is broken, or not such a map; the line names `where`.
    """
    values = read_array(content, where)
    shape = size if given.channels is None else (*size, given.channels)
    if values.shape != shape:
        raise foreign(where, f"an array of shape {values.shape}, not {shape}")
    if not np.isfinite(values).all():
        raise foreign(where, "it has values that are not finite")
    low, high = values.min(), values.max()
    if low < given.low or high > given.high:
        raise foreign(where, f"values from {low:g} to {high:g}, which go from {given.low:g} to {given.high:g}")
    if given.dtype is np.int8 and (values != np.rint(values)).any():
        raise foreign(where, "labels that are no whole numbers")
    if given.dtype is np.uint8:
        values = np.rint(values.astype(np.float64).clip(0, 1) * 255)
    stored = values.astype(given.dtype)
    return stored[None] if given.channels is None else stored.transpose(2, 0, 1)


def write_scenes(folder: Path, maps: Sequence[Map], scenes: Mapping[Split, Sequence[Mapping[str, np.ndarray]]]) -> None:
    """Write scenes, given by the maps' arrays, (H, W) or (H, W, channels), in the official layout."""
    for split, drawn in scenes.items():
        for given in maps:
            (folder / PARTS[split] / given.folder).mkdir(parents=True)
            for number, scene in enumerate(drawn):
                values = scene[given.array].astype(np.float32)
                np.save(folder / PARTS[split] / given.folder / f"{number}.npy", values, allow_pickle=False)


def read_array(content: bytes, where: str) -> np.ndarray:
    """Return the array of real numbers in a file."""
    file = io.BytesIO(content)
    try:
        values = np.load(file, allow_pickle=False)
    except _BROKEN as error:
        raise foreign(where, f"not an array that can be read ({' '.join(str(error).split())})") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise foreign(where, "not an array of numbers")
    if values.ndim < 2 or file.read(1):
        raise foreign(where, "an array of no image, or more than an array")
    return values


def _tops(tree: Tree, maps: Sequence[Map]) -> dict[Split, str]:
    """Return the path of each official part in a tree, with a slash at its end."""
    start = re.compile(rf"(?P<top>(?:.*/)?){PARTS[Split.TRAIN]}/{re.escape(maps[0].folder)}/\d+\.npy")
    tops = [match["top"] for name in tree.names() if (match := start.fullmatch(name))]
    if not tops:
        raise foreign(tree.path, f"it has no {PARTS[Split.TRAIN]}/{maps[0].folder}/0.npy")
    top = min(tops, key=len)
    return {split: f"{top}{part}/" for split, part in PARTS.items()}


def _scenes(tree: Tree, part: str, maps: Sequence[Map]) -> list[dict[Map, str]]:
    """Return the paths of each scene's maps; scenes are numbered from 0 without a gap, and have every map."""
    by_folder = {f"{part}{given.folder}/": given for given in maps}
    found: dict[Map, dict[int, str]] = {given: {} for given in maps}
    for name in tree.names():
        folder, _, file = name.rpartition("/")
        if (given := by_folder.get(f"{folder}/")) and (match := re.fullmatch(r"(0|[1-9]\d*)\.npy", file)):
            found[given][int(match[1])] = name
    last = max((number for names in found.values() for number in names), default=0)
    for folder, given in by_folder.items():
        if len(found[given]) != last + 1:
            number = next(number for number in count() if number not in found[given])
            raise foreign(tree.where(f"{folder}{number}.npy"), "it is missing")
    return [{given: found[given][number] for given in maps} for number in range(last + 1)]
