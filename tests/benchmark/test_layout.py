"""Layout of images in memory: which a run has, that network and batches share it, that no result depends on it."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import nn

from benchmark import layout
from benchmark.data import Batch
from benchmark.models.convnet import TWO_LAYERS, convnet
from benchmark.train import Training
from tests.benchmark.helpers import a_spec
from tests.benchmark.waiting import Pictures

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("precision", "device", "last"),
    [("float32", CPU, True), ("bfloat16", CPU, True), ("bfloat16", CUDA, True), ("float32", CUDA, False)],
)
def test_device_and_precision_decide_for_networks_that_convolve_images(
    precision: Any, device: torch.device, last: bool
) -> None:
    for convolution in (nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(3, 4, 3)):
        assert layout.channels_last(nn.Sequential(convolution, nn.Flatten()), precision, device) is last
    for other in (nn.Linear(3, 4), nn.Conv1d(3, 4, 3), nn.Conv3d(3, 4, 3)):
        assert not layout.channels_last(nn.Sequential(other), precision, device)


@pytest.mark.parametrize(
    ("shape", "device", "expected"),
    [((9, 3, 4, 4), CPU, 128), ((9, 3, 4, 4), CUDA, 1000), ((9, 64), CPU, 1000), ((9, 3, 50), CPU, 1000)],
)
def test_a_cpu_evaluates_fewer_images_at_once(shape: tuple[int, ...], device: torch.device, expected: int) -> None:
    assert layout.evaluated_at_once(1000, torch.empty(shape), device) == expected
    assert layout.evaluated_at_once(8, torch.empty(shape), device) == 8


class Seen(nn.Module):
    """Notes the batches that it is given: whether in training, how many, whether their channels are last."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[bool, int, bool]] = []

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        last = inputs.is_contiguous(memory_format=torch.channels_last)
        self.batches.append((self.training, len(inputs), last))
        return inputs


class Measured(Pictures):
    """Passes what it measures through the network."""

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        for batch in batches:
            model(batch.inputs)
        return super().measure(setting, model, ())


@pytest.mark.parametrize("last", [True, False])
def test_training_and_evaluation_have_the_layout_of_the_network(last: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "channels_last", lambda model, precision, device: last)
    monkeypatch.setattr(layout, "CPU_EVALUATION", 5)
    training = Training(Measured(), a_spec(method="equal"), CPU)
    seen = Seen()
    training.problem.model.trunk.insert(0, seen)  # type: ignore[operator]
    training.epoch(1)
    assert {(trains, found) for trains, _, found in seen.batches} == {(True, last), (False, last)}
    assert max(size for trains, size, _ in seen.batches if not trains) == 5


def test_weights_of_convolutions_of_images_are_arranged_and_others_left() -> None:
    for last in (False, True):
        images, volumes, vectors = nn.Conv2d(3, 4, 3), nn.Conv3d(2, 3, 2), nn.Linear(2, 2)
        layout.arrange(nn.ModuleList([images, volumes, vectors]), last=last)
        assert images.weight.is_contiguous(memory_format=torch.channels_last) is last
        assert volumes.weight.is_contiguous()
        assert vectors.weight.is_contiguous()


def test_a_single_channel_has_the_strides_of_the_layout_too() -> None:
    module = nn.Conv2d(1, 4, 3)
    layout.arrange(module, last=True)
    assert module.weight.stride() == (9, 1, 3, 1)  # by which kernels are chosen, though both layouts hold the same


def test_the_layout_changes_no_first_or_second_derivative() -> None:
    torch.manual_seed(0)
    trunk, features = convnet(3, TWO_LAYERS, pixels=12)
    model = nn.Sequential(trunk, nn.Linear(features, 4))
    batch = Batch(torch.randn(6, 3, 12, 12), (torch.arange(6) % 4,))
    found = []
    for last in (False, True):
        layout.arrange(model, last=last)
        inputs, (labels,) = layout.arranged(batch, last=last)
        loss = nn.functional.cross_entropy(model(inputs), labels)
        parameters = list(model.parameters())
        first = torch.autograd.grad(loss, parameters, create_graph=True)
        product = sum((part.square().sum() for part in first), torch.zeros(()))
        found.append([flat(first), flat(torch.autograd.grad(product, parameters))])
    for plain, arranged in zip(*found, strict=True):
        assert torch.linalg.vector_norm(arranged - plain) <= 1e-4 * torch.linalg.vector_norm(plain)


def flat(parts: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.cat([part.flatten() for part in parts])


def test_only_images_are_arranged() -> None:
    for inputs in (torch.randn(4, 3), torch.randn(4, 3, 8)):
        batch = Batch(inputs, ())
        assert layout.arranged(batch, last=True) is batch
