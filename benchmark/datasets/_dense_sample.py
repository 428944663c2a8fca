"""Drawn scenes in parallel folders: images, label and depth maps, normals."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.datasets._scenes import UNLABELLED, View, ball, box, hidden, nearest, photograph, pixel_rays

CLASSES = ("floor", "wall", "crate", "ball")
SCENES = 36
WITHOUT_LABELS = 6
SIZE = (32, 64)
MILLIMETRES = 1000


def write_dense(folder: Path, seed: int) -> None:
    """Write `images` and `normals` as 8-bit PNG, `labels` in grey values, `depth` in millimetres, and `classes.txt`.

    The last scenes have no labels.
    """
    rng = np.random.default_rng(seed)
    for name in ("images", "labels", "depth", "normals"):
        (folder / name).mkdir()
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    for number in range(SCENES):
        view, file = _scene(rng), f"{number:02}.png"
        unlabelled, unknown = (hidden(*SIZE, rng) for _ in range(2))
        image = np.rint(255 * photograph(view, len(CLASSES), rng)).astype(np.uint8)
        labels = np.where(unlabelled | (view.label == UNLABELLED), 255, view.label).astype(np.uint8)
        depth = np.where(unknown, 0, np.rint(MILLIMETRES * view.depth)).astype(np.uint16)
        normals = np.rint(127.5 * (np.where(unknown, 0, view.normal) + 1)).astype(np.uint8)
        Image.fromarray(image).save(folder / "images" / file)
        Image.fromarray(depth).save(folder / "depth" / file)
        Image.fromarray(np.ascontiguousarray(normals.transpose(1, 2, 0))).save(folder / "normals" / file)
        if number < SCENES - WITHOUT_LABELS:
            Image.fromarray(labels).save(folder / "labels" / file)


def _scene(rng: np.random.Generator) -> View:
    """Return the view of a hall with two crates and a ball."""
    rays = pixel_rays(*SIZE)
    back = rng.uniform(4, 6)
    hall = box(rays, (-3, -3, -1), (3, 1, back), (1, 1, 1, 0, 1, 1), inside=True)
    crates = []
    for _ in range(2):
        side, x, z = rng.uniform(0.6, 1.2), rng.uniform(-2, 1), rng.uniform(1.8, back - 1.5)
        crates.append(box(rays, (x, 1 - side, z), (x + side, 1, z + side), 2))
    return nearest([hall, *crates, ball(rays, (rng.uniform(-1.5, 1.5), 0.4, rng.uniform(1.5, 3)), 0.5, 3)])
