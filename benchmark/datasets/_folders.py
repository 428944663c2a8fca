"""Pictures of the user's own in folders by class: where they lie, which part and which class each belongs to."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from benchmark.archives import Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import ForeignError, Found
from benchmark.datasets._images import fill_images
from benchmark.datasets._photographs import SIDE
from benchmark.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
PARTS = {"train": Split.TRAIN, "validation": Split.VALIDATION, "val": Split.VALIDATION, "test": Split.TEST}
UNLABELLED = ("unlabelled", "unlabeled")
"""Names of the folder whose pictures have no class; the first one stands in the list of classes."""

SMALL_SIDE = 64
"""Pictures are kept small where no side of any is longer."""
LEAST_SIDE = 16
"""A ConvNet of four layers halves its input four times."""


@dataclass(frozen=True)
class File:
    """A file that lies at `path` in `tree`."""

    tree: Tree
    path: str

    @property
    def where(self) -> str:
        """What messages call it."""
        return self.tree.where(self.path)


@dataclass(frozen=True)
class Picture(File):
    """A picture file.

    Attributes:
        split: The part it belongs to.
        label: Name of its class.
        below: Its path below the folder of its class.
        name: The name of the part and its path there, of which a table may give the end.
    """

    split: Split
    label: str
    below: tuple[str, ...]
    name: str


def find_parts(folder: Path) -> Found:
    """Return the folders or archives of pictures in `folder`, by the part they play; none if there are none.

    Those of the parts `train`, `validation` and `test`, or `images`, each with `unlabelled` beside it; or the folder
    itself, if it has sub-folders of pictures.
    """
    parts = {name: path for name in ("train", "test") if (path := Tree.first(folder, name))}
    if validation := Tree.first(folder, "validation", "val"):
        parts["validation"] = validation
    if "train" not in parts:
        images = Tree.first(folder, "images")
        parts = {"images": images} if images and (images.is_file() or _has_pictures(images, depth=4)) else {}
    if parts and (unlabelled := Tree.first(folder, *UNLABELLED)):
        parts["unlabelled"] = unlabelled
    return parts or ({"images": folder} if _has_pictures(folder, depth=2) else {})


def _has_pictures(folder: Path, *, depth: int) -> bool:
    """Return whether a picture lies in a sub-folder, at most `depth` names below `folder`."""
    with os.scandir(folder) as entries:
        below = [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return any(
        any(is_picture(name.name) for name in path.iterdir()) or (depth > 2 and _has_pictures(path, depth=depth - 1))
        for path in below
    )


def is_picture(name: str) -> bool:
    """Return whether a file's path is that of a picture."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Return whether a file is hidden, as those are that archives made on a Mac have beside each picture."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def list_pictures(found: Found) -> list[Picture]:
    """Return all pictures, in an order that does not depend on what they are packed in.

    Raises:
        UserError: There are none, or one lies where it has no class.
    """
    pictures = []
    for role in (role for role in ("images", *PARTS, "unlabelled") if role in found):
        tree = Tree(found[role])
        names = [name for name in tree.names() if is_picture(name)]
        if not names:
            raise UserError(f"{found[role]} holds no pictures; they are files called {', '.join(SUFFIXES)}")
        paths = list(_without_common_folders(names, role))
        if role == "images":
            _check_parts({parts[0] for parts, _ in paths}, tree.path)
        pictures += [_placed(role, parts, File(tree, name)) for parts, name in paths]
    return sorted(pictures, key=lambda picture: (picture.split, picture.label, picture.below))


def _without_common_folders(names: Sequence[str], role: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the parts of each path without the folders that all share, as archives have them, and the path."""
    paths = [PurePosixPath(name).parts for name in names]
    kept = PARTS if role == "images" else ()
    while (
        all(len(parts) > 2 for parts in paths) and len({parts[0] for parts in paths}) == 1 and paths[0][0] not in kept
    ):
        paths = [parts[1:] for parts in paths]
    yield from zip(paths, names, strict=True)


def _check_parts(folders: set[str], where: Path) -> None:
    """Refuse a part beside folders of classes, or without a training part."""
    given, others = folders & {*PARTS}, folders - {*PARTS, *UNLABELLED}
    if given and ("train" not in given or others):
        wrong = f"{min(others)} stands beside it: move it into train" if others else "there is no train"
        raise UserError(f"{where} has the part {min(given)}, and {wrong}")


def _placed(role: str, parts: tuple[str, ...], file: File) -> Picture:
    """Return the picture whose path, without common folders, has these parts."""
    name = f"{role}/{file.path}"
    if role == "unlabelled":
        return Picture(file.tree, file.path, Split.TRAIN, UNLABELLED[0], parts, name)
    split = PARTS.get(role, Split.TRAIN)
    if role == "images" and parts[0] in PARTS:
        split, parts = PARTS[parts[0]], parts[1:]
    if len(parts) < 2:
        raise UserError(
            f"{file.where} lies in no folder of a class; put it into that of its class, or into {UNLABELLED[0]}"
        )
    label = UNLABELLED[0] if parts[0] in UNLABELLED else parts[0]
    if label == UNLABELLED[0] and split != Split.TRAIN:
        raise UserError(f"{file.where} has no class to be judged by; move its folder to the training pictures")
    return Picture(file.tree, file.path, split, label, parts[1:], name)


def stored_side(pictures: Sequence[Picture]) -> int:
    """Return the side of the square in which all pictures are stored.

    That of the longest side of any where it is at most `SMALL_SIDE`, else `SIDE`.
    """
    longest = LEAST_SIDE
    for tree, paths in by_tree(pictures):
        for name, content in tree.read_all(list(paths)):
            try:
                longest = max(longest, *Image.open(io.BytesIO(content)).size)
            except Exception as error:  # of the file, whatever that holds
                raise UserError(f"{tree.where(name)}: not a picture that can be read; repair or remove it") from error
            if longest > SMALL_SIDE:
                return SIDE
    return longest


def by_tree(files: Sequence[File]) -> Iterator[tuple[Tree, dict[str, int]]]:
    """Yield each folder or archive with the rows of the files that lie in it."""
    found: dict[Path, tuple[Tree, dict[str, int]]] = {}
    for row, file in enumerate(files):
        found.setdefault(file.tree.path, (file.tree, {}))[1][file.path] = row
    yield from found.values()


def add_pictures(arrays: Arrays, pictures: Sequence[Picture]) -> None:
    """Write `image` (N, 3, side, side), upright, stretched to a square."""
    side = stored_side(pictures)
    images = arrays.new("image", (len(pictures), 3, side, side), np.uint8)
    with of_the_user():
        for tree, rows in by_tree(pictures):
            fill_images(images, tree, rows, resize="stretch", upright=True)


@contextmanager
def of_the_user() -> Iterator[None]:
    """Say of a file that cannot be read what to do where no official one can take its place."""
    try:
        yield
    except ForeignError as error:
        raise UserError(f"{error.path}: {error.why}; repair or remove it") from error
