"""MNIST: 70,000 handwritten digits of 28 x 28 pixels, in the IDX files of its authors."""

import gzip
import math
from pathlib import Path

import numpy as np

from benchmark.archives import read_file
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign, numbered
from benchmark.datasets._drawing import class_images

CLASSES = 10
SIDE = 28
UNSIGNED_BYTE = 8
"""IDX's code for the type of its values."""

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
"""The authors' own server refuses downloads since 2024."""

PARTS = {Split.TRAIN: "train", Split.TEST: "t10k"}
SAMPLE_SIZES = {Split.TRAIN: 1000, Split.TEST: 300}


def _source(name: str, size: int, md5: str) -> Source:
    return Source(name, tuple(mirror + name for mirror in MIRRORS), size, f"md5:{md5}")


class MNIST(Dataset):
    """Arrays: `image` (N, 1, 28, 28), `label` (N,)."""

    title = "MNIST"
    licence = "CC BY-SA 3.0"
    homepage = "https://yann.lecun.com/exdb/mnist/"
    citation = "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998"
    sources = (
        _source("train-images-idx3-ubyte.gz", 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        _source("train-labels-idx1-ubyte.gz", 28881, "d53e105ee54ea40749a09fcbcd1e9432"),
        _source("t10k-images-idx3-ubyte.gz", 1648877, "9fb629c4189551a2d022fa330f9573f3"),
        _source("t10k-labels-idx1-ubyte.gz", 4542, "ec29112dd5afa0611ce80d1b7f02629c"),
    )
    content = Content(
        splits={Split.TRAIN: 60_000, Split.TEST: 10_000},
        arrays={"image": ("uint8", (1, SIDE, SIDE)), "label": ("int64", ())},
        names={"label": numbered(CLASSES)},
    )
    folders = ("MNIST/raw",)

    def find(self, folder: Path) -> Found | None:
        """Return the four IDX files, unpacked or compressed."""
        found = {}
        for name in (source.name.removesuffix(".gz") for source in self.sources):
            there = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
            if not there:
                return None
            found[name] = there[0]
        return found

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the training set and then the test set, each in the order of its files."""
        images, labels, splits = [], [], []
        for split, part in PARTS.items():
            image_file, label_file = found[f"{part}-images-idx3-ubyte"], found[f"{part}-labels-idx1-ubyte"]
            images.append(read_idx(image_file, (SIDE, SIDE)))
            labels.append(read_idx(label_file))
            if len(images[-1]) != len(labels[-1]):
                raise foreign(label_file, f"{len(labels[-1]):,} labels for {len(images[-1]):,} images")
            if labels[-1].max() >= CLASSES:
                raise foreign(label_file, f"a label of {labels[-1].max()}, where digits end with {CLASSES - 1}")
            splits += [split] * len(labels[-1])
        arrays.add("image", np.concatenate(images)[:, None])
        arrays.add("label", np.concatenate(labels), np.int64)
        arrays.add("split", splits, np.uint8)
        arrays.name("label", numbered(CLASSES))

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write the four compressed files."""
        rng = np.random.default_rng(seed)
        labels = {split: np.arange(size) % CLASSES for split, size in SAMPLE_SIZES.items()}
        images = class_images(np.concatenate(list(labels.values())), (SIDE, SIDE), channels=1, rng=rng)[:, 0]
        for split, part in PARTS.items():
            chosen, images = images[: len(labels[split])], images[len(labels[split]) :]
            _write(folder / f"{part}-images-idx3-ubyte.gz", chosen)
            _write(folder / f"{part}-labels-idx1-ubyte.gz", labels[split].astype(np.uint8))


def read_idx(path: Path, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Return the array of bytes, (N, *shape), in an IDX file: four bytes of magic, the axes, the values.

    Raises:
        UserError: The file is truncated, or holds something else.
    """
    content = read_file(path)
    axes = 1 + len(shape)
    start = 4 * (1 + axes)
    sizes = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if content[:4] != bytes([0, 0, UNSIGNED_BYTE, axes]) or tuple(sizes[1:]) != shape:
        raise foreign(path, "not an IDX file of " + (f"{SIDE} x {SIDE} images" if shape else "labels"))
    if len(content) - start != math.prod(sizes):
        raise foreign(path, f"truncated or foreign: {len(content) - start:,} values instead of {math.prod(sizes):,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes)


def _write(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, UNSIGNED_BYTE, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))
