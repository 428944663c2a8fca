"""Segmentation: intersection over union and accuracy of pixels, over the data set and averaged over images."""

import torch
from torch import Tensor

from benchmark.tasks import UNLABELLED


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return how many pixels of each image carry a label and are predicted as a class, (B, classes + 1, classes).

    The last row counts the pixels without a label.

    Args:
        predicted: Class indices, (B, ...).
        labels: Class indices or `UNLABELLED`, of the same shape.
        classes: Number of classes.

    Raises:
        ValueError: There is a label of no class.
    """
    rows = torch.where(labels == UNLABELLED, classes, labels).flatten(1).long()
    if ((labels < UNLABELLED) | (labels >= classes)).any():
        raise ValueError(f"labels must be below {classes}, or {UNLABELLED}; found {labels.min()} to {labels.max()}")
    images = torch.arange(len(rows), device=rows.device)[:, None]
    cells = ((classes + 1) * images + rows) * classes + predicted.flatten(1)
    counts = torch.bincount(cells.flatten(), minlength=len(rows) * (classes + 1) * classes)
    return counts.view(len(rows), classes + 1, classes)


def overlap(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return intersection and union of each class, (B, classes) each, from (B, rows, classes) of `confusion`.

    Rows beyond the classes, pixels without a label, enlarge the union of the class that is predicted there.
    """
    hits = counts.diagonal(dim1=1, dim2=2)
    labelled = counts[:, : counts.shape[2]].sum(2)
    return hits, labelled + counts.sum(1) - hits


class SegmentationScore:
    """Four numbers, each an accuracy in [0, 1], of the first task of a group with outputs (B, ..., H, W).

    `miou_per_image` and `pixel_accuracy_per_image` are the paper's, as its released code computes them: of each
    image, then averaged over images. There a class counts in an image that predicts it or carries it, and what is
    predicted on pixels *without* a label counts as wrong. torchmetrics' `MeanIoU` averages over all pairs of image
    and class instead, and knows no pixels without a label. Images without any label are left out.

    `miou` and `pixel_accuracy` are those of most other work: over all labelled pixels of the data set at once, by
    torchmetrics. A class that is neither predicted nor carried anywhere is left out of `miou`.

    Args:
        classes: Number of classes, the first of the outputs' channels.
    """

    def __init__(self, classes: int) -> None:
        from torchmetrics.classification import (  # takes seconds, which a plan does not need
            MulticlassAccuracy,
            MulticlassJaccardIndex,
        )

        self.classes = classes
        self._miou = MulticlassJaccardIndex(classes, ignore_index=UNLABELLED, validate_args=False)
        self._accuracy = MulticlassAccuracy(classes, average="micro", ignore_index=UNLABELLED, validate_args=False)
        self._sums, self._images = torch.zeros(2, dtype=torch.double), 0

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take logits (B, channels, ...) and targets (B, tasks, ...)."""
        predicted, labels = outputs[:, : self.classes].argmax(1), targets[:, 0].long()
        for metric in (self._miou, self._accuracy):
            metric.to(outputs.device).update(predicted, labels)
        counts = confusion(predicted, labels, self.classes).cpu()
        hits, union = overlap(counts)
        labelled = counts[:, : self.classes].sum((1, 2))  # none in an image adds 0 to both
        iou = (hits.double() / union.clamp(min=1)).sum(1) / (union > 0).sum(1)
        self._sums += torch.stack([iou, hits.sum(1).double() / labelled.clamp(min=1)]).sum(1)
        self._images += int((labelled > 0).sum())

    def compute(self) -> dict[str, float]:
        """Return the metrics by name."""
        miou, accuracy = (self._sums / self._images).tolist()
        return {
            "miou_per_image": miou,
            "pixel_accuracy_per_image": accuracy,
            "miou": float(self._miou.compute()),
            "pixel_accuracy": float(self._accuracy.compute()),
        }
