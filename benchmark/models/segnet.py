"""SegNet (Badrinarayanan et al., PAMI 2017) with a head for each task group, for dense tasks."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from benchmark.models.multitask import MultiHead

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five stages, those of VGG-16; the paper's released code has 1,024 in the last."""


class SegNet(nn.Module):
    """Encoder and mirrored decoder: (B, channels, H, W) to (B, widths[0], H, W), both sides multiples of 32.

    Each of the five stages of the encoder ends with a max-pooling by two, whose places the decoder's stage of the
    same size fills again (max-unpooling). The layout is that of "SegNet, split" of Liu, Johns and Davison (CVPR
    2019): the first convolution of a decoder's stage narrows, where the original's last one does.

    Args:
        channels: Channels of the input.
        widths: Channels of the stages.
    """

    def __init__(self, channels: int = 3, *, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        depths = [2, 2, 3, 3, 3]
        outwards = list(zip(widths, (widths[0], *widths[:-1]), depths, strict=True))
        inwards = zip((channels, *widths[:-1]), widths, depths, strict=True)
        self.encoder = nn.ModuleList(_stage(*sizes) for sizes in inwards)
        self.decoder = nn.ModuleList(_stage(*sizes) for sizes in reversed(outwards))
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of each pixel.

        Raises:
            ValueError: A side is no multiple of 32.
        """
        height, width = images.shape[-2:]
        if height % 32 or width % 32:
            raise ValueError(f"SegNet takes images whose sides are multiples of 32; found {height} x {width}")
        features, places = images, []
        for stage in self.encoder:
            features, place = functional.max_pool2d(stage(features), 2, return_indices=True)
            places.append(place)
        for stage in self.decoder:
            features = stage(functional.max_unpool2d(features, places.pop(), (2, 2)))
        return features


def segnet(outputs: Sequence[int], *, channels: int = 3, widths: Sequence[int] = WIDTHS) -> MultiHead:
    """Return a SegNet shared by all tasks, with two convolutions, 3x3 and 1x1, of each task group's own.

    Args:
        outputs: Number of output channels of each task group.
        channels: Channels of the input.
        widths: Channels of the stages.
    """
    width = widths[0]
    heads = [nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, n, 1)) for n in outputs]
    return MultiHead(SegNet(channels, widths=widths), [head.apply(_initialise) for head in heads], loss_images=True)


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in in [inputs] + [outputs] * (depth - 1):
        layers += [nn.Conv2d(fan_in, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
