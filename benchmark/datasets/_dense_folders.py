"""Images of the user's own with maps in parallel folders: which files belong together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmark.archives import Tree
from benchmark.cache import Split
from benchmark.dataset import Found
from benchmark.datasets._folders import PARTS, File, is_hidden, is_picture
from benchmark.errors import UserError

IMAGES, LABELS, DEPTH, NORMALS = "images", "labels", "depth", "normals"
MAPS = (LABELS, DEPTH, NORMALS)
MAP_SUFFIXES = (".png", ".npy")


@dataclass(frozen=True)
class Scene:
    """An image and those of its maps that there are, by the name of their folder."""

    split: Split
    image: File
    maps: Mapping[str, File]


def find_maps(folder: Path) -> Found | None:
    """Return the folders or archives `images`, `labels` and of further maps, in `folder` or in each of its parts."""
    found: dict[str, Path] = {}
    for part in ("", *PARTS):
        if (folder / part).is_dir():
            below = {name: Tree.first(folder / part, name) for name in (IMAGES, *MAPS)}
            found |= {f"{part}/{name}".strip("/"): path for name, path in below.items() if path is not None}
    return found if any(f"{part}/{LABELS}".strip("/") in found for part in ("", "train")) else None


def list_scenes(found: Found) -> list[Scene]:
    """Return all scenes in the order of their parts and names.

    Raises:
        UserError: A map has no image, an image of validation or test no labels, or two files are the same map.
    """
    files: dict[str, dict[tuple[Split, str], File]] = {name: {} for name in (IMAGES, *MAPS)}
    for role, path in found.items():
        part, _, name = role.rpartition("/")
        for key, file in _files(Tree(path), name, PARTS.get(part)).items():
            if key in files[name]:
                raise UserError(f"{file.where} and {files[name][key].where} are the same by name; take one out")
            files[name][key] = file
    images = files[IMAGES]
    for name in MAPS:
        if alone := next((file for key, file in files[name].items() if key not in images), None):
            raise UserError(f"{alone.where} belongs to no image; there is none of its name in {IMAGES}")
    for (split, _), image in images.items():
        if split != Split.TRAIN and (split, _) not in files[LABELS]:
            raise UserError(f"{image.where} has no labels to be judged by; move it to the training images")
    if not files[LABELS]:
        raise UserError(f"{next(iter(found.values()))} has no images with labels")
    return [
        Scene(key[0], image, {name: files[name][key] for name in MAPS if key in files[name]})
        for key, image in sorted(images.items())
    ]


def _files(tree: Tree, name: str, split: Split | None) -> dict[tuple[Split, str], File]:
    """Return the files of one kind by part and name without its suffix."""
    wanted = is_picture if name == IMAGES else _is_map
    paths = [path for path in tree.names() if wanted(path)]
    nested = all(PurePosixPath(path).parts[0] == name for path in paths)  # as archives have it
    found: dict[tuple[Split, str], File] = {}
    for path in paths:
        parts = PurePosixPath(path).with_suffix("").parts[nested:]
        own, rest = (PARTS[parts[0]], parts[1:]) if split is None and parts[0] in PARTS else (split, parts)
        key = own or Split.TRAIN, "/".join(rest)
        if key in found:
            raise UserError(f"{tree.where(path)} and {found[key].where} are the same by name; take one out")
        found[key] = File(tree, path)
    return found


def _is_map(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in MAP_SUFFIXES and not is_hidden(path)
