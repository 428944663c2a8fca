"""Suites on data sets with labels of the official sizes and pictures that take no memory."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark import suites
from benchmark.cache import Prepared, Split
from benchmark.places import Places
from benchmark.suite import Suite


def labels_of(total: int, classes: int, least: int, most: int) -> Tensor:
    """Return `total` labels in a random order, between `least` and `most` of each of the classes."""
    draw = torch.Generator().manual_seed(total)
    counts = torch.full((classes,), least)
    while (missing := total - int(counts.sum())) > 0:
        room = (counts < most).nonzero().squeeze(1)
        counts[room[torch.randperm(len(room), generator=draw)][:missing]] += 1
    return torch.arange(classes).repeat_interleave(counts)[torch.randperm(total, generator=draw)]


def official(name: str, parts: Mapping[Split, Tensor], patch: pytest.MonkeyPatch, folder: Path) -> Suite:
    """Return a suite whose data set has these labels in its official splits."""
    label = torch.cat(list(parts.values()))
    split = torch.cat([torch.full(part.shape, which, dtype=torch.uint8) for which, part in parts.items()])
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(1))  # splits lie mixed, as in CUB
    tensors = {
        "image": torch.zeros(1, 1, 1, 1, dtype=torch.uint8).expand(len(label), 3, 256, 256),
        "label": label[order],
        "split": split[order],
        "attribute": (torch.arange(len(label))[:, None] % 3 == torch.arange(312) % 3).to(torch.uint8),
    }
    groups = torch.arange(312).div(312 / 28, rounding_mode="floor").long().tolist()
    names = {
        "label": tuple(f"class {number}" for number in range(int(label.max()) + 1)),
        "attribute": tuple(f"group {group}::value {number}" for number, group in enumerate(groups)),
    }
    suite = suites.load(name, Places(folder / "data", folder / "cache"))
    prepared = Prepared(suite.datasets[0], folder, tensors, names, "content", sample=False)
    patch.setattr(suite, "prepared", lambda dataset: prepared)
    return suite
