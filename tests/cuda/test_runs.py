"""Runs on CUDA: those of the CPU within rounding, the same after any number of deaths, and what memory they had."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.models.multitask import MultiTask
from benchmark.train import run
from tests.benchmark.helpers import Toy, a_spec, install
from tests.benchmark.resuming import SUITES, cases, frequent, killed_at, lives

__all__ = ["frequent"]

METHODS = ("equal", "auxilearn", "auxilearn-linear", "auxinash", "maxl", "ol-aux")
"""Of each kind that keeps something on the device; that every method does the same there is shown without runs."""

ENDLESS = 2**50
"""Bytes that no device has."""


@pytest.fixture
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the suite of the runs be one of `SUITES`, without what the smallest rounding decides.

    Masks of dropout are drawn where the samples are, and Adam takes whole steps along gradients that are 0 but for
    their rounding, as those of biases before BatchNorm are.
    """

    class Plain(SUITES[request.param]):  # type: ignore[misc]
        def model(self, setting: str) -> MultiTask:
            made = super().model(setting)
            for module in made.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
            return made

        def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
            return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)

    install(monkeypatch, Plain())
    return request.param


def rows(record: Any) -> list[dict[str, Any]]:
    """Return losses, weights and metrics of the epochs of a record that ended well."""
    assert record.status == "ok", record.reason
    return [{key: row[key] for key in ("loss", "weight", "validation")} for row in record.epochs]


def close(found: Any, expected: Any, **tolerance: Any) -> None:
    """Compare nested numbers."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            close(one, other, **tolerance)
        return
    assert found == pytest.approx(expected, **tolerance)


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize(("kind", "method"), [case for case in cases() if case[1] in METHODS], indirect=["kind"])
def test_a_run_is_that_of_the_cpu_and_outlives_its_deaths(
    kind: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_spec(method=method, precision="float32", hyper=(("lr", 0.01), ("weight_decay", 0.0)))
    expected = rows(run(spec, "cpu"))
    whole = run(spec, "cuda")
    close(rows(whole)[:1], expected[:1], rel=1e-3, abs=1e-4)
    killed_at(lambda step: step % 2 == 1, monkeypatch)
    record, deaths = lives(spec, tmp_path, device="cuda")
    assert deaths > 1
    close(rows(record), rows(whole), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_record_says_what_it_ran_on(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Toy())
    record = run(a_spec(method="equal", precision=precision), "cuda")
    assert record.status == "ok", record.reason
    assert record.environment["device"] == torch.cuda.get_device_name()
    assert record.environment["precision"] == precision
    assert 0 < record.memory["peak_bytes"] < torch.cuda.get_device_properties(0).total_memory


@pytest.mark.parametrize("lost", [False, True])
def test_dropout_goes_on_where_it_was(lost: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, SUITES["vectors"]())
    spec = a_spec(method="equal", precision="float32")
    whole = rows(run(spec, "cuda"))
    killed_at(lambda step: step % 2 == 1, monkeypatch)
    if not lost:
        close(rows(lives(spec, tmp_path, device="cuda")[0]), whole, rel=1e-3, abs=1e-4)
        return
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *given: None)
    found = rows(lives(spec, tmp_path, device="cuda")[0])
    with pytest.raises(AssertionError):  # masks of a stream that begins elsewhere
        close(found, whole, rel=1e-3, abs=1e-4)


class Greedy(nn.Module):
    """Asks the device for more memory than there is, after some that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 8)

    def forward(self, inputs: Tensor) -> Tensor:
        self.kept = torch.zeros(2**28, device=inputs.device)
        return torch.empty(ENDLESS, dtype=torch.uint8, device=inputs.device)


def test_a_run_without_memory_is_a_record_that_says_so_and_gives_its_memory_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, Toy())
    monkeypatch.setattr(Toy, "model", lambda self, setting: MultiTask(Greedy(), 8, [5, 1]))
    before = torch.cuda.memory_reserved()
    record = run(a_spec(method="equal"), "cuda")
    assert record.status == "failed"
    assert record.reason.startswith("out of GPU memory: ")
    assert "device, tried to allocate " in record.reason
    assert "peak 1.0 GiB" in record.reason
    assert torch.cuda.memory_reserved() < before + 2**28
