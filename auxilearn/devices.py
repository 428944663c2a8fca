"""Copies from the host to a device that nobody waits for."""

import torch
from torch import Tensor


def on_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the host on `device`; the host goes on at once, what uses it there comes after it."""
    if tensor.device == device:
        return tensor
    # only from pinned memory does a copy go on by itself; torch keeps that memory until the copy is done
    source = tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor
    return source.to(device, non_blocking=True)
