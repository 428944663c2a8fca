"""Picture files as rows of an array: decoded, brought to one size, several at a time."""

import io
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from benchmark.archives import Tree
from benchmark.dataset import foreign

PICTURES = (".png", ".jpg", ".jpeg")
"""Suffixes of the files that are read, in small letters."""

Resize = Literal["stretch", "cover"]

_ORIENTATION = 0x0112
"""EXIF's tag of how the camera was held."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""
_PARCEL_BYTES = 1 << 19
"""What a decoder takes at once; handing over one small picture at a time costs more than to decode it."""
_AHEAD = 16
"""Parcels that wait for a decoder; no more of the archive than these is held in memory."""


def fill_images(
    images: np.ndarray, tree: Tree, rows: Mapping[str, int], *, resize: Resize | None = None, upright: bool = False
) -> None:
    """Decode picture files into rows of `images`, uint8 (N, C, H, W) with C of 1 (grey) or 3 (RGB).

    Args:
        images: The array to write into.
        tree: Where the files lie.
        rows: The row of each file.
        resize: How a picture of another size becomes H x W: `stretch`ed, or scaled to `cover` it and cut in the
            middle; None refuses it.
        upright: Whether to turn a picture as its EXIF orientation says, which cameras write and readers of official
            data sets pass over.
    """

    def work(parcel: list[tuple[str, bytes]]) -> None:
        for name, content in parcel:
            where = tree.where(name)
            images[rows[name]] = decode_image(content, where, images.shape[1:], resize=resize, upright=upright)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # PIL decodes without holding the interpreter's lock
        waiting: deque[Future[None]] = deque()
        for parcel in _parcels(tree.read_all(rows)):
            waiting.append(pool.submit(work, parcel))
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
        for future in waiting:
            future.result()


def _parcels(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the files in groups of about the same number of bytes."""
    parcel, length = [], 0
    for name, content in files:
        parcel.append((name, content))
        length += len(content)
        if length >= _PARCEL_BYTES:
            yield parcel
            parcel, length = [], 0
    if parcel:
        yield parcel


def decode_image(
    content: bytes, where: str, shape: tuple[int, ...], *, resize: Resize | None = None, upright: bool = False
) -> np.ndarray:
    """Return the picture in a file as uint8 (C, H, W); see `fill_images`.

    Raises:
        UserError: It is no picture, is broken, or has another size and may not be resized; the line names `where`.
    """
    channels, height, width = shape
    try:
        opened = Image.open(io.BytesIO(content))
        if opened.mode[0] in "IF":  # which would be cut off at 255, not scaled
            raise foreign(where, "a picture of more than 8 bits a channel")
        image = opened.convert("RGB" if channels == 3 else "L")
        turn = _TURNS.get(opened.getexif().get(_ORIENTATION, 1)) if upright else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "of no known kind" if isinstance(error, UnidentifiedImageError) else str(error)
        raise foreign(where, f"not a picture that can be read ({reason})") from error
    if turn is not None:
        image = image.transpose(turn)
    if image.size != (width, height):
        image = _resized(image, (width, height), where, resize)
    pixels = np.asarray(image)
    return pixels.transpose(2, 0, 1) if channels == 3 else pixels[None]


def _resized(image: Image.Image, size: tuple[int, int], where: str, resize: Resize | None) -> Image.Image:
    if resize is None:
        raise foreign(where, f"a picture of {image.width} x {image.height} pixels, not of {size[0]} x {size[1]}")
    if resize == "cover":
        return ImageOps.fit(image, size, Image.Resampling.BILINEAR)
    return image.resize(size, Image.Resampling.BILINEAR)


def class_folders(tree: Tree) -> list[tuple[str, str]]:
    """Return folder name and path of each picture file that lies in a folder, sorted by both parts of its name.

    The name of a picture's own folder is its class, however deep that lies. Hidden files are left out: archives made
    on a Mac have one beside each picture.
    """
    files = [PurePosixPath(name) for name in tree.names()]
    shown = [file for file in files if file.parent.name and not file.name.startswith(".")]
    kept = [file for file in shown if file.suffix.lower() in PICTURES]
    return [(file.parent.name, str(file)) for file in sorted(kept, key=lambda file: (file.parent.name, file.name))]


def png(pixels: np.ndarray) -> bytes:
    """Return a picture file of uint8 (C, H, W) with C of 1 or 3, for drawn samples."""
    return _encoded(pixels, "PNG")


def jpeg(pixels: np.ndarray) -> bytes:
    """Return a JPEG file of uint8 (C, H, W) with C of 1 or 3, for drawn samples."""
    return _encoded(pixels, "JPEG", quality=90)


def _encoded(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image = pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()
