"""ConvNets of few layers, for MNIST (two) and for SVHN and CIFAR (four)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

TWO_LAYERS = (32, 64)
"""Channels for MNIST. The paper (its first preprint) says "2-layer ConvNet" and no more: these are a named default."""

FOUR_LAYERS = (64, 64, 64, 64)
"""Channels for 32 pixels: those of "Conv-4" (Vinyals et al., NeurIPS 2016). The paper's are not known."""

FOUR_NARROW = (32, 32, 64, 64)
"""Channels for 32 pixels on a CPU, which these cost a third of `FOUR_LAYERS`."""


def convnet(channels: int, widths: Sequence[int], *, pixels: int) -> tuple[nn.Sequential, int]:
    """Return a trunk, (B, channels, pixels, pixels) to (B, features), and the number of its features.

    Each layer is a 3x3 convolution, BatchNorm, ReLU and a max-pooling by two.
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise((channels, *widths)):
        layers += [nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.BatchNorm2d(fan_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten()), widths[-1] * (pixels >> len(widths)) ** 2
