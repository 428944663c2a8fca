"""PointNet for part segmentation (Qi et al., CVPR 2017, Fig. 9), without its transformation networks."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.models.multitask import MultiHead

POINT_WIDTHS = (64, 128, 128, 512, 2048)
JOINT_WIDTHS = (256, 256, 128)


class PointNet(nn.Module):
    """Features of each point of a cloud, (B, channels, P) to (B, joint[-1], P, 1): images one pixel wide.

    A perceptron on each point alone, the maximum over the points, and a perceptron on what is known of the point
    and of the shape. The order of the points has no influence. The input and feature transformations are left out,
    for they need a loss of their own and ShapeNet's shapes are aligned; so is the shape's category as an input, for
    a suite has one category; so is dropout.

    Args:
        channels: Coordinates of a point, with or without a normal.
        widths: Units of the layers before the maximum.
        joint: Units of the layers after it.
    """

    def __init__(
        self, channels: int = 3, *, widths: Sequence[int] = POINT_WIDTHS, joint: Sequence[int] = JOINT_WIDTHS
    ) -> None:
        super().__init__()
        self.local = nn.ModuleList(_layer(*sizes) for sizes in pairwise((channels, *widths)))
        self.of_shape = nn.Linear(widths[-1], joint[0], bias=False)
        self.of_point = nn.Conv1d(sum(widths), joint[0], 1)
        self.norm = nn.BatchNorm1d(joint[0])
        self.joint = nn.Sequential(*(_layer(*sizes) for sizes in pairwise(joint)))

    def forward(self, points: Tensor) -> Tensor:
        """Return the features of each point."""
        known = []
        for layer in self.local:
            points = layer(points)
            known.append(points)
        # one linear map of the two, concatenated, without a copy of the shape's features for each point
        both = self.of_point(torch.cat(known, dim=1)) + self.of_shape(points.amax(2))[:, :, None]
        return self.joint(functional.relu(self.norm(both)))[..., None]


def pointnet(
    outputs: Sequence[int],
    *,
    channels: int = 3,
    widths: Sequence[int] = POINT_WIDTHS,
    joint: Sequence[int] = JOINT_WIDTHS,
) -> MultiHead:
    """Return a PointNet shared by all tasks, with a linear head of each task group's own, (B, outputs, P, 1).

    Args:
        outputs: Number of outputs a point of each task group.
        channels: Coordinates of a point, with or without a normal.
        widths: Units of the layers before the maximum.
        joint: Units of the layers after it.
    """
    heads = [nn.Conv2d(joint[-1], n, 1) for n in outputs]
    return MultiHead(PointNet(channels, widths=widths, joint=joint), heads)


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs), nn.ReLU())
