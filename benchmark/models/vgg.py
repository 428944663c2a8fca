"""VGG-16 with BatchNorm for images of 32 pixels (Simonyan and Zisserman, ICLR 2015, configuration D)."""

from torch import nn

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of each convolution; a max-pooling by two ends a stage."""


def vgg16(channels: int = 3) -> tuple[nn.Sequential, int]:
    """Return the convolutions, (B, channels, 32, 32) to (B, 512), and the number of features.

    The five poolings leave one vector an image, so that the two wide linear layers for 224 pixels have no place.
    Convolutions start from a normal distribution that keeps the variance of the gradients (He et al., ICCV 2015).
    """
    layers: list[nn.Module] = []
    width = channels
    for stage in STAGES:
        for outputs in stage:
            convolution = nn.Conv2d(width, outputs, 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
            width = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten()), width
