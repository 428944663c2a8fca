"""Stored images as network inputs: cropped and flipped per sample, normalised, a batch at a time on their device."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Images:
    """Reads batches of inputs (B, C, H, W) in float32 from stored images (N, C, H, W) of uint8.

    Training samples are cropped at random places and flipped at random, each by draws of its own from a CPU
    generator, so that every device sees the same crops; other samples are cropped in the middle.

    Args:
        mean: Mean of each channel in [0, 1].
        std: Standard deviation of each channel.
        generator: Draws crops and flips.
        crop: Side of the crop; None keeps the whole image.
        padding: Zeros added on each side before a random crop.
        flip: Whether to mirror half of the training samples.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        generator: torch.Generator,
        *,
        crop: int | None = None,
        padding: int = 0,
        flip: bool = False,
    ) -> None:
        means, stds = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))
        self._scale, self._shift = 1 / (255 * stds), -means / stds
        self.generator = generator
        self._crop, self._padding, self._flip = crop, padding, flip

    def training(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the images at `index` (B,) as training inputs, (B, C, H, W)."""
        padding, count = self._padding, len(index)
        if padding:
            stored, index = functional.pad(stored[index], (padding,) * 4), torch.arange(count)
        height, width = stored.shape[-2:]
        rows, columns = (self._crop,) * 2 if self._crop else (height - 2 * padding, width - 2 * padding)
        tops, lefts = (
            torch.randint(room + 1, (count,), generator=self.generator) for room in (height - rows, width - columns)
        )
        mirrored = (torch.rand(count, generator=self.generator) < 0.5) & self._flip
        return self._normalised(crops(stored, index, Places(tops, lefts, mirrored), (rows, columns)))

    def evaluation(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the images at `index` (B,) as inputs for evaluation, (B, C, H, W)."""
        found = stored[index]
        if self._crop:
            top, left = ((side - self._crop) // 2 for side in stored.shape[-2:])
            found = found[..., top : top + self._crop, left : left + self._crop]
        return self._normalised(found.to(torch.float32))

    def _normalised(self, images: Tensor) -> Tensor:
        """Scale and shift in place, in one pass."""
        scale, shift = self._scale.to(images.device), self._shift.to(images.device)
        return torch.addcmul(shift, images, scale, out=images)


class Places(NamedTuple):
    """Where the crops of a batch begin, and which are mirrored, (B,) each."""

    tops: Tensor
    lefts: Tensor
    mirrored: Tensor


def crops(stored: Tensor, index: Tensor, places: Places, size: tuple[int, int]) -> Tensor:
    """Return parts of the images at `index` (B,), in float32, (B, C, *size)."""
    rows, columns = size
    if stored.device.type == "cpu":  # copies whole rows and converts on the way, faster than indexing elements
        found = torch.empty(len(index), stored.shape[1], rows, columns)
        each = zip(index.tolist(), *(part.tolist() for part in places), strict=True)
        for number, (image, top, left, mirrored) in enumerate(each):
            part = stored[image, :, top : top + rows, left : left + columns]
            found[number] = part.flip(-1) if mirrored else part
        return found
    device = stored.device
    index, tops, lefts, mirrored = (part.to(device) for part in (index, *places))
    steps = torch.arange(columns, device=device)
    across = lefts[:, None] + torch.where(mirrored[:, None], steps.flip(0), steps)
    down = tops[:, None] + torch.arange(rows, device=device)
    channels = torch.arange(stored.shape[1], device=device)[None, :, None, None]
    found = stored[index[:, None, None, None], channels, down[:, None, :, None], across[:, None, None, :]]
    return found.to(torch.float32)
