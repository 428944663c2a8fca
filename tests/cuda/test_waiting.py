"""Within an epoch the host never waits for a CUDA device, which alone knows of all its waits."""

import pytest
import torch

import baselines
from tests.benchmark.test_waiting import PAIRS, SUITES
from tests.benchmark.waiting import train


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("suite", "method"), PAIRS)
def test_no_step_waits(suite: str, method: str, precision: str) -> None:
    if method == "cagrad":
        pytest.importorskip("cvxpy", reason="cagrad's solver is not installed")
    if baselines.load(method).waits:
        with pytest.raises(RuntimeError, match="synchronizing"):  # or else it should not say so
            train(SUITES[suite](), method, torch.device("cuda", 0), precision=precision)
        return
    train(SUITES[suite](), method, torch.device("cuda", 0), precision=precision)
