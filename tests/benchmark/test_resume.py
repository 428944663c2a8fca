"""A run that is interrupted ends with the same bits as one that is not, whatever the method and the step."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark import train
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.train import Training, run
from tests.benchmark.helpers import Toy, a_spec, install, measured
from tests.benchmark.resuming import SUITES, Killed, cases, frequent, killed_at, lives

__all__ = ["frequent"]


def a_run(kind: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Spec:
    """Install a suite and return a final run of it with Dropout, draws and more than one epoch."""
    suite = SUITES[kind]()
    suite.name = "toy"
    install(monkeypatch, suite)
    return a_spec(phase="final", epochs=3, hyper=(("lr", 0.01), ("weight_decay", 0.001)), **changes)


def bits(record: Record) -> dict[str, Any]:
    assert record.status == "ok", record.reason
    return measured(record.to_json())


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize(("kind", "method"), list(cases()))
def test_a_run_that_dies_at_each_of_its_steps_ends_with_the_same_bits(
    kind: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = a_run(kind, monkeypatch, method=method)
    expected = bits(run(spec))
    killed_at(lambda step: True, monkeypatch)
    record, deaths = lives(spec, tmp_path)
    assert bits(record) == expected
    assert deaths >= 9
    assert record.timing["resumed"] == deaths
