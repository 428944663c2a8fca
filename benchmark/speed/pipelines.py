"""Two ways from the files of pictures to batches of augmented inputs: the benchmark's, and the usual one of PyTorch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmark.archives import Tree
from benchmark.cache import Arrays, Prepared, Split, open_or_decode
from benchmark.data import Batch, Data, Shuffler
from benchmark.datasets._images import fill_images, jpeg
from benchmark.datasets._photographs import SIDE
from benchmark.images import Images

BATCH = 64
CROP = 224
HEIGHT, WIDTH = 375, 500
"""Of a drawn original: what most of CUB's pictures are close to."""

NOISE = 20
"""Standard deviation of a drawn picture's grain, so that files are as long as CUB's, some 98 kB on average."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def draw_originals(folder: Path, count: int) -> list[Path]:
    """Write as many JPEG files of smooth pictures with grain and return their paths."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float32)
        grain = NOISE * rng.standard_normal(smooth.shape, dtype=np.float32)
        path.write_bytes(jpeg((smooth + grain).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)))
    return paths


def decoded(paths: Sequence[Path], folder: Path) -> Prepared:
    """Decode pictures of one folder into memory-mapped arrays in another, as data sets of photographs are."""

    def decode(arrays: Arrays) -> None:
        images = arrays.new("image", (len(paths), 3, SIDE, SIDE), np.uint8)
        rows = {path.name: row for row, path in enumerate(paths)}
        fill_images(images, Tree(paths[0].parent), rows, resize="stretch")
        arrays.add("split", [Split.TRAIN] * len(paths), np.uint8)

    return open_or_decode(folder, decode, "speed")


def whole_batches(prepared: Prepared, device: torch.device) -> Callable[[], int]:
    """Return an epoch of the benchmark's way, which returns its number of images."""
    images = prepared.tensors["image"]
    everything, none = torch.arange(len(images)), torch.arange(0)
    reader = Images(MEAN, STD, torch.Generator().manual_seed(0), crop=CROP, flip=True)
    data = Data(Batch(images, ()), everything, none, none, none, reader=reader).to(device)
    batches = Shuffler(data.train, BATCH, torch.Generator().manual_seed(1))
    return lambda: sum(len(data.at(index).inputs) for index in batches.epoch())


def one_by_one(paths: Sequence[Path], device: torch.device, *, workers: int) -> Callable[[], int]:
    """Return an epoch of the usual way, whose workers live on from epoch to epoch."""
    loader: DataLoader[Tensor] = DataLoader(
        Originals(paths),
        BATCH,
        shuffle=True,
        num_workers=workers,
        drop_last=len(paths) >= BATCH,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )
    return lambda: sum(len(images.to(device, non_blocking=True)) for images in loader)


class Originals(Dataset[Tensor]):
    """Picture files, each opened, stretched, cropped, mirrored and normalised by torchvision when it is asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        from torchvision import transforms  # takes seconds

        self.paths = list(paths)
        self.transform: Callable[[Any], Tensor] = transforms.Compose(
            [
                transforms.Resize((SIDE, SIDE)),
                transforms.RandomCrop(CROP),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.paths)

    def __getitem__(self, number: int) -> Tensor:
        """Return a picture as an input, (3, 224, 224)."""
        return self.transform(Image.open(self.paths[number]).convert("RGB"))
