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
