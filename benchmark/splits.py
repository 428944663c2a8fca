"""Stratified draws of samples."""

import torch
from torch import Tensor


def ranks_in_class(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return the place of each sample in a random order of its own class, (N,), for stratified draws."""
    order = torch.randperm(len(labels), generator=generator)
    ranks = torch.empty_like(labels)
    for label in labels.unique():
        members = order[labels[order] == label]
        ranks[members] = torch.arange(len(members))
    return ranks


def stratified(labels: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return which samples a draw of exactly `size` takes, (N,), of each class its share, by largest remainders."""
    products = labels.bincount() * size
    quotas = products // len(labels)
    most = (products % len(labels)).argsort(descending=True, stable=True)
    quotas[most[: size - int(quotas.sum())]] += 1
    return ranks_in_class(labels, generator) < quotas[labels]


def spread(labels: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return the indices of `size` samples at random, (size,), of as many classes as can be."""
    order = torch.randperm(len(labels), generator=generator)
    ranks = ranks_in_class(labels, generator)
    return order[ranks[order].argsort(stable=True)][:size]
