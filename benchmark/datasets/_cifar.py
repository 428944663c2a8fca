"""What CIFAR-10 and CIFAR-100 share: pickled batches of 32 x 32 pixels, or pictures in folders by class."""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from benchmark.archives import Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import Dataset, Found, foreign
from benchmark.datasets._drawing import class_images
from benchmark.datasets._images import class_folders, fill_images
from benchmark.datasets._pickles import read_pickle

SHAPE = (3, 32, 32)
SPLITS = {"train": Split.TRAIN, "test": Split.TEST}


class Cifar(Dataset):
    """Base of both; arrays `image` (N, 3, 32, 32), `label` (N,) and those of `more_labels`.

    Attributes:
        release: Name of the folder in the official archive.
        archive: Name of the official archive, without its suffixes.
        batches: Split of each of the official files, in order.
        label_key: What the files call the label.
        classes: Names of the classes, in the order of their labels.
        sample_sizes: Drawn samples of a class, by split.
    """

    release: ClassVar[str]
    archive: ClassVar[str]
    batches: ClassVar[Mapping[str, Split]]
    label_key: ClassVar[str]
    classes: ClassVar[Sequence[str]]
    sample_sizes: ClassVar[Mapping[Split, int]]
    licence = "none stated; for research, with citation"
    homepage = "https://www.cs.toronto.edu/~kriz/cifar.html"
    citation = "Krizhevsky, Learning multiple layers of features from tiny images, 2009"

    def find(self, folder: Path) -> Found | None:
        """Return the official folder or archive, or those of training and test pictures in folders by class.

        The latter are called `train` and `test` in a folder of the data set's own, `cifar10-train` and so on elsewhere.
        """
        if official := Tree.first(folder, self.release, self.archive):
            return {"official": official}
        own = folder.name == self.name
        pair = {part: Tree.first(folder, f"{self.name}-{part}", *[part] * own) for part in SPLITS}
        found = {part: path for part, path in pair.items() if path}
        return found if len(found) == len(SPLITS) else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the official files in their order, or the pictures by split, class and name."""
        if "official" in found:
            labels = self._decode_official(Tree(found["official"]), arrays)
        else:
            labels = self._decode_pictures({part: Tree(found[part]) for part in SPLITS}, arrays)
        arrays.add("label", labels, np.int64)
        arrays.name("label", self.classes)
        self.more_labels(labels, arrays)

    def more_labels(self, labels: np.ndarray, arrays: Arrays) -> None:
        """Write labels that follow from those of the classes, (N,)."""

    def check_batch(self, batch: Mapping[str, Any], labels: np.ndarray, where: str) -> None:
        """Check what else an official file says of its samples; it may lack it."""

    def _decode_official(self, tree: Tree, arrays: Arrays) -> np.ndarray:
        """Write images and splits, and return the labels."""
        paths = {PurePosixPath(name).name: name for name in tree.names()}
        lacking = [name for name in self.batches if name not in paths]
        if lacking:
            raise foreign(tree.path, f"{lacking[0]} is missing in it")
        wanted = {paths[name]: name for name in self.batches}
        images, labels = {}, {}
        for path, content in tree.read_all(wanted):
            name = wanted[path]
            images[name], labels[name] = self._read_batch(content, tree.where(path))
        arrays.add("image", np.concatenate([images[name] for name in self.batches]))
        splits = [[split] * len(labels[name]) for name, split in self.batches.items()]
        arrays.add("split", np.concatenate(splits), np.uint8)
        return np.concatenate([labels[name] for name in self.batches])

    def _read_batch(self, content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images (N, 3, 32, 32) and labels (N,) of one official file."""
        batch = read_pickle(content, where)
        pixels, labels = np.asarray(batch.get("data")), np.asarray(batch.get(self.label_key))
        if pixels.dtype != np.uint8 or pixels.shape != (len(labels.ravel()), np.prod(SHAPE)):
            raise foreign(where, "its `data` are not a row of 3 x 32 x 32 bytes for each label")
        if labels.ndim != 1 or not np.isin(labels, range(len(self.classes))).all():
            raise foreign(where, f"its `{self.label_key}` are not numbers of the {len(self.classes)} classes")
        self.check_batch(batch, labels, where)
        return pixels.reshape(-1, *SHAPE), labels

    def _decode_pictures(self, trees: Mapping[str, Tree], arrays: Arrays) -> np.ndarray:
        """Write images and splits, and return the labels."""
        files = {part: list(self._labelled(tree)) for part, tree in trees.items()}
        images = arrays.new("image", (sum(map(len, files.values())), *SHAPE), np.uint8)
        start = 0
        for part, tree in trees.items():
            fill_images(images, tree, {name: start + row for row, (_, name) in enumerate(files[part])})
            start += len(files[part])
        arrays.add("split", [SPLITS[part] for part in files for _ in files[part]], np.uint8)
        return np.array([label for listed in files.values() for label, _ in listed])

    def _labelled(self, tree: Tree) -> Iterator[tuple[int, str]]:
        """Yield label and path of each picture, sorted by both."""
        known = {name: label for label, name in enumerate(self.classes)}
        found = class_folders(tree)
        if not found:
            raise foreign(tree.path, "no pictures in folders by class")
        for name, path in found:
            if name not in known:
                raise foreign(tree.where(path), f"{name!r} is not a class of {self.title}")
            yield known[name], path

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write the official folder."""
        rng = np.random.default_rng(seed)
        classes = len(self.classes)
        sizes = [
            self.sample_sizes[split] // list(self.batches.values()).count(split) for split in self.batches.values()
        ]
        labels = [rng.permutation(np.repeat(np.arange(classes), size)) for size in sizes]
        images = np.split(class_images(np.concatenate(labels), SHAPE[1:], rng=rng), np.cumsum([*map(len, labels)])[:-1])
        (folder / self.release).mkdir()
        for name, pixels, given in zip(self.batches, images, labels, strict=True):
            batch = {"data": pixels.reshape(len(pixels), -1), self.label_key: given.tolist()}
            (folder / self.release / name).write_bytes(pickle.dumps(batch, protocol=4))
