"""Drawn pictures that carry their class, for the samples of image data sets."""

import numpy as np
from scipy.ndimage import zoom

_COARSE = 4
"""Width of the coarse pattern that stands for a class; it survives crops of an eighth and small networks."""
_MODES = 2
"""Every class has this many looks of its own, which is what a generated auxiliary task can find."""


def class_images(
    labels: np.ndarray, size: tuple[int, int], *, channels: int = 3, rng: np.random.Generator, noise: float = 0.15
) -> np.ndarray:
    """Return a picture for each label, uint8 (N, C, H, W).

    A class is a smooth pattern, its looks are variations of it; brightness and noise differ from picture to picture.
    """
    classes, number = int(labels.max()) + 1, len(labels)
    height, width = size
    base = rng.uniform(0.2, 0.8, (classes, 1, channels, _COARSE, _COARSE))
    looks = base + rng.normal(0, 0.12, (classes, _MODES, channels, _COARSE, _COARSE))
    scale = (1, 1, 1, height / _COARSE, width / _COARSE)
    patterns = np.asarray(zoom(looks, scale, order=1, mode="nearest", grid_mode=True))
    gain = rng.uniform(0.8, 1.2, (number, 1, 1, 1))
    pictures = patterns[labels, rng.integers(_MODES, size=number)] * gain
    pictures += rng.normal(0, noise, (number, channels, height, width))
    return (pictures.clip(0, 1) * 255).astype(np.uint8)
