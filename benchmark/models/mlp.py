"""Multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(inputs: int, widths: Sequence[int]) -> nn.Sequential:
    """Return a perceptron with a ReLU after each layer: (B, inputs) to (B, widths[-1])."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise((inputs, *widths)):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers)
