"""Cityscapes as preprocessed for MTAN: 3,475 street scenes with 19, 7 and 2 classes and disparity."""

from pathlib import Path

import numpy as np

from benchmark.cache import Arrays, Split
from benchmark.dataset import Dataset, Found, Source
from benchmark.datasets._npy import IMAGE, Map, Official, decode_release, find_release, label_map, write_scenes
from benchmark.datasets._scenes import UNLABELLED, View, ball, box, hidden, nearest, photograph, pixel_rays

CATEGORIES = {
    "flat": ("road", "sidewalk"),
    "construction": ("building", "wall", "fence"),
    "object": ("pole", "traffic light", "traffic sign"),
    "nature": ("vegetation", "terrain"),
    "sky": ("sky",),
    "human": ("person", "rider"),
    "vehicle": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
}
"""The official categories of the 19 official classes, both in the official order."""
CLASSES = tuple(name for names in CATEGORIES.values() for name in names)
CATEGORY = np.repeat(np.arange(len(CATEGORIES)), [len(names) for names in CATEGORIES.values()])
"""Category of each class."""
FOREGROUND = ("background", "foreground")
IN_FOREGROUND = ("human", "vehicle")

OFFICIAL = Official(2975, 500, (128, 256))
MAPS = (
    IMAGE,
    label_map("label_19", len(CLASSES)),
    label_map("label_7", len(CATEGORIES)),
    label_map("label_2", len(FOREGROUND)),
    Map("disparity", "depth", 1, 0, 1),
)
NAMES = {"label_19": CLASSES, "label_7": tuple(CATEGORIES), "label_2": FOREGROUND}

SAMPLE_SIZE = (32, 64)
SAMPLE_SCENES = {Split.TRAIN: 160, Split.TEST: 24}
DISPARITY_AT_ONE_METRE = 1.0
"""Disparity is inverse depth; nothing that is drawn is nearer."""
_GROUND, _FAR = 1.3, 60.0
_OBJECTS = {
    "person": (0.6, 1.8, 0.4),
    "rider": (0.6, 2.2, 1.0),
    "car": (1.9, 1.5, 4.0),
    "truck": (2.5, 3.2, 7.0),
    "bus": (2.6, 3.4, 10.0),
    "train": (3.0, 3.8, 16.0),
    "motorcycle": (0.8, 1.2, 2.0),
    "bicycle": (0.6, 1.1, 1.7),
    "pole": (0.2, 5.0, 0.2),
}
"""Width, height and length in metres of what stands on the ground."""


class Cityscapes(Dataset):
    """Arrays: `image` (N, 3, 128, 256), `label_19`, `label_7`, `label_2` and `disparity`, all (N, 1, 128, 256).

    The order is that of the files' numbers, -1 stands for no label, a disparity of 0 for an unknown one. The release
    has all three kinds of labels; that their numbers follow the official order of classes and categories, which
    matters for names alone, is our reading. Images come as fractions and are rounded to multiples of 1/255: off by
    0.002 at most. Disparities lie between 0 and 0.5 and are kept in float32.
    """

    title = "Cityscapes, preprocessed for MTAN at 128 x 256"
    licence = "for non-commercial use, see https://www.cityscapes-dataset.com/license/"
    homepage = "https://github.com/lorenmt/mtan"
    citation = "Cordts et al., The Cityscapes dataset, CVPR 2016; preprocessed by Liu, Johns and Davison, CVPR 2019"
    sources = (Source("cityscapes2.zip"),)
    content = OFFICIAL.content(MAPS, NAMES)

    def find(self, folder: Path) -> Found | None:
        """Return the folder with `train` and `val` in it, or the archive `cityscapes2` or `cityscapes`."""
        return find_release(folder, ("cityscapes2", "cityscapes"), mark="label_19")

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the scenes of `train`, then of `val`."""
        decode_release(found["release"], MAPS, OFFICIAL, arrays)
        for array, names in NAMES.items():
            arrays.name(array, names)

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write streets seen through a pinhole camera, disparity from the same geometry; the sky has none."""
        rng = np.random.default_rng(seed)
        scenes = {split: [_maps(_street(rng), rng) for _ in range(count)] for split, count in SAMPLE_SCENES.items()}
        write_scenes(folder, MAPS, scenes)


def _street(rng: np.random.Generator) -> View:
    """Return a view along a road between buildings, fences and trees."""
    rays, number = pixel_rays(*SAMPLE_SIZE), {name: index for index, name in enumerate(CLASSES)}
    sky, kerb, fronts = number["sky"], rng.uniform(3, 5), rng.uniform(7, 9)
    views = [
        box(
            rays, (-1e4, -1e4, -1), (1e4, _GROUND + 0.3, 1e4), (sky, sky, sky, number["terrain"], sky, sky), inside=True
        )
    ]
    views.append(box(rays, (-fronts, _GROUND + 0.2, 0), (fronts, 2 * _GROUND, _FAR), number["sidewalk"]))
    views.append(box(rays, (-kerb, _GROUND, 0), (kerb, 2 * _GROUND, _FAR), number["road"]))
    for side in (-1, 1):
        start = 2.0
        for name in rng.choice(["building", "building", "wall", "fence", "vegetation"], 4):
            end, height = start + rng.uniform(6, 14), {"building": 9.0, "wall": 2.0, "fence": 1.2}.get(name, 0)
            near, far = sorted((side * fronts, side * (fronts + 6)))
            if height:
                views.append(box(rays, (near, _GROUND - height, start), (far, _GROUND + 0.3, end), number[name]))
            else:
                views.append(ball(rays, (side * (fronts + 1), -1.5, (start + end) / 2), 3.0, number[name]))
            start = end
    for name in rng.choice(list(_OBJECTS), 5):
        views += _object(rays, str(name), number, kerb, rng)
    return nearest(views)


def _object(rays: np.ndarray, name: str, number: dict[str, int], kerb: float, rng: np.random.Generator) -> list[View]:
    """Return a person or vehicle somewhere on the ground, or a pole at the kerb with a light or a sign on it."""
    width, height, length = _OBJECTS[name]
    x = rng.choice([-kerb, kerb]) if name == "pole" else rng.uniform(-kerb, kerb - width)
    z = rng.uniform(4, 16)
    views = [box(rays, (x, _GROUND - height, z), (x + width, _GROUND, z + length), number[name])]
    if name == "pole":
        head = number[str(rng.choice(["traffic light", "traffic sign"]))]
        views.append(box(rays, (x - 0.4, _GROUND - height, z - 0.1), (x + 0.6, _GROUND - height + 1.2, z), head))
    return views


def _maps(view: View, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the maps of a scene."""
    unlabelled, unknown = (hidden(*SAMPLE_SIZE, rng) for _ in range(2))
    unknown |= view.label == CLASSES.index("sky")
    foreground = np.isin(list(CATEGORIES), IN_FOREGROUND)
    category = CATEGORY[view.label]
    labels = {"label_19": view.label, "label_7": category, "label_2": foreground[category]}
    return {
        "image": photograph(view, len(CLASSES), rng),
        **{array: np.where(unlabelled, UNLABELLED, label) for array, label in labels.items()},
        "disparity": np.where(unknown, 0, DISPARITY_AT_ONE_METRE / view.depth)[..., None],
    }
