"""Data of the official size and shape without the official files: for planning and timing, never for a result."""

from pathlib import Path

import torch
from torch import Tensor

from benchmark import datasets, suites
from benchmark.cache import Prepared
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
    """Return a decoded data set in which every sample has the same random input; classes are of equal size.

    It takes the memory of one sample and its labels.
    """
    generator = torch.Generator().manual_seed(0)
    splits = [torch.full((count,), part, dtype=torch.uint8) for part, count in content.splits.items()]
    tensors = {"split": torch.cat(splits)}
    for array, (kind, shape) in content.arrays.items():
        names = content.names.get(array, ())
        tensors[array] = _values(getattr(torch, kind), (content.samples, *shape), len(names), generator)
    return Prepared(dataset, Path(), tensors, content.names, FINGERPRINT, sample=False)


def _values(kind: torch.dtype, shape: tuple[int, ...], names: int, generator: torch.Generator) -> Tensor:
    """Return labels in turn for an array without further axes, else one random sample for all."""
    if len(shape) == 1:
        return (torch.arange(shape[0]) % max(names, 1)).to(kind)
    if kind.is_floating_point:
        one = 0.1 + 0.9 * torch.rand(shape[1:], generator=generator)
    else:
        columns = (names,) == shape[1:]
        one = torch.randint(2 if columns else names or 256, shape[1:], generator=generator)
    return one.to(kind).expand(shape)
