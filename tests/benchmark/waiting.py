"""Suites, and devices on which waiting shows: "meta", which has no data to wait for, and CUDA in a mode that raises."""

import dataclasses
import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.data import Batch, Data
from benchmark.dense import Depth, Normals
from benchmark.images import Images
from benchmark.models.multitask import MultiHead, MultiTask
from benchmark.suite import Suite
from benchmark.suites._generated import GeneratedLabels
from benchmark.tasks import Classification
from benchmark.train import Training
from tests.benchmark.helpers import Toy, a_spec

META = torch.device("meta")

STEPS = 5
"""As many as `ol-aux` takes before it updates its weights."""


class Waited(Exception):
    """The host would wait for the device."""


class NoWaiting(TorchDispatchMode):
    """Raises where the host would wait for a device: copies without `non_blocking`, and indices of unknown length.

    What needs a value of the device, as `.item()` and `.cpu()` do, raises on "meta" by itself.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if name == "_to_copy":
            target = torch.device(kwargs.get("device") or args[0].device)
            if target.type != args[0].device.type and not kwargs.get("non_blocking"):
                raise Waited(f"a copy from {args[0].device.type} to {target.type}")
        if name == "copy_" and args[0].device != args[1].device and not (args[2:] or kwargs.get("non_blocking")):
            raise Waited(f"a copy from {args[1].device.type} to {args[0].device.type}")
        if name in ("index", "index_put", "index_put_"):
            for index in (part for part in args[1] if part is not None):
                if index.dtype in (torch.bool, torch.uint8) and args[0].device.type != "cpu":
                    raise Waited("an index that is a mask")
                if index.device != args[0].device and index.dim():
                    raise Waited("an index that is on the host")
        return func(*args, **kwargs)


class Pictures(Toy):
    """Images with a segmentation, a depth and normals, cropped and mirrored; losses are images."""

    groups = (Classification({"parts": 3}), Depth(), Normals())  # pyright: ignore[reportAssignmentType]

    def data(self, setting: str, seed: int) -> Data:
        draw = torch.Generator().manual_seed(7)
        stored = torch.randint(0, 256, (100, 3, 6, 6), generator=draw, dtype=torch.uint8)
        parts = torch.randint(-1, 3, (100, 1, 4, 4), generator=draw)
        depth, normals = (torch.randn(100, n, 4, 4, generator=draw) for n in (1, 3))
        reader = Images((0.5,) * 3, (0.2,) * 3, draw, crop=4, padding=1, flip=True)
        sets = torch.arange(100).split([30, 10, 30, 30])
        return Data(Batch(stored, (parts, depth.abs(), normals)), *sets, reader=reader)

    def model(self, setting: str) -> MultiTask:
        trunk = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.1))
        heads = [nn.Conv2d(6, group.outputs, 1) for group in self.groups_of(setting)]
        return MultiHead(trunk, heads, loss_images=True)

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        return {"top1": 0.5, "top2": 0.5}


class Generated(GeneratedLabels):
    """Three classes in four dimensions, with a generated auxiliary task."""

    settings = ("few",)
    metrics = Toy.metrics
    batch_size = Toy.batch_size

    def __init__(self) -> None:
        super().__init__("toy")

    def fingerprint(self) -> str:
        return Toy().fingerprint()

    def data(self, setting: str, seed: int) -> Data:
        given = Toy().data(setting, seed)
        (labels, _) = given.samples.targets
        inputs = given.samples.inputs[:, 1:]
        return dataclasses.replace(given, samples=Batch(inputs, (labels[:, :1].clamp(min=0),)))

    def classes(self, setting: str) -> int:
        return 3

    def trunk(self, setting: str) -> tuple[nn.Module, int]:
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU()), 8


def train(suite: Suite, method: str, device: torch.device, **changes: Any) -> None:
    """Take all steps of an epoch on a device, whose data and network are there before."""
    training = Training(suite, a_spec(method=method, **changes), device)
    if device.type == "cuda":
        training.advance(STEPS)  # what is compiled and allocated once may wait
        try:
            with warnings.catch_warnings():  # torch calls the mode a prototype
                warnings.simplefilter("ignore")
                torch.cuda.set_sync_debug_mode("error")
            training.advance(STEPS)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return
    with NoWaiting():
        training.advance(STEPS)
