"""NYU Depth V2 as preprocessed for MTAN: 1,449 indoor scenes with classes, depth and surface normals."""

from pathlib import Path

import numpy as np

from benchmark.cache import Arrays, Split
from benchmark.dataset import Dataset, Found, Source
from benchmark.datasets._npy import (
    IMAGE,
    Map,
    Official,
    decode_release,
    find_release,
    label_map,
    write_scenes,
)
from benchmark.datasets._scenes import UNLABELLED, ball, box, hidden, nearest, photograph, pixel_rays

CLASSES = (
    *("bed", "books", "ceiling", "chair", "floor", "furniture", "objects", "picture", "sofa", "table", "tv", "wall"),
    "window",
)
OFFICIAL = Official(795, 654, (288, 384))
MAPS = (
    IMAGE,
    label_map("label", len(CLASSES)),
    Map("depth", "depth", 1, 0, 100),
    Map("normal", "normal", 3, -1.1, 1.1),
)

SAMPLE_SIZE = (32, 64)
SAMPLE_SCENES = {Split.TRAIN: 160, Split.TEST: 24}
_CEILING, _FLOOR = -1.2, 1.3
_PIECES = {
    "bed": (1.6, 0.5, 1.8),
    "chair": (0.5, 0.9, 0.5),
    "furniture": (0.9, 1.8, 0.5),
    "sofa": (1.6, 0.8, 0.8),
    "table": (1.2, 0.7, 0.7),
}
"""Width, height and depth of what stands on the floor."""
_ON_THE_WALL = {"books": (0.9, 0.5), "picture": (0.7, 0.6), "tv": (1.1, 0.7), "window": (1.0, 1.2)}
"""Width and height."""


class NYUv2(Dataset):
    """Arrays: `image` (N, 3, 288, 384), `label` (N, 1, 288, 384), `depth` in metres, alike, `normal` (N, 3, 288, 384).

    The order is that of the files' numbers. -1 stands for no label, a depth of 0 for an unknown one, the vector 0 for
    an unknown normal. Images come as fractions, scaled down from the photographs, and are rounded to multiples of
    1/255: off by 0.002 at most. Depth and normals are kept in float32.
    """

    title = "NYU Depth V2, preprocessed for MTAN"
    licence = "none stated; for research, with citation"
    homepage = "https://github.com/lorenmt/mtan"
    citation = "Silberman, Hoiem, Kohli and Fergus, ECCV 2012; preprocessed by Liu, Johns and Davison, CVPR 2019"
    sources = (Source("nyuv2.zip"),)
    content = OFFICIAL.content(MAPS, {"label": CLASSES})

    def find(self, folder: Path) -> Found | None:
        """Return the folder with `train` and `val` in it, or the archive `nyuv2`."""
        return find_release(folder, ("nyuv2",), mark="normal")

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the scenes of `train`, then of `val`."""
        decode_release(found["release"], MAPS, OFFICIAL, arrays)
        arrays.name("label", CLASSES)

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write rooms with furniture, seen through a pinhole camera, depth and normals from the same geometry."""
        rng = np.random.default_rng(seed)
        scenes = {split: [_room(rng) for _ in range(count)] for split, count in SAMPLE_SCENES.items()}
        write_scenes(folder, MAPS, scenes)


def _room(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the maps of a scene."""
    rays, number = pixel_rays(*SAMPLE_SIZE), {name: index for index, name in enumerate(CLASSES)}
    left, right, back = -rng.uniform(1.5, 2.5), rng.uniform(1.5, 2.5), rng.uniform(4, 6)
    wall = number["wall"]
    faces = (wall, wall, number["ceiling"], number["floor"], wall, wall)
    views = [box(rays, (left, _CEILING, -1), (right, _FLOOR, back), faces, inside=True)]
    for name in rng.choice(list(_PIECES), 3, replace=False):
        width, height, depth = np.array(_PIECES[name]) * rng.uniform(0.8, 1.2, 3)
        x, z = rng.uniform(left, right - width), rng.uniform(1.6, back - depth)
        views.append(box(rays, (x, _FLOOR - height, z), (x + width, _FLOOR, z + depth), number[name]))
    for name in rng.choice(list(_ON_THE_WALL), 2, replace=False):
        width, height = _ON_THE_WALL[name]
        x, y = rng.uniform(left, right - width), rng.uniform(_CEILING, 0.5 - height)
        views.append(box(rays, (x, y, back - 0.05), (x + width, y + height, back), number[name]))
    centre = (rng.uniform(left, right), rng.uniform(-0.2, 0.8), rng.uniform(1.5, 3))
    views.append(ball(rays, centre, rng.uniform(0.15, 0.35), number["objects"]))
    view = nearest(views)
    unlabelled, unknown = (hidden(*SAMPLE_SIZE, rng) for _ in range(2))
    return {
        "image": photograph(view, len(CLASSES), rng),
        "label": np.where(unlabelled, UNLABELLED, view.label),
        "depth": np.where(unknown, 0, view.depth)[..., None],
        "normal": np.where(unknown, 0, view.normal).transpose(1, 2, 0),
    }
