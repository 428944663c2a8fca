"""How images lie in memory: channels last where that is faster, and how many of them are evaluated at once.

Neither is part of a run's identity: like the number of threads they change how a device rounds, and nothing else.
"""

import torch
from torch import nn

from benchmark.data import Batch
from benchmark.spec import Precision

CPU_EVALUATION = 128
"""Images that a CPU evaluates at once: activations of more of them leave its cache."""


def channels_last(model: nn.Module, precision: Precision, device: torch.device) -> bool:
    """Return whether images have their channels last: oneDNN's and bfloat16's convolutions are made for it."""
    convolves = any(isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) for module in model.modules())
    return convolves and (device.type == "cpu" or precision == "bfloat16")


def arrange(module: nn.Module, *, last: bool) -> None:
    """Put the weights of convolutions of images into the layout of their inputs."""
    layout = torch.channels_last if last else torch.contiguous_format
    for part in module.parameters():
        if part.dim() == 4:
            part.data = part.data.to(memory_format=layout)  # gives even a single channel its strides


def arranged(batch: Batch, *, last: bool) -> Batch:
    """Return the batch with its images, (B, C, H, W), in the layout of the network."""
    if not last or batch.inputs.dim() != 4:
        return batch
    return batch._replace(inputs=batch.inputs.contiguous(memory_format=torch.channels_last))


def evaluated_at_once(size: int, inputs: torch.Tensor, device: torch.device) -> int:
    """Return the samples a batch of evaluation of stored `inputs`, (N, ...): `size`, fewer for images on a CPU."""
    return min(size, CPU_EVALUATION) if device.type == "cpu" and inputs.dim() == 4 else size
