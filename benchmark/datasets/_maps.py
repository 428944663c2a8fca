"""Maps of the user's own, a value or a vector for each pixel, from PNG or NumPy files."""

import io

import numpy as np
from PIL import Image

from benchmark.dataset import foreign
from benchmark.datasets._npy import read_array

UNLABELLED = -1
NO_LABEL = 255
"""What stands for a pixel without a label in a PNG file, and in a NumPy file as well as -1."""
MOST_CLASSES = 255
GREY = (127, 128)
"""Of a PNG file of normals, what a pixel without a normal has in all of its channels."""
MOST_LENGTH = 1.01
"""Components of a unit vector go to 1, and rounding a little further."""


def read_labels(content: bytes, where: str) -> np.ndarray:
    """Return the class indices in a file, (H, W), -1 where there is no label.

    Raises:
        UserError: It is no such file.
    """
    if where.lower().endswith(".npy"):
        values = _plain(content, where)
    else:
        image = _png(content, where)
        if image.mode not in ("1", "L", "P") and not image.mode.startswith("I"):
            raise foreign(where, "a picture in colours, not one of class indices in grey values or of a palette")
        values = np.asarray(image)
    labels = np.where(values == NO_LABEL, UNLABELLED, values.astype(np.float64))
    if not np.isfinite(values).all() or (labels != np.rint(labels)).any():
        raise foreign(where, "labels that are no whole numbers")
    if labels.min() < UNLABELLED or labels.max() >= MOST_CLASSES:
        raise foreign(where, f"labels from {labels.min():g} to {labels.max():g}, not from 0 to {MOST_CLASSES - 1}")
    return labels.astype(np.int16)


def read_depth(content: bytes, where: str) -> np.ndarray:
    """Return the depths in a file as they are, (H, W) in float32; 0 where they are unknown, as NaN and infinity are.

    Raises:
        UserError: It is no such file.
    """
    if where.lower().endswith(".npy"):
        values = _plain(content, where)
    else:
        image = _png(content, where)
        if image.mode != "L" and not image.mode.startswith("I"):
            raise foreign(where, "a picture in colours, not one of depths in grey values")
        values = np.asarray(image)
    depth = np.where(np.isfinite(values), values, 0).astype(np.float32)
    if depth.min() < 0:
        raise foreign(where, f"a depth of {depth.min():g}; they must be above 0, or 0 where unknown")
    return depth


def read_normals(content: bytes, where: str) -> np.ndarray:
    """Return the unit normals in a file, (3, H, W) in float32; the vector 0 where they are unknown.

    Raises:
        UserError: It is no such file.
    """
    if where.lower().endswith(".npy"):
        values = read_array(content, where)
        if values.ndim != 3 or values.shape[2] != 3:
            raise foreign(where, f"an array of shape {values.shape}, not (height, width, 3)")
        vectors = np.where(np.isfinite(values).all(2, keepdims=True), values, 0).astype(np.float32)
    else:
        image = _png(content, where)
        if image.mode not in ("RGB", "RGBA"):
            raise foreign(where, "a picture in grey, not one of normals in red, green and blue")
        pixels = np.asarray(image)[..., :3]
        unknown = np.isin(pixels, GREY).all(2, keepdims=True) | (pixels == 0).all(2, keepdims=True)
        vectors = np.where(unknown, 0, pixels / np.float32(127.5) - 1).astype(np.float32)
    if np.abs(vectors).max() > MOST_LENGTH:
        raise foreign(where, f"a component of {np.abs(vectors).max():g}; those of a unit vector are at most 1")
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).transpose(2, 0, 1)


def nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map (..., H, W) of another size, each value that of the nearest pixel."""
    rows, columns = (
        ((np.arange(wanted) + 0.5) * found / wanted).astype(int)
        for wanted, found in zip(size, values.shape[-2:], strict=True)
    )
    return values[..., rows[:, None], columns]


def size_of(content: bytes, where: str) -> tuple[int, int]:
    """Return height and width of a picture without decoding it."""
    try:
        width, height = Image.open(io.BytesIO(content)).size
    except Exception as error:  # of the file, whatever that holds
        raise foreign(where, "not a picture that can be read") from error
    return height, width


def _plain(content: bytes, where: str) -> np.ndarray:
    values = read_array(content, where)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2:
        raise foreign(where, f"an array of shape {values.shape}, not (height, width)")
    return values


def _png(content: bytes, where: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except Exception as error:  # of the file, whatever that holds
        raise foreign(where, f"not a picture that can be read ({error})") from error
    return image
