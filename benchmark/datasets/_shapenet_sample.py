"""Drawn shapes of a few blocks a part, in the official layout of the ShapeNet part release without normals."""

import json
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmark.cache import Split
from benchmark.datasets._shapenet_categories import CATEGORIES, LISTS, Category

SIZES = {Split.TRAIN: 12, Split.VALIDATION: 4, Split.TEST: 6}
"""Shapes of each category."""

POINTS = range(100, 129)
"""Numbers of points of a shape, which are far smaller than in the official files."""

Vector = tuple[float, float, float]


class Block(NamedTuple):
    """A box or a ball, and its mirror images; y is up."""

    kind: Literal["box", "ball"]
    centre: Vector
    half: Vector
    mirrors: str = ""


def _box(centre: Vector, half: Vector, mirrors: str = "") -> Block:
    return Block("box", centre, half, mirrors)


def _ball(centre: Vector, half: Vector, mirrors: str = "") -> Block:
    return Block("ball", centre, half, mirrors)


BLOCKS: dict[str, tuple[Block, ...]] = {
    "airplane": (
        _ball((0, 0, 0), (0.12, 0.12, 1)),
        _box((0.55, 0, 0.1), (0.45, 0.02, 0.15), "x"),
        _box((0, 0.2, -0.9), (0.02, 0.2, 0.1)),
        _ball((0.4, -0.1, 0.2), (0.06, 0.06, 0.18), "x"),
    ),
    "bag": (_ball((0, 0.75, 0), (0.25, 0.25, 0.04)), _box((0, 0, 0), (0.7, 0.5, 0.25))),
    "cap": (_ball((0, 0, 0), (0.5, 0.4, 0.5)), _box((0, -0.1, 0.75), (0.35, 0.03, 0.3))),
    "car": (
        _box((0, 0.45, -0.1), (0.35, 0.04, 0.4)),
        _box((0, 0.2, 0.8), (0.4, 0.05, 0.25)),
        _ball((0.45, -0.2, 0.6), (0.08, 0.2, 0.2), "xz"),
        _box((0, 0.1, -0.2), (0.45, 0.2, 0.7)),
    ),
    "chair": (
        _box((0, 0.5, -0.45), (0.45, 0.45, 0.05)),
        _box((0, 0, 0), (0.45, 0.05, 0.45)),
        _box((0.4, -0.5, 0.4), (0.04, 0.45, 0.04), "xz"),
        _box((0.45, 0.3, 0), (0.04, 0.04, 0.4), "x"),
    ),
    "earphone": (
        _ball((0.6, 0, 0), (0.12, 0.25, 0.25), "x"),
        _box((0, 0.6, 0), (0.6, 0.05, 0.06)),
        _box((0.6, -0.7, 0), (0.02, 0.4, 0.02)),
    ),
    "guitar": (
        _box((0, 0.95, 0), (0.1, 0.12, 0.04)),
        _box((0, 0.4, 0), (0.05, 0.4, 0.03)),
        _ball((0, -0.4, 0), (0.35, 0.45, 0.1)),
    ),
    "knife": (_box((0, 0, 0.5), (0.02, 0.12, 0.5)), _box((0, 0, -0.3), (0.05, 0.07, 0.3))),
    "lamp": (
        _box((0, -0.9, 0), (0.35, 0.05, 0.35)),
        _ball((0, 0.6, 0), (0.4, 0.3, 0.4)),
        _box((0, 1, 0), (0.15, 0.05, 0.15)),
        _box((0, -0.3, 0), (0.03, 0.55, 0.03)),
    ),
    "laptop": (_box((0, 0, 0.35), (0.6, 0.03, 0.35)), _box((0, 0.4, -0.1), (0.6, 0.38, 0.03))),
    "motorbike": (
        _ball((0, 0.4, 0.1), (0.12, 0.12, 0.25)),
        _box((0, 0.38, -0.4), (0.12, 0.05, 0.25)),
        _ball((0, -0.1, 0.7), (0.08, 0.35, 0.35), "z"),
        _box((0.25, 0.65, 0.4), (0.2, 0.03, 0.03), "x"),
        _ball((0, 0.45, 0.65), (0.1, 0.1, 0.08)),
        _box((0, 0.1, 0), (0.15, 0.15, 0.35)),
    ),
    "mug": (_ball((0.6, 0, 0), (0.2, 0.25, 0.05)), _box((0, 0, 0), (0.4, 0.5, 0.4))),
    "pistol": (
        _box((0, 0.2, 0.2), (0.06, 0.12, 0.7)),
        _box((0, -0.3, -0.35), (0.06, 0.4, 0.13)),
        _ball((0, -0.05, 0), (0.03, 0.12, 0.12)),
    ),
    "rocket": (
        _ball((0, 0, 0), (0.2, 0.9, 0.2)),
        _box((0.3, -0.7, 0), (0.15, 0.25, 0.02), "x"),
        _ball((0, 0.95, 0), (0.1, 0.2, 0.1)),
    ),
    "skateboard": (
        _ball((0.15, -0.15, 0.6), (0.06, 0.08, 0.08), "xz"),
        _box((0, 0, 0), (0.25, 0.03, 1)),
        _box((0, -0.1, 0.6), (0.1, 0.04, 0.05), "z"),
    ),
    "table": (
        _box((0, 0.4, 0), (0.8, 0.05, 0.5)),
        _box((0.7, -0.1, 0.4), (0.05, 0.45, 0.05), "xz"),
        _box((0, -0.2, 0), (0.6, 0.04, 0.04)),
    ),
}
"""A block, with its mirror images, for each part of each category, in the order of the official labels."""


