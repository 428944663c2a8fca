"""The user's own images with label, depth and normal maps in parallel folders."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmark.cache import Arrays, Prepared
from benchmark.dataset import Found, foreign
from benchmark.datasets._dense_folders import DEPTH, LABELS, NORMALS, Scene, find_maps, list_scenes
from benchmark.datasets._dense_sample import write_dense
from benchmark.datasets._folders import File, by_tree, of_the_user
from benchmark.datasets._images import fill_images
from benchmark.datasets._maps import UNLABELLED, nearest, read_depth, read_labels, read_normals, size_of
from benchmark.datasets._own import OwnData
from benchmark.errors import UserError

MULTIPLE = 32
"""What divides the sides of every image that a SegNet takes."""
LONGEST_SIDE = 384
"""That of NYUv2, the largest images of the paper."""
NAMES = "classes.txt"

Size = tuple[int, int]


class FolderDense(OwnData):
    """Arrays: `image` (N, 3, H, W), `label` (N, 1, H, W), `depth` (N, 1, H, W) and `normal` (N, 3, H, W).

    All are stretched to one size, see `stored_size`; maps take the nearest pixel. A map that is not there is unknown in
    all of its pixels. `depth` and `normal` are only there if any image has them.
    """

    title = "Your images with label, depth and normal maps"
    layout = (
        "it takes the folders images and labels, with depth and normals if there are any, beside each other or in "
        "train, validation and test, plain or as .tar.gz or .zip; or try --sample"
    )

    def find(self, folder: Path) -> Found | None:
        """Return the folders or archives of images and maps, and the names of the classes."""
        maps = find_maps(folder)
        names = {"classes": folder / NAMES} if (folder / NAMES).is_file() else {}
        return {**maps, **names} if maps else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the scenes, those of the training set first, by name."""
        scenes = list_scenes({role: path for role, path in found.items() if role != "classes"})
        with of_the_user():
            sizes = _sizes([scene.image for scene in scenes])
            size = stored_size(sizes)
            images = arrays.new("image", (len(scenes), 3, *size), np.uint8)
            for tree, rows in by_tree([scene.image for scene in scenes]):
                fill_images(images, tree, rows, resize="stretch")
            labels = arrays.new("label", (len(scenes), 1, *size), np.int16)
            labels[...] = UNLABELLED
            _fill(labels, scenes, LABELS, lambda *file: read_labels(*file)[None], sizes)
            if any(DEPTH in scene.maps for scene in scenes):
                depth = arrays.new("depth", (len(scenes), 1, *size), np.float32)
                _fill(depth, scenes, DEPTH, lambda *file: read_depth(*file)[None], sizes)
            if any(NORMALS in scene.maps for scene in scenes):
                normals = arrays.new("normal", (len(scenes), 3, *size), np.float32)
                _fill(normals, scenes, NORMALS, read_normals, sizes)
        arrays.add("split", [scene.split for scene in scenes], np.uint8)
        arrays.name("label", _class_names(found.get("classes"), int(labels.max()), next(iter(found.values()))))

    def facts(self, prepared: Prepared) -> Mapping[str, str]:
        """Return the share of pixels of each class, and of those that are known, by the map."""
        labels = prepared.tensors["label"].numpy()
        counts = np.bincount(labels[labels >= 0], minlength=len(prepared.names["label"]))
        shares = zip(prepared.names["label"], counts / counts.sum(), strict=True)
        found = {
            "classes": ", ".join(f"{name} ({share:.1%})" for name, share in shares),
            "labelled": f"{(labels >= 0).mean():.1%} of the pixels",
        }
        for name in ("depth", "normal"):
            if name in prepared.tensors:
                known = prepared.tensors[name].numpy().any(1).mean()
                found[name] = f"known of {known:.1%} of the pixels"
        return found

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write drawn scenes with all maps."""
        write_dense(folder, seed)


def stored_size(sizes: Sequence[Size]) -> Size:
    """Return height and width in which images of these sizes are stored.

    Those of the largest image, made smaller to `LONGEST_SIDE` where they are longer, each to the nearest multiple of
    32, at least 32.
    """
    height, width = max(sizes, key=lambda size: (size[0] * size[1], size))
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    rows, columns = (max(1, int(scale * side / MULTIPLE + 0.5)) * MULTIPLE for side in (height, width))
    return rows, columns


def _sizes(images: Sequence[File]) -> list[Size]:
    found = [(0, 0)] * len(images)
    for tree, rows in by_tree(images):
        for name, content in tree.read_all(rows):
            found[rows[name]] = size_of(content, tree.where(name))
    return found


def _fill(
    array: np.ndarray,
    scenes: Sequence[Scene],
    kind: str,
    read: Callable[[bytes, str], np.ndarray],
    sizes: Sequence[Size],
) -> None:
    """Write the maps of one kind, each of the size of its image, into the rows of `array` (N, channels, H, W)."""
    rows = [row for row, scene in enumerate(scenes) if kind in scene.maps]
    for tree, places in by_tree([scenes[row].maps[kind] for row in rows]):
        for name, content in tree.read_all(places):
            row, where = rows[places[name]], tree.where(name)
            values = read(content, where)
            if values.shape[1:] != sizes[row]:
                found, wanted = (f"{height} x {width}" for height, width in (values.shape[1:], sizes[row]))
                raise foreign(where, f"{found} pixels, and its image has {wanted}")
            array[row] = nearest(values, array.shape[-2:])


def _class_names(path: Path | None, highest: int, where: Path) -> list[str]:
    """Return the names of the classes, numbers where there is no list of them."""
    if path is None:
        if highest < 1:
            raise UserError(f"{where.parent}: the labels have {highest + 1} class; there must be two or more")
        return [str(number) for number in range(highest + 1)]
    try:
        names = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise UserError(f"{path}: it is not in UTF-8; save it as text in UTF-8, a class a line") from None
    if len(set(names)) != len(names) or len(names) < 2:
        raise UserError(f"{path}: it must name two or more classes, one a line, each once")
    if highest >= len(names):
        raise UserError(
            f"{path}: it names {len(names)} classes, from 0 to {len(names) - 1}; the labels go to {highest}"
        )
    return names
