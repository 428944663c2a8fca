"""On a device that rounds products to TF32 where it may: outer steps and evaluation do not, whatever is around them."""

from collections.abc import Iterable, Iterator

import pytest
import torch
from torch import Tensor, nn

import baselines
from auxilearn import AuxiLearn
from benchmark.data import Batch
from benchmark.models.multitask import MultiHead, MultiTask
from benchmark.train import Training, run
from tests.benchmark.helpers import a_spec, install
from tests.benchmark.resuming import Drawn
from tests.problems import TinyProblem


@pytest.fixture
def allowed() -> Iterator[None]:
    """Allow TF32 everywhere, as a user of the library may."""
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = matmul.fp32_precision, conv.fp32_precision
    matmul.fp32_precision = conv.fp32_precision = "tf32"
    yield
    matmul.fp32_precision, conv.fp32_precision = before


def error(found: Tensor, expected: Tensor) -> float:
    """Return the distance relative to the length."""
    return float((found.cpu().double() - expected).norm() / expected.norm())


def found_by(device: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch, **hyper: str) -> Tensor:
    """Return the hypergradient that an outer step of AuxiLearn finds, under autocast on CUDA."""
    kept: list[Tensor] = []
    monkeypatch.setattr(AuxiLearn, "_descend", lambda method, phi, found: kept.extend(found.gradients))
    torch.manual_seed(0)
    problem = TinyProblem(dtype=torch.float64, features=64, width=128, size=(8, 8))  # sums of many products
    method = baselines.load("auxilearn-nonlinear")(problem, **hyper)
    for part in (problem.model, method):
        part.to(device, dtype)
    batches = [
        {key: part.to(device, dtype if part.is_floating_point() else None) for key, part in drawn.items()}
        for drawn in (problem.batch(16, seed=seed) for seed in (1, 2))
    ]
    with torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda"):
        method.outer_step(*batches, lr=0.01)
    return torch.cat([part.flatten() for part in kept])


@pytest.mark.usefixtures("allowed")
def test_the_device_rounds_products_where_it_may() -> None:
    first, second = (torch.randn(256, 256) for _ in range(2))
    assert error(first.cuda() @ second.cuda(), first.double() @ second.double()) > 1e-4


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("hyper", [{"mode": "paper"}, {"solver": "identity"}], ids=["paper", "identity"])
def test_hypergradients_are_those_of_float64_within_the_rounding_of_float32(
    hyper: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found_by("cpu", torch.float64, monkeypatch, **hyper)
    assert expected.norm() > 0
    assert error(found_by("cuda", torch.float32, monkeypatch, **hyper), expected) < 2e-5


class Wide(Drawn):
    """Images under a convolution of many products, measured by some outputs of the network, which is never moved."""

    def model(self, setting: str) -> MultiTask:
        trunk = nn.Sequential(nn.Conv2d(3, 256, 3, padding=1), nn.Conv2d(256, 6, 3, padding=1))
        return MultiHead(trunk, [nn.Conv2d(6, group.outputs, 1) for group in self.groups_of(setting)], loss_images=True)

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        first, *_ = next(iter(batches))
        found = model(first[:1])[0].flatten()
        return {"top1": float(found[0]), "top2": float(found[-1])}


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_evaluates_its_network_as_on_the_cpu(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Wide())
    spec = a_spec(method="equal", precision=precision, hyper=(("lr", 0.0), ("weight_decay", 0.0)), epochs=1)
    here, there = (run(spec, device).epochs[0]["validation"] for device in ("cpu", "cuda"))
    assert there == pytest.approx(here, rel=1e-5, abs=1e-6)


@pytest.mark.usefixtures("allowed")
def test_outside_of_a_run_it_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = (Training(Wide(), a_spec(method="equal"), torch.device(device)) for device in ("cpu", "cuda"))
    expected = here.measure(here.data.test)
    assert there.measure(there.data.test) != pytest.approx(expected, rel=1e-5, abs=1e-6)
