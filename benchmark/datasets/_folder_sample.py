"""A drawn folder of pictures by class with a table of attributes that can be seen in them."""

import csv
from pathlib import Path

import numpy as np

from benchmark.datasets._drawing import class_images
from benchmark.datasets._images import png

CLASSES = ("birch", "maple", "oak", "pine")
SIDE = 16
OF_EACH_CLASS = 60
WITHOUT_CLASS = 40
UNKNOWN_SHARE = 0.1

TINTS = {"cold": (-0.15, 0, 0.15), "neutral": (0, 0, 0), "warm": (0.15, 0, -0.15)}
"""What is added to red, green and blue."""
SPOT = 4
"""Side of the bright spot in one of the corners, which are numbered from the upper left by row."""


def write_folder(folder: Path, seed: int) -> None:
    """Write four folders of a class, `unlabelled`, and `attributes.csv` with some cells empty."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate(
        [np.repeat(np.arange(len(CLASSES)), OF_EACH_CLASS), np.arange(WITHOUT_CLASS) % len(CLASSES)]
    )
    shown = [*np.repeat(CLASSES, OF_EACH_CLASS), *["unlabelled"] * WITHOUT_CLASS]
    number = len(labels)
    tints = rng.choice(list(TINTS), number)
    corners = rng.integers(4, size=number)
    brightness = rng.uniform(-0.2, 0.2, number)
    plain = class_images(labels, (SIDE, SIDE), rng=rng, noise=0.1) / 255
    shift = np.array([TINTS[tint] for tint in tints])[:, :, None, None] + brightness[:, None, None, None]
    pictures = (plain + shift).clip(0, 1)
    for picture, corner in zip(pictures, corners, strict=True):
        rows, columns = (slice(-SPOT, None) if far else slice(SPOT) for far in divmod(int(corner), 2))
        picture[:, rows, columns] = 1
    lines = [["file", "tint", "corner", "brightness"]]
    for row, name in enumerate(shown):
        path = folder / name / f"{row:03}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png((255 * pictures[row]).astype(np.uint8)))
        cells = [tints[row], str(corners[row]), f"{brightness[row]:.3f}"]
        known = rng.random(len(cells)) >= UNKNOWN_SHARE
        lines.append([f"{name}/{path.name}", *np.where(known, cells, "")])
    with (folder / "attributes.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
