"""Files of nested plain values and tensors, read without pickle: nothing in such a file can run.

A file is a line that names the format, the length of a header (8 bytes), the header (JSON: the structure, with each
tensor's type and shape in place of the tensor), the tensors' bytes, and the SHA-256 of all before it. The digest
detects damage; what keeps a forged file from doing harm is that JSON and numbers are all that is read.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAGIC = b"auxilearn-benchmark tensors 1\n"
"""First line of every file; the number is the format's."""

_DIGEST = 32
_LENGTH = 8
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}


class Damaged(Exception):
    """A file is not what was written; its text says in what way."""


def write(path: Path, value: Any) -> None:
    """Write dictionaries, lists, tuples, plain values and tensors of any device to a new file, down to the disk.

    Raises:
        OSError: The file cannot be written, or is there already.
        TypeError: There is something else in `value`.
    """
    tensors: list[Tensor] = []
    header = json.dumps(_encode(value, tensors), separators=(",", ":")).encode()
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for part in (MAGIC, len(header).to_bytes(_LENGTH, "big"), header, *map(_bytes, tensors)):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Any:
    """Return what `write` wrote, tensors on the CPU.

    Raises:
        Damaged: The file is not one, or not whole, or changed.
        OSError: It cannot be read.
    """
    data = bytearray(path.read_bytes())
    if not data.startswith(MAGIC):
        raise Damaged("it is no checkpoint of this format")
    body = memoryview(data)[:-_DIGEST]
    if len(data) < len(MAGIC) + _LENGTH + _DIGEST or hashlib.sha256(body).digest() != data[-_DIGEST:]:
        raise Damaged("it is cut short or was changed")
    start = len(MAGIC) + _LENGTH
    end = start + int.from_bytes(body[len(MAGIC) : start], "big")
    try:
        return _Decoder(body[end:]).decode(json.loads(bytes(body[start:end])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError) as error:
        raise Damaged(f"its header makes no sense ({type(error).__name__})") from None


def _encode(value: Any, tensors: list[Tensor]) -> Any:
    """Return `value` as JSON, each container and tensor as a dictionary with one key, and collect the tensors."""
    if isinstance(value, Tensor):
        order = sorted(range(value.dim()), key=value.stride, reverse=True)
        tensors.append(value.detach().permute(order))
        return {"tensor": [_name(value.dtype), list(tensors[-1].shape), order]}
    if isinstance(value, dict):
        return {"dict": [[_encode(part, tensors) for part in pair] for pair in value.items()]}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_encode(part, tensors) for part in value]}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def _name(dtype: torch.dtype) -> str:
    name = str(dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise TypeError(f"a checkpoint cannot hold a tensor of {name}")
    return name


def _bytes(tensor: Tensor) -> Any:
    """Return the tensor's bytes as a buffer, without copying them where they lie in a row on the host."""
    return tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy()


class _Decoder:
    """Makes values of a header and the tensors' bytes, which it takes in the order of the header."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def decode(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        make: dict[str, Callable[[Any], Any]] = {
            "dict": lambda pairs: {self.decode(key): self.decode(part) for key, part in pairs},
            "list": lambda parts: [self.decode(part) for part in parts],
            "tuple": lambda parts: tuple(self.decode(part) for part in parts),
            "tensor": lambda parts: self._tensor(*parts),
        }
        return make[kind](content)

    def _tensor(self, name: str, shape: list[int], order: list[int]) -> Tensor:
        """Return a tensor in memory of its own, aligned as torch's are, its axes in memory as they were."""
        dtype = _DTYPES[name]
        part = self._data[self._at : self._at + dtype.itemsize * math.prod(shape)]
        self._at += len(part)
        if not part:
            return torch.empty(shape, dtype=dtype)
        found = torch.frombuffer(part, dtype=torch.uint8).clone().view(dtype).reshape(shape)
        return found.permute([order.index(axis) for axis in range(len(order))])
