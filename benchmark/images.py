"""Stored images as network inputs: cropped and flipped per sample, normalised, a batch at a time on their device."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from auxilearn.devices import on_device
from benchmark.rooms import Rooms

CHUNK = 2**18
"""Elements that are copied and normalised at once on the CPU, to stay in its cache."""


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
        self._constants = {torch.device("cpu"): (1 / (255 * stds), -means / stds)}
        self._rooms = Rooms()
        self.generator = generator
        self._crop, self._padding, self._flip = crop, padding, flip

    def training(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the images at `index` (B,) as training inputs, (B, C, H, W)."""
        padding, count = self._padding, len(index)
        if padding:
            stored = functional.pad(stored[index], (padding,) * 4)
            index = torch.arange(count, device=stored.device)
        height, width = stored.shape[-2:]
        rows, columns = (self._crop,) * 2 if self._crop else (height - 2 * padding, width - 2 * padding)
        tops, lefts = (
            torch.randint(room + 1, (count,), generator=self.generator) for room in (height - rows, width - columns)
        )
        mirrored = (torch.rand(count, generator=self.generator) < 0.5) & self._flip
        return self._read(stored, index, Places(tops, lefts, mirrored), (rows, columns))

    def evaluation(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the images at `index` (B,) as inputs for evaluation, (B, C, H, W)."""
        height, width = stored.shape[-2:]
        rows, columns = (self._crop,) * 2 if self._crop else (height, width)
        tops, lefts, mirrored = (
            torch.full((len(index),), start) for start in ((height - rows) // 2, (width - columns) // 2, False)
        )
        return self._read(stored, index, Places(tops, lefts, mirrored), (rows, columns))

    def _read(self, stored: Tensor, index: Tensor, places: "Places", size: tuple[int, int]) -> Tensor:
        """Return parts of the images at `index` (B,), normalised, (B, C, *size)."""
        device = stored.device
        if device not in self._constants:
            scale, shift = self._constants[torch.device("cpu")]
            self._constants[device] = on_device(scale, device), on_device(shift, device)
        scale, shift = self._constants[device]
        if device.type == "cpu":
            found = self._rooms.empty((len(index), stored.shape[1], *size))
            return copied(stored, index, places, scale=scale, shift=shift, out=found)
        found = gathered(stored, index, places, size)
        return torch.addcmul(shift, found, scale, out=found)


class Places(NamedTuple):
    """Where the crops of a batch begin, and which are mirrored, (B,) each, on the host."""

    tops: Tensor
    lefts: Tensor
    mirrored: Tensor


def copied(stored: Tensor, index: Tensor, places: Places, *, scale: Tensor, shift: Tensor, out: Tensor) -> Tensor:
    """Fill `out`, (B, C, h, w), with parts of the images at `index` (B,) times `scale` plus `shift`, (1, C, 1, 1).

    On the CPU: whole rows are copied, and converted on the way, which is faster than indexing elements.
    """
    rows, columns = out.shape[-2:]
    each = list(zip(index.tolist(), *(part.tolist() for part in places), strict=True))
    size = max(1, CHUNK // out[0].numel())
    buffer = torch.empty(min(size, len(each)), *out.shape[1:])
    for start in range(0, len(each), size):
        some = each[start : start + size]
        for row, (image, top, left, mirrored) in zip(buffer, some, strict=False):
            part = stored[image, :, top : top + rows, left : left + columns]
            row.copy_(part.flip(-1) if mirrored else part)
        torch.addcmul(shift, buffer[: len(some)], scale, out=out[start : start + len(some)])
    return out


def gathered(stored: Tensor, index: Tensor, places: Places, size: tuple[int, int]) -> Tensor:
    """Return parts of the images at `index` (B,) in float32, (B, C, *size), by a few operations on any device."""
    rows, columns = size
    device = stored.device
    # one copy for all three, which nobody waits for
    tops, lefts, mirrored = on_device(torch.stack([part.long() for part in places]), device)
    steps = torch.arange(columns, device=device)
    across = lefts[:, None] + torch.where(mirrored[:, None] > 0, steps.flip(0), steps)
    down = tops[:, None] + torch.arange(rows, device=device)
    channels = torch.arange(stored.shape[1], device=device)[None, :, None, None]
    found = stored[index[:, None, None, None], channels, down[:, None, :, None], across[:, None, None, :]]
    return found.to(torch.float32)