def write_sample(folder: Path, seed: int) -> None:
    """Write the release's folder: points, labels, official lists and names of the categories."""
    rng = np.random.default_rng(seed)
    listed: dict[Split, list[str]] = {split: [] for split in SIZES}
    for offset, category in CATEGORIES.items():
        for part in ("points", "points_label"):
            (folder / offset / part).mkdir(parents=True)
        for split in (split for split, size in SIZES.items() for _ in range(size)):
            name = rng.bytes(16).hex()
            points, labels = draw(category, rng)
            lines = "".join(f"{x:.5f} {y:.5f} {z:.5f}\n" for x, y, z in points)
            (folder / offset / "points" / f"{name}.pts").write_text(lines)
            (folder / offset / "points_label" / f"{name}.seg").write_text("".join(f"{label}\n" for label in labels))
            listed[split].append(f"shape_data/{offset}/{name}")
    (folder / "train_test_split").mkdir()
    for split, shapes in listed.items():
        (folder / LISTS[split]).write_text(json.dumps([shapes[row] for row in rng.permutation(len(shapes))]))
    names = "".join(f"{category.name.capitalize()}\t{offset}\n" for offset, category in CATEGORIES.items())
    (folder / "synsetoffset2category.txt").write_text(names)


def draw(category: Category, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (P, 3) of a shape, in random order, and their labels (P,) from 1.

    The whole and each part vary in proportions; one shape in five lacks the last of three or more parts.
    """
    blocks = BLOCKS[category.name]
    if len(blocks) > 2 and rng.random() < 0.2:
        blocks = blocks[:-1]
    share = np.sqrt([sum(block.half) for block in blocks])
    labels = 1 + rng.choice(len(blocks), rng.choice(POINTS), p=share / share.sum())
    labels[: len(blocks)] = 1 + np.arange(len(blocks))
    points = np.empty((len(labels), 3))
    for label, block in enumerate(blocks, start=1):
        points[labels == label] = _surface(block, int((labels == label).sum()), rng)
    order = rng.permutation(len(labels))
    return (points * rng.uniform(0.8, 1.25, 3))[order], labels[order]


def _surface(block: Block, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return points (count, 3) on a block and its mirror images, of random proportions."""
    points = rng.normal(size=(count, 3)) if block.kind == "ball" else rng.uniform(-1, 1, (count, 3))
    size = np.linalg.norm(points, axis=1) if block.kind == "ball" else np.abs(points).max(1)
    points = points / size[:, None] * block.half * rng.uniform(0.8, 1.25, 3) + block.centre
    for axis in block.mirrors:
        points[:, "xyz".index(axis)] *= rng.choice([-1, 1], count)
    return points
