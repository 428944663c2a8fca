"""Metrics of the tasks over batches."""

from benchmark.metrics.classification import accuracy, top_k
from benchmark.metrics.depth import DepthScore
from benchmark.metrics.normals import NormalScore
from benchmark.metrics.parts import PartScore
from benchmark.metrics.score import Score, evaluate
from benchmark.metrics.segmentation import SegmentationScore

__all__ = [
    "DepthScore",
    "NormalScore",
    "PartScore",
    "Score",
    "SegmentationScore",
    "accuracy",
    "evaluate",
    "top_k",
]
