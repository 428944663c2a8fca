"""SVHN: 99,289 digits of house numbers, cut to 32 x 32 pixels, in the MATLAB files of its authors."""

from pathlib import Path

import numpy as np

from benchmark.archives import read_file
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign, numbered
from benchmark.datasets._drawing import class_images
from benchmark.datasets._matlab import read_mat, write_mat

CLASSES = 10
SIDE = 32
PARTS = {Split.TRAIN: "train_32x32.mat", Split.TEST: "test_32x32.mat"}
SAMPLE_SIZES = {Split.TRAIN: 1000, Split.TEST: 300}

SERVERS = ("http://ufldl.stanford.edu/housenumbers/", "https://cseweb.ucsd.edu/~weijian/static/datasets/svhn/")


def _source(name: str, size: int, md5: str) -> Source:
    return Source(name, tuple(server + name for server in SERVERS), size, f"md5:{md5}")


class SVHN(Dataset):
    """Arrays: `image` (N, 3, 32, 32), `label` (N,) of ten digits; the easier extra pictures are left out."""

    title = "SVHN, cropped digits"
    licence = "for non-commercial use only"
    homepage = "http://ufldl.stanford.edu/housenumbers/"
    citation = "Netzer et al., Reading digits in natural images with unsupervised feature learning, 2011"
    sources = (
        _source(PARTS[Split.TRAIN], 182040794, "e26dedcc434d2e4c54c9b2d4a06d8373"),
        _source(PARTS[Split.TEST], 64275384, "eb5a983be6a315427106f1b164d9cef3"),
    )
    content = Content(
        splits={Split.TRAIN: 73_257, Split.TEST: 26_032},
        arrays={"image": ("uint8", (3, SIDE, SIDE)), "label": ("int64", ())},
        names={"label": numbered(CLASSES)},
    )
    folders = ("SVHN",)

    def find(self, folder: Path) -> Found | None:
        """Return the files of training and test set."""
        found = {name: folder / name for name in PARTS.values()}
        return found if all(path.is_file() for path in found.values()) else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the training set and then the test set, each in the order of its file."""
        parts = {split: _read(found[name]) for split, name in PARTS.items()}
        images = arrays.new("image", (sum(len(labels) for _, labels in parts.values()), 3, SIDE, SIDE), np.uint8)
        start = 0
        for pixels, labels in parts.values():
            images[start : start + len(labels)] = pixels
            start += len(labels)
        arrays.add("label", np.concatenate([labels for _, labels in parts.values()]), np.int64)
        arrays.add("split", [split for split, (_, labels) in parts.items() for _ in labels], np.uint8)
        arrays.name("label", numbered(CLASSES))

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write both files."""
        rng = np.random.default_rng(seed)
        labels = np.concatenate([np.arange(size) % CLASSES for size in SAMPLE_SIZES.values()])
        images = class_images(labels, (SIDE, SIDE), rng=rng).transpose(2, 3, 1, 0)
        start = 0
        for split, name in PARTS.items():
            part = slice(start, start + SAMPLE_SIZES[split])
            digits = np.where(labels[part] == 0, CLASSES, labels[part]).astype(np.uint8)
            write_mat(folder / name, X=images[..., part], y=digits[:, None])
            start = part.stop


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 3, 32, 32) and labels (N,) of one file, which has samples last and calls the zero 10."""
    pixels, labels = read_mat(read_file(path), str(path), "X", "y")
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[:3] != (SIDE, SIDE, 3):
        raise foreign(path, f"its `X` are not {SIDE} x {SIDE} x 3 bytes a sample")
    if labels.shape != (pixels.shape[3], 1):
        raise foreign(path, f"its `y` are not one label for each of {pixels.shape[3]:,} samples")
    if labels.dtype.kind not in "iuf" or not np.isin(labels, range(1, CLASSES + 1)).all():
        raise foreign(path, f"its `y` are not numbers from 1 to {CLASSES}")
    return pixels.transpose(3, 2, 0, 1), labels[:, 0].astype(np.int64) % CLASSES
