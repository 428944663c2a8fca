"""What is timed and measured does the steps of a training loop; peak memory is that of the work alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from auxilearn import Method
from benchmark.speed import methods, workload
from benchmark.speed.peak import peaks
from benchmark.speed.variants import Variant
from benchmark.speed.work import outer_step, training_step
from tests.benchmark.speed.makers import MIB, make_large, make_small

CPU = torch.device("cpu")


class Watched(Method):
    """Notes which hooks are called."""

    called: ClassVar[list[Any]] = []
    outer_every = 3

    def backward(self, batch: object) -> Tensor:
        self.called.append("backward")
        losses = self.problem.losses(batch)
        losses.mean().backward()
        return losses.detach()

    def step(self, batch: object) -> None:
        self.called.append("step")

    def outer_step(self, train: object, held_out: object, lr: float) -> None:
        self.called.append(("outer", train, held_out, lr))


@pytest.fixture
def watched() -> Iterator[Watched]:
    Watched.called.clear()
    yield Watched(workload.make_problem(2, CPU))
    Watched.called.clear()


def test_a_training_step_steps_the_model_hardly_and_the_method(watched: Watched) -> None:
    batch = workload.make_batch(2, 1, CPU)
    before = [parameter.detach().clone() for parameter in watched.problem.model.parameters()]
    step = training_step(watched, batch)
    step()
    assert watched.called == ["backward", "step"]
    after = list(watched.problem.model.parameters())
    assert all(torch.allclose(old, new, atol=1e-8) for old, new in zip(before, after, strict=True))
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    gradients = [parameter.grad for parameter in after]
    step()
    for old, new in zip(gradients, after, strict=True):
        assert old is not None
        assert new.grad is not None
        assert new.grad is not old, "gradients are freed as in training"
        torch.testing.assert_close(new.grad, old, msg="gradients are not summed over steps")


def test_gradients_can_stay_in_their_place(watched: Watched) -> None:
    step = training_step(watched, workload.make_batch(2, 1, CPU), keep_gradients=True)
    step()
    parameters = list(watched.problem.model.parameters())
    gradients = [
        (parameter.grad, None if parameter.grad is None else parameter.grad.clone()) for parameter in parameters
    ]
    step()
    for parameter, (grad, values) in zip(parameters, gradients, strict=True):
        assert parameter.grad is grad
        assert values is not None
        torch.testing.assert_close(parameter.grad, values)


def test_an_outer_step_takes_both_batches(watched: Watched) -> None:
    batch, held_out = (workload.make_batch(2, seed, CPU) for seed in (1, 2))
    outer_step(watched, batch, held_out)()
    ((name, train, other, lr),) = watched.called
    assert name == "outer"
    assert train is batch
    assert other is held_out
    assert lr > 0


def test_memory_is_that_of_outer_and_training_step(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Variant, "build", lambda self, problem: Watched(problem))
    monkeypatch.setattr(methods, "make_problem", lambda *_, **__: watched.problem)
    work = methods._whole_step(Variant("equal"), 2, "cpu")
    work()
    assert [call if isinstance(call, str) else call[0] for call in watched.called] == ["outer", "backward", "step"]
    places = [parameter.grad for parameter in watched.problem.model.parameters()]
    work()
    for place, parameter in zip(places, watched.problem.model.parameters(), strict=True):
        assert parameter.grad is place, "the gradients' memory is there before the step"


def test_batches_differ_by_seed_alone() -> None:
    first, again, other = (workload.make_batch(2, seed, CPU) for seed in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not tell peaks")
def test_peak_memory_is_that_of_the_work_alone_and_of_each_call() -> None:
    with peaks("cpu") as peak:
        found = [peak(make) / MIB for make in (make_small, make_large, make_small)]
    assert found == pytest.approx([20, 60, 20], abs=4)


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "123")
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    with peaks("cpu"):
        assert os.environ["MALLOC_TRIM_THRESHOLD_"] == "123"
        assert "MALLOC_MMAP_THRESHOLD_" not in os.environ
