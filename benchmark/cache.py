"""Decoded data sets: arrays in memory-mapped files, written once, checked whenever they are opened."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import DTypeLike
from torch import Tensor

from benchmark.errors import FULL, UserError

MANIFEST = "manifest.json"
FORMAT = 1
"""Version of what is in a folder."""


class Split(IntEnum):
    """The part of the official release that a sample belongs to."""

    TRAIN = 0
    TEST = 1
    VALIDATION = 2


class Arrays:
    """The arrays of a data set while they are written; the first axis of each is the sample.

    Args:
        folder: An empty folder, which takes one file an array.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, list[str]] = {}
        self._arrays: dict[str, np.memmap] = {}

    def new(self, name: str, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
        """Return a new array of zeros on disk, to be filled in any order; images are uint8 (N, C, H, W).

        Raises:
            OSError: The disk has no room for it.
        """
        if name in self._arrays or not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a new array")
        path = self.folder / f"{name}.npy"
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=tuple(shape))
        _reserve(path)
        self._arrays[name] = array
        return array

    def add(self, name: str, values: np.ndarray | Sequence[Any], dtype: DTypeLike | None = None) -> None:
        """Write a whole array at once."""
        given = np.asarray(values, dtype)
        self.new(name, given.shape, given.dtype)[...] = given

    def name(self, array: str, names: Sequence[str]) -> None:
        """Name what an array's values, or the columns of its second axis, stand for, such as the classes of labels."""
        self.names[array] = list(names)

    def finish(self, dataset: str, *, sample: bool) -> None:
        """Write the manifest, with a digest of each array.

        Raises:
            ValueError: The arrays do not all hold the same samples, or do not say which split these belong to.
        """
        lengths = {name: len(array) for name, array in self._arrays.items()}
        if "split" not in lengths or len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"{dataset}: no `split`, or arrays of different lengths: {lengths}")
        described = {}
        for name, array in sorted(self._arrays.items()):
            array.flush()
            path = self.folder / f"{name}.npy"
            described[name] = {
                "shape": array.shape,
                "dtype": array.dtype.str,
                "bytes": path.stat().st_size,
                "sha256": _digest(array),
            }
        manifest = {"format": FORMAT, "dataset": dataset, "sample": sample, "arrays": described, "names": self.names}
        (self.folder / MANIFEST).write_text(json.dumps({**manifest, "fingerprint": _fingerprint(manifest)}, indent=1))


@dataclass(frozen=True)
class Prepared:
    """A decoded data set.

    Attributes:
        dataset: Its name.
        folder: Where the arrays lie.
        tensors: Memory-mapped arrays by name, the first axis of each the sample.
        names: What the values, or the columns, of an array stand for.
        fingerprint: Digest of all of the content, whatever files it came in; that of a drawn sample says so.
        sample: Whether the data are a drawn sample.
    """

    dataset: str
    folder: Path
    tensors: Mapping[str, Tensor]
    names: Mapping[str, tuple[str, ...]]
    fingerprint: str
    sample: bool

    @property
    def nbytes(self) -> int:
        """Length of all arrays in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


def open_or_decode(folder: Path, decode: Callable[[Arrays], None], dataset: str, *, sample: bool = False) -> Prepared:
    """Return the data set decoded in `folder`; decode it first where that was not done.

    One process decodes while others wait; what a killed one left is thrown away, and `folder` appears complete or not
    at all.

    Raises:
        UserError: What was decoded earlier is not as it was written, or nothing can be written there.
    """
    if not folder.exists():
        with locked(folder):
            if not folder.exists():
                with made_whole(folder) as part:
                    arrays = Arrays(part)
                    decode(arrays)
                    arrays.finish(dataset, sample=sample)
    return open_cache(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from making `folder` meanwhile.

    Raises:
        UserError: Nothing can be written beside it.
    """
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UserError(f"cannot write to {folder.parent} ({error.strerror}); use another --cache-dir") from error
    with held:
        yield


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` at the end, unless something went wrong."""
    part = folder.with_name(f".{folder.name}.part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def open_cache(folder: Path) -> Prepared:
    """Open a decoded data set; lengths are checked, contents are not (see `verify`).

    Raises:
        UserError: A file is missing, truncated or not as it was written; the line names it.
    """
    manifest = _manifest(folder)
    prefix = "sample-" if manifest["sample"] else ""
    return Prepared(
        dataset=manifest["dataset"],
        folder=folder,
        tensors={
            name: torch.from_numpy(_open(folder / f"{name}.npy", about)) for name, about in manifest["arrays"].items()
        },
        names={name: tuple(values) for name, values in manifest["names"].items()},
        fingerprint=prefix + manifest["fingerprint"],
        sample=manifest["sample"],
    )


def verify(folder: Path) -> None:
    """Read all of a decoded data set and compare it with the digests taken when it was written.

    Raises:
        UserError: A file has changed since; the line names it.
    """
    for name, about in _manifest(folder)["arrays"].items():
        path = folder / f"{name}.npy"
        if _digest(_open(path, about)) != about["sha256"]:
            raise _tampered(path, "its content has changed")


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        intact = manifest["format"] == FORMAT and manifest.pop("fingerprint") == _fingerprint(manifest)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _tampered(path, "it cannot be read") from error
    if not intact:
        raise _tampered(path, "it is not as it was written")
    return {**manifest, "fingerprint": _fingerprint(manifest)}


def _open(path: Path, about: Mapping[str, Any]) -> np.ndarray:
    """Return a memory-mapped array; what is written to it stays in memory."""
    try:
        if path.stat().st_size != about["bytes"]:
            raise _tampered(path, f"it has {path.stat().st_size:,} bytes instead of {about['bytes']:,}")
        array = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _tampered(path, "it cannot be read") from error
    if list(array.shape) != about["shape"] or array.dtype.str != about["dtype"]:
        raise _tampered(path, "it is not as it was written")
    return array


def _tampered(path: Path, why: str) -> UserError:
    return UserError(f"{path}: {why}; delete the folder {path.parent} and run again to decode the data anew")


def _fingerprint(manifest: Mapping[str, Any]) -> str:
    """Return the digest of what a manifest says of the content, however that is stored."""
    content = {key: manifest[key] for key in ("dataset", "sample", "names")}
    arrays = {name: [about[key] for key in ("shape", "dtype", "sha256")] for name, about in manifest["arrays"].items()}
    return hashlib.sha256(json.dumps([content, arrays], sort_keys=True).encode()).hexdigest()[:16]


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _reserve(path: Path) -> None:
    """Claim the room on the disk; writing to a memory-mapped file on a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
