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


def mlp_head(inputs: int, outputs: int, *, width: int = 512) -> nn.Sequential:
    """Return a head with one hidden layer: (B, inputs) to (B, outputs).

    The paper's released code has such heads on ResNet-18.
    """
    return nn.Sequential(*mlp(inputs, (width,)), nn.Linear(width, outputs))
