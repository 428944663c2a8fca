"""What data sets of photographs share: files by their own names, pictures of one size, official numbers of samples."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from benchmark.archives import Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import foreign
from benchmark.datasets._images import fill_images

SIDE = 256
"""Height and width to which photographs are stretched; crops of 224 x 224 pixels are cut from that."""


def located(tree: Tree, names: Sequence[str]) -> list[str]:
    """Return the path of each of these files, in whatever folder of the tree it lies; the uppermost of several.

    Raises:
        UserError: One is missing.
    """
    paths = {PurePosixPath(path).name: path for path in sorted(tree.names(), key=lambda path: -path.count("/"))}
    missing = [name for name in names if name not in paths]
    if missing:
        raise foreign(tree.path, f"{missing[0]} is missing in it")
    return [paths[name] for name in names]


def add_photographs(arrays: Arrays, parts: Sequence[tuple[Tree, Sequence[str]]]) -> None:
    """Write `image` (N, 3, 256, 256): the pictures at these paths of each part, in this order, stretched."""
    images = arrays.new("image", (sum(len(paths) for _, paths in parts), 3, SIDE, SIDE), np.uint8)
    start = 0
    for tree, paths in parts:
        fill_images(images, tree, {path: start + row for row, path in enumerate(paths)}, resize="stretch")
        start += len(paths)


def check_unique(names: Sequence[str], where: str) -> None:
    """Refuse a list that names a picture twice."""
    if len(set(names)) != len(names):
        twice = next(name for row, name in enumerate(names) if name in names[:row])
        raise foreign(where, f"it lists {twice} twice")


def check_sizes(splits: Sequence[Split], official: Mapping[Split, int], where: str) -> None:
    """Refuse a release with all of its classes, but with other numbers of samples than the official one."""
    found = {split: splits.count(split) for split in official}
    if found != official:
        counts, wanted = (
            " and ".join(f"{number:,} {split.name.lower()}" for split, number in sizes.items())
            for sizes in (found, official)
        )
        raise foreign(where, f"{counts} samples instead of {wanted} of the official release")
