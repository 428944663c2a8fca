"""Photographs of several kinds for official layouts, and the slow obvious way to decode one."""

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (40, 30)
"""Width and height."""


def photograph(seed: int, *, kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """Return a picture file of smooth noise; with an alpha channel some of it is transparent."""
    coarse = np.random.default_rng(seed).integers(256, size=(6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(SIZE).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def stretched(content: bytes) -> np.ndarray:
    """Return the picture as (3, 256, 256)."""
    picture = Image.open(io.BytesIO(content)).convert("RGB").resize((256, 256), Image.Resampling.BILINEAR)
    return np.asarray(picture).transpose(2, 0, 1)


def pack(folder: Path, path: Path, *, prefix: str = "", compressed: bool = True) -> Path:
    """Pack a folder's content backwards, with a prefix."""
    with tarfile.open(path, "w:gz" if compressed else "w") as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            if file.is_file():
                archive.add(file, f"{prefix}{file.relative_to(folder)}")
    return path
