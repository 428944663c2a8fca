"""Data sets decoded in a test's folder."""

from pathlib import Path

import numpy as np

from benchmark.acquire import write_sample
from benchmark.cache import Arrays, open_or_decode
from benchmark.dataset import Dataset

Decoded = tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]


def sample_of(dataset: Dataset, folder: Path, seed: int = 0) -> Path:
    """Write a data set's drawn sample, in its official layout, into a new folder and return that."""
    folder.mkdir(parents=True)
    write_sample(dataset, folder, seed)
    return folder


def decoded(dataset: Dataset, folder: Path, cache: Path) -> Decoded:
    """Return the arrays, and their names, that the official files in `folder` hold."""
    found = dataset.find(folder)
    assert found is not None, f"{dataset.name} does not find its files"

    def decode(arrays: Arrays) -> None:
        dataset.decode(found, arrays)

    prepared = open_or_decode(cache / dataset.name, decode, dataset.name)
    return {name: tensor.numpy() for name, tensor in prepared.tensors.items()}, dict(prepared.names)
