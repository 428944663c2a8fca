"""Surface normals: statistics of the angle between the predicted and the true one; torchmetrics has none of them."""

import math

import torch
from torch import Tensor

from benchmark.dense import normals_known

WITHIN = (11.25, 22.5, 30.0)
"""Angles in degrees."""

BINS_PER_DEGREE = 100


def angles(predicted: Tensor, normals: Tensor) -> Tensor:
    """Return the angle in degrees between vectors (N, 3); 90 where one is the zero vector.

    By the arctangent, which keeps digits where the arccosine of a product near one has none.
    """
    sine = torch.linalg.cross(predicted, normals).norm(dim=1)
    cosine = (predicted * normals).sum(1)
    found = torch.rad2deg(torch.atan2(sine, cosine))
    return torch.where((sine == 0) & (cosine == 0), 90.0, found)


class NormalScore:
    """`normals_mean_angle`, `normals_median_angle` and, by angle, `normals_within_<angle>`, over all known pixels.

    Angles are in degrees; the shares are in [0, 1]. The (lower) median comes from a histogram of bins of 0.01
    degrees, the middle of the bin that holds it: off by 0.005 degrees at most, in the memory of 18,000 counts.
    """

    def __init__(self) -> None:
        self._histogram = torch.zeros(180 * BINS_PER_DEGREE, dtype=torch.long)
        self._within = torch.zeros(len(WITHIN), dtype=torch.long)
        self._sum = 0.0

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take vectors of any length and normals, (B, 3, H, W) each."""
        known = normals_known(targets)[:, 0]
        found = angles(*(vectors.movedim(1, -1)[known].float() for vectors in (outputs, targets)))
        self._sum += float(found.sum(dtype=torch.float64))
        self._within += torch.stack([(found < limit).sum() for limit in WITHIN]).cpu()
        bins = (found.nan_to_num(180.0) * BINS_PER_DEGREE).long().clamp(max=len(self._histogram) - 1)
        self._histogram += torch.bincount(bins, minlength=len(self._histogram)).cpu()

    def compute(self) -> dict[str, float]:
        """Return the metrics by name."""
        count = int(self._histogram.sum())
        if not count:
            return dict.fromkeys(self._names(), math.nan)
        middle = int((self._histogram.cumsum(0) < (count + 1) // 2).sum())
        values = [self._sum / count, (middle + 0.5) / BINS_PER_DEGREE, *(self._within / count).tolist()]
        return dict(zip(self._names(), values, strict=True))

    def _names(self) -> list[str]:
        return ["normals_mean_angle", "normals_median_angle", *(f"normals_within_{limit:g}" for limit in WITHIN)]
