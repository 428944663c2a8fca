"""Every method does the same on CUDA as on the CPU: all that it keeps, after steps, outer steps and ends of epochs."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

import baselines
from tests.contract.loop import Run
from tests.contract.problems import PROBLEMS
from tests.contract.test_precision import EVERY_PAIR, without_dropout

STEPS = 7
"""Two epochs of the loop and a step, with four outer steps."""


def trained(name: str, problem: str, device: str) -> dict[str, Any]:
    """Return the state of a method and its network in float64 after `STEPS` on a device."""
    run = Run(baselines.load(name), partial(PROBLEMS[problem], dtype=torch.float64))
    run.problem.model.apply(without_dropout)  # its masks are drawn where the samples are
    for part in (run.problem.model, run.method):
        part.to(device, torch.float64)
    run.epoch_losses = run.epoch_losses.to(device, torch.float64)
    drawn = run.problem.batch
    run.problem.batch = lambda *given, **named: {key: part.to(device) for key, part in drawn(*given, **named).items()}
    state = run.train(STEPS).state()
    return flat({"model": state["model"], "method": state["method"], "diagnostics": dict(run.method.diagnostics)})


def flat(state: Any, path: str = "") -> dict[str, Tensor]:
    """Return the tensors and numbers of a state on the CPU, by their place in it."""
    if isinstance(state, dict):
        return {key: part for name, value in state.items() for key, part in flat(value, f"{path}.{name}").items()}
    if isinstance(state, list | tuple):
        return flat(dict(enumerate(state)), path)
    return {path: torch.as_tensor(state).cpu()} if isinstance(state, Tensor | float | int) else {}


@EVERY_PAIR
def test_a_method_keeps_on_cuda_what_it_keeps_on_the_cpu(name: str, problem: str) -> None:
    if name == "cagrad":
        pytest.importorskip("cvxpy", reason="cagrad's solver is not installed")
    here, there = trained(name, problem, "cpu"), trained(name, problem, "cuda")
    assert here.keys() == there.keys()
    for key, expected in here.items():
        torch.testing.assert_close(
            there[key], expected, rtol=1e-7, atol=1e-9, equal_nan=True, msg=lambda text, key=key: f"{key}: {text}"
        )
