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
def test_device_and_precision_decide(precision: Any, device: torch.device, last: bool) -> None:
    assert layout.channels_last(precision, device) is last


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
    monkeypatch.setattr(layout, "channels_last", lambda precision, device: last)
    monkeypatch.setattr(layout, "CPU_EVALUATION", 5)
    training = Training(Measured(), a_spec(method="equal"), CPU)
    seen = Seen()
    training.problem.model.trunk.insert(0, seen)  # type: ignore[operator]
    training.epoch(1)
    assert {(trains, found) for trains, _, found in seen.batches} == {(True, last), (False, last)}
    assert max(size for trains, size, _ in seen.batches if not trains) == 5


def test_weights_of_convolutions_are_arranged() -> None:
    for last in (False, True):
        module = nn.Conv2d(3, 4, 3)
        layout.arrange(module, last=last)
        assert module.weight.is_contiguous(memory_format=torch.channels_last) is last


def test_the_layout_changes_no_gradient() -> None:
    torch.manual_seed(0)
    trunk, features = convnet(3, TWO_LAYERS, pixels=12)
    model = nn.Sequential(trunk, nn.Linear(features, 4)).double()
    batch = Batch(torch.randn(6, 3, 12, 12, dtype=torch.float64), (torch.arange(6) % 4,))
    gradients = []
    for last in (False, True):
        layout.arrange(model, last=last)
        inputs, (labels,) = layout.arranged(batch, last=last)
        loss = nn.functional.cross_entropy(model(inputs), labels)
        gradients.append(torch.autograd.grad(loss, list(model.parameters())))
    for plain, arranged in zip(*gradients, strict=True):
        torch.testing.assert_close(arranged, plain, rtol=1e-12, atol=1e-14)


def test_only_images_are_arranged() -> None:
    for inputs in (torch.randn(4, 3), torch.randn(4, 3, 8)):
        batch = Batch(inputs, ())
        assert layout.arranged(batch, last=True) is batch
