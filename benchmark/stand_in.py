"""Data of the official size and shape without the official files: for planning and timing, never for a result."""

from pathlib import Path

import torch
from torch import Tensor

from benchmark import datasets, suites
from benchmark.cache import Prepared, Split
from benchmark.dataset import Content
from benchmark.places import Places
from benchmark.suite import Suite

FINGERPRINT = "stand-in"


def full_size(name: str) -> Suite | None:
    """Return a suite on stand-ins for its data sets, so that sets, network and batches have their real sizes.

    None where it is made of files that every user has others of.
    """
    suite = suites.load(name, Places(weights="none"))  # which ones makes no difference to any size
    for dataset in suite.datasets:
        content = datasets.load(dataset).content
        if content is None:
            return None
        suite.provide(stand_in(dataset, content))
    return suite


def stand_in(dataset: str, content: Content) -> Prepared:
    """Return a decoded data set whose samples all have the same random input and are sorted by class.

    It takes the memory of one sample and its labels.
    """
    generator = torch.Generator().manual_seed(0)
    counts = {name: len(content.names.get(name, ())) or 1 for name, (_, shape) in content.arrays.items() if not shape}
    classes = max(counts.values(), default=1)
    sizes = torch.stack([_class_sizes(content, part, classes) for part in content.splits], dim=1)
    samples = torch.tensor(list(content.splits), dtype=torch.uint8).repeat(classes).repeat_interleave(sizes.flatten())
    label = torch.arange(classes).repeat_interleave(sizes.sum(1))
    tensors = {"split": samples}
    for array, (kind, shape) in content.arrays.items():
        dtype: torch.dtype = getattr(torch, kind)
        if array in counts:
            tensors[array] = (label * counts[array] // classes).to(dtype)
        else:
            one = _random(dtype, shape, len(content.names.get(array, ())), generator)
            tensors[array] = one.expand(content.samples, *shape)
    return Prepared(dataset, Path(), tensors, content.names, FINGERPRINT, sample=False)


def _class_sizes(content: Content, part: Split, classes: int) -> Tensor:
    """Return the samples of each class in an official part, equally many where that is not known."""
    if part in content.class_sizes:
        return torch.tensor(content.class_sizes[part])
    return (torch.arange(content.splits[part]) % classes).bincount(minlength=classes)


def _random(kind: torch.dtype, shape: tuple[int, ...], names: int, generator: torch.Generator) -> Tensor:
    """Return one random sample: bytes, indices of names, presence of named columns, or numbers above 0."""
    if kind.is_floating_point:
        return (0.1 + 0.9 * torch.rand(shape, generator=generator)).to(kind)
    indices = names if names and (names,) != shape else 2
    most = 256 if kind == torch.uint8 and not names else indices
    return torch.randint(most, shape, generator=generator).to(kind)
