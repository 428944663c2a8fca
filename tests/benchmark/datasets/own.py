"""Small pictures of one colour in a user's folders, plain or packed."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(value: int, size: tuple[int, int] = (16, 16), *, kind: str = "PNG") -> bytes:
    """Return a picture file of that grey value, of that width and height."""
    file = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(file, kind)
    return file.getvalue()


def array_file(values: object) -> bytes:
    """Return a NumPy file."""
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=False)
    return file.getvalue()


def lay_out(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files by their paths below `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def pack(path: Path, files: Mapping[str, bytes], *, prefix: str = "") -> Path:
    """Pack files into an archive of the kind that its name says, backwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in reversed(list(files.items())):
                archive.writestr(prefix + name, content)
        return path
    mode = {".gz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in reversed(list(files.items())):
            entry = tarfile.TarInfo(prefix + name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path
