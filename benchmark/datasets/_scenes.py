"""Drawn scenes for samples of dense data sets: boxes and balls seen by a pinhole camera, cast ray by ray."""

import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Point = Sequence[float] | np.ndarray
"""Metres: x to the right, y down, z ahead of the camera, which stands at the origin."""

FOCAL_LENGTH = 0.8
"""In widths of the image."""
AMBIENT = 0.4
"""Brightness of what the light does not reach."""
NOISE = 0.04
HIDDEN_SIDE = 4
"""A hidden part of an image has one in this many of its rows and columns."""
UNLABELLED = -1


class View(NamedTuple):
    """What is seen in each pixel.

    Attributes:
        depth: Distance along z in metres, (H, W); infinite where nothing is hit.
        normal: Unit vectors that point to the camera's side, (3, H, W).
        label: Class indices, (H, W).
    """

    depth: np.ndarray
    normal: np.ndarray
    label: np.ndarray


def pixel_rays(height: int, width: int) -> np.ndarray:
    """Return the point of depth 1 that each pixel sees, (3, H, W)."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    scale = FOCAL_LENGTH * width
    return np.stack([(columns - width / 2) / scale, (rows - height / 2) / scale, np.ones((height, width))])


def box(rays: np.ndarray, low: Point, high: Point, labels: int | Sequence[int], *, inside: bool = False) -> View:
    """Return the view of a box between two corners, from outside, or from `inside` of a room.

    Args:
        rays: See `pixel_rays`.
        low: Corner with the least coordinates.
        high: Corner with the greatest coordinates.
        labels: Class of the box, or of its faces of least and greatest x, y and z, in this order.
        inside: Whether the camera stands in it.
    """
    with np.errstate(divide="ignore"):
        to_low, to_high = (np.array(corner)[:, None, None] / rays for corner in (low, high))
    near, far = np.minimum(to_low, to_high), np.maximum(to_low, to_high)
    enters, leaves = near.max(0), far.min(0)
    axis = far.argmin(0) if inside else near.argmax(0)
    depth = leaves if inside else enters
    seen = (depth > 0) & ((enters <= leaves) | inside)
    ahead = np.take_along_axis(rays, axis[None], 0)[0] > 0
    normal = np.where(ahead, -1.0, 1.0) * (axis == np.arange(3)[:, None, None])
    faces = np.full(6, labels) if isinstance(labels, int) else np.array(labels)
    return View(np.where(seen, depth, np.inf), normal, faces[2 * axis + (ahead == inside)])


def ball(rays: np.ndarray, centre: Point, radius: float, label: int) -> View:
    """Return the view of a ball."""
    middle = np.array(centre)[:, None, None]
    squared, along = (rays**2).sum(0), (rays * middle).sum(0)
    root = along**2 - squared * ((middle**2).sum() - radius**2)
    depth = (along - np.sqrt(root.clip(0))) / squared
    seen = (root >= 0) & (depth > 0)
    return View(np.where(seen, depth, np.inf), (depth * rays - middle) / radius, np.full(depth.shape, label))


def nearest(views: Sequence[View]) -> View:
    """Return what is in front in each pixel."""
    front = np.argmin([view.depth for view in views], axis=0)
    rows, columns = np.indices(front.shape)
    depth, label = (
        np.stack(parts)[front, rows, columns] for parts in ([v.depth for v in views], [v.label for v in views])
    )
    return View(depth, np.stack([view.normal for view in views])[front, :, rows, columns].transpose(2, 0, 1), label)


def photograph(view: View, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image of a view, (H, W, 3) in [0, 1]: colours of the classes, shaded by a random light, with noise."""
    light = np.array([0, -0.6, -0.8]) + rng.normal(0, 0.2, 3)
    lit = np.tensordot(light / np.linalg.norm(light), view.normal, 1).clip(0)
    bright = AMBIENT + (1 - AMBIENT) * lit[..., None]
    return (_palette(classes)[view.label] * bright + rng.normal(0, NOISE, (*view.label.shape, 3))).clip(0, 1)


def hidden(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random part of an image that has no label, or no depth, (H, W)."""
    rows, columns = height // HIDDEN_SIDE, width // HIDDEN_SIDE
    top, left = rng.integers(height - rows), rng.integers(width - columns)
    found = np.zeros((height, width), bool)
    found[top : top + rows, left : left + columns] = True
    return found


def _palette(classes: int) -> np.ndarray:
    """Return a colour for each class, (classes, 3); those with neighbouring numbers are far apart in hue."""
    kinds = ((0.9, 1.0), (0.55, 0.7), (0.9, 0.7), (0.55, 1.0))
    return np.array([colorsys.hsv_to_rgb(number * 0.382 % 1, *kinds[number % 4]) for number in range(classes)])
