"""Part segmentation of point clouds: instance mIoU."""

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmark.metrics.segmentation import confusion, overlap


class PartScore:
    """`instance_miou` of ShapeNet (Yi et al. 2016; Qi et al. 2017) and `point_accuracy`, over shapes.

    Of each shape, the mean over the parts of its own category; then the mean over shapes. Outputs of other
    categories' parts do not compete. A part that a shape neither has nor is predicted to have counts as 1, which
    torchmetrics leaves out instead. Points without a label, and shapes without any, are left out.

    Args:
        parts: Number of parts of each category, in the order of the outputs.
    """

    def __init__(self, parts: Sequence[int]) -> None:
        self.parts = sum(parts)
        self._owner = torch.arange(len(parts)).repeat_interleave(torch.tensor(parts))
        self._sums, self._shapes = torch.zeros(2, dtype=torch.double), 0

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Take logits (B, channels, P, 1) and targets (B, tasks, P, 1) of the parts' indices."""
        labels, owner = targets[:, 0].long().flatten(1), self._owner.to(outputs.device)
        own = owner == owner[labels.amax(1).clamp(min=0)][:, None]
        logits = outputs[:, : self.parts].flatten(2).masked_fill(~own[:, :, None], -torch.inf)
        counts, own = confusion(logits.argmax(1), labels, self.parts)[:, : self.parts].cpu(), own.cpu()
        hits, union = overlap(counts)
        known = counts.sum((1, 2))
        iou = torch.where(union > 0, hits.double() / union.clamp(min=1), 1.0)
        miou = (iou * own).sum(1) / own.sum(1)
        self._sums += torch.stack([miou, hits.sum(1).double() / known.clamp(min=1)])[:, known > 0].sum(1)
        self._shapes += int((known > 0).sum())

    def compute(self) -> dict[str, float]:
        """Return the metrics by name."""
        miou, accuracy = (self._sums / self._shapes).tolist()
        return {"instance_miou": miou, "point_accuracy": accuracy}
