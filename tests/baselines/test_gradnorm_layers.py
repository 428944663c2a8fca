from typing import Any

import pytest
import torch
from torch import Tensor, nn

import baselines.gradnorm as module
from baselines.gradnorm import input_gram, layer_gradient_norms, mapped_rows, recorded_calls, squared_norms


class Layers(nn.Module):
    """Hold a layer between a stem and a mixing of its outputs that is different for every task."""

    def __init__(self, layer: nn.Module, received: Tensor, tasks: int) -> None:
        super().__init__()
        self.layer, self.stem = layer, nn.Parameter(received)
        returned = layer(received)
        self.register_buffer("mixing", torch.randn(tasks, *returned.shape, dtype=received.dtype))

    def forward(self) -> Tensor:
        hidden = torch.nn.functional.relu(self.layer(self.stem), inplace=True)
        return (torch.tanh(hidden) * self.get_buffer("mixing")).flatten(1).mean(1)


class PartlyUsed(nn.Module):
    """Call one part, call another in vain and leave a third alone."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.in_vain, self.left = nn.Linear(16, 12), nn.Linear(16, 12), nn.Linear(16, 12)

    def forward(self, x: Tensor) -> Tensor:
        self.in_vain(x)
        return self.used(x)


class Twice(nn.Module):
    """Call one layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(torch.tanh(self.inner(x)))


def frozen_bias() -> nn.Linear:
    layer = nn.Linear(16, 12)
    layer.bias.requires_grad_(False)
    return layer


def block() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, bias=False)
    )


LAYERS = {
    "linear": (lambda: nn.Linear(16, 12), (4, 16), True),
    "linear without bias": (lambda: nn.Linear(16, 12, bias=False), (4, 16), True),
    "linear on sequences": (lambda: nn.Linear(16, 12), (2, 3, 16), True),
    "convolution": (lambda: nn.Conv2d(6, 8, 3, padding=1), (2, 6, 3, 3), True),
    "strided convolution": (lambda: nn.Conv2d(6, 8, (3, 2), stride=2, dilation=(1, 2)), (2, 6, 7, 6), True),
    "1x1 convolution of many pixels": (lambda: nn.Conv2d(6, 8, 1), (2, 6, 9, 9), False),
    "grouped convolution": (lambda: nn.Conv2d(6, 8, 3, groups=2), (2, 6, 4, 4), False),
    "circular convolution": (lambda: nn.Conv2d(6, 8, 3, padding=1, padding_mode="circular"), (2, 6, 3, 3), False),
    "named padding": (lambda: nn.Conv2d(6, 8, 3, padding="same"), (2, 6, 3, 3), False),
    "frozen bias": (frozen_bias, (4, 16), False),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(16, 12)), (4, 16), False),
    "batch norm": (lambda: nn.BatchNorm2d(6), (2, 6, 3, 3), False),
    "called twice": (Twice, (4, 16), False),
    "partly used": (PartlyUsed, (4, 16), True),
    "block": (block, (2, 6, 4, 4), None),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("chunk", [1, 2**20])
def test_norms_on_any_layer_are_those_of_a_loop(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", chunk)
    make, shape, mapped = LAYERS[name]
    layer = make().double()
    model = Layers(layer, torch.randn(shape, dtype=torch.float64), tasks=5)
    with recorded_calls(layer) as calls:
        means = model()
    if mapped is not None:
        part, found = next(iter(calls.items()))
        assert (mapped_rows(part, found, n_tasks=5) is not None) == mapped
    norms = layer_gradient_norms(means, calls)
    trained = [parameter for parameter in layer.parameters() if parameter.requires_grad]
    expected = [torch.autograd.grad(mean, trained, retain_graph=True, materialize_grads=True) for mean in means]
    torch.testing.assert_close(
        norms, torch.stack([torch.cat([g.flatten() for g in gradient]).norm() for gradient in expected])
    )
    assert not any(part._forward_hooks for part in model.modules())


def test_a_task_that_does_not_reach_the_layer_has_norm_zero() -> None:
    layer, other = nn.Linear(3, 3), nn.Parameter(torch.ones(()))
    with recorded_calls(layer) as calls:
        reached = layer(torch.ones(2, 3)).sum()
    norms = layer_gradient_norms(torch.stack([reached, other * 2]), calls)
    assert norms[0] > 0
    assert norms[1] == 0


def test_squared_norms_worked_out_by_hand() -> None:
    # D^T X = (1 * (1, 2) + 2 * (3, 4)) = (7, 10), D^T 1 = 3
    rows, gradients = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[[1.0], [2.0]]])
    assert squared_norms(input_gram(rows, bias=False), gradients).tolist() == [149]
    assert squared_norms(input_gram(rows, bias=True), gradients).tolist() == [158]


def test_the_inputs_are_looked_at_once_however_many_chunks_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def counted(rows: Tensor, *, bias: bool) -> Tensor:
        seen.append(rows)
        return input_gram(rows, bias=bias)

    monkeypatch.setattr(module, "_CHUNK_BYTES", 1)
    monkeypatch.setattr(module, "input_gram", counted)
    layer = nn.Linear(16, 12)
    model = Layers(layer, torch.randn(4, 16), tasks=5)
    with recorded_calls(layer) as calls:
        means = model()
    layer_gradient_norms(means, calls)
    assert len(seen) == 1


@pytest.mark.parametrize(("device", "passes"), [("cpu", 5), ("meta", 1)])
def test_chunks_are_those_of_a_cache_on_the_cpu_alone(
    device: str, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    grad = torch.autograd.grad

    def counted(outputs: Tensor, wanted: Any, chosen: Tensor, **named: Any) -> Any:
        made.append(len(chosen))
        return grad(outputs, wanted, chosen, **named)

    monkeypatch.setattr(module, "_CHUNK_BYTES", 1)
    monkeypatch.setattr(torch.autograd, "grad", counted)
    layer = nn.Linear(16, 12)
    model = Layers(layer, torch.randn(4, 16), tasks=5).to(device)
    with recorded_calls(layer) as calls:
        means = model()
    layer_gradient_norms(means, calls)
    assert made == [5 // passes] * passes
