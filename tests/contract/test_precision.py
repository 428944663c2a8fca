"""Every method trains under autocast to bfloat16: passes of its network are reduced, what it makes of losses is not."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

import baselines
from auxilearn import Method
from auxilearn.method import Parameters
from auxilearn.precision import autocast_type
from tests.contract.loop import Run, gradients, model_state, same, snapshot
from tests.contract.problems import PROBLEMS
from tests.problems import Batch, TinyProblem

PAIRS = [
    (name, problem)
    for name in baselines.names()
    for problem in PROBLEMS
    if baselines.load(name).declines(PROBLEMS[problem]()) is None
]
EVERY_PAIR = pytest.mark.parametrize(("name", "problem"), PAIRS)

REDUCED = torch.bfloat16


def reduced(enabled: bool = True) -> torch.autocast:
    return torch.autocast("cpu", dtype=REDUCED, enabled=enabled)


def backward(name: str, problem: str, *, autocast: bool, **changes: object) -> tuple[Run, Tensor]:
    """Return a run after one backward pass, and its losses."""
    run = Run(baselines.load(name), PROBLEMS[problem])
    run.problem.model.apply(without_dropout)
    with reduced(autocast):
        losses = run.method.backward(run.problem.batch())
    return run, losses


def without_dropout(module: torch.nn.Module) -> None:
    """Masks of tensors of another type are other masks."""
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0


@EVERY_PAIR
def test_losses_and_gradients_are_those_of_float32_within_the_rounding(name: str, problem: str) -> None:
    plain, expected = backward(name, problem, autocast=False)
    run, losses = backward(name, problem, autocast=True)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, expected, rtol=0.05, atol=0.05)
    assert not torch.equal(losses, expected), "the passes of the network were not reduced"
    first, second = (torch.cat([part.flatten() for part in gradients(r.problem.model)]) for r in (run, plain))
    assert first.dtype == torch.float32
    assert (first - second).norm() < 0.1 * second.norm()
    weights, others = (r.method.weights(losses) for r in (run, plain))
    torch.testing.assert_close(weights, others, rtol=0.1, atol=0.1)


class Exact(TinyProblem):
    """A problem whose networks know no autocast, so that all that it can reduce is what the method does itself."""

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        with reduced(False):
            return super().losses(batch, params, targets)

    def make_generator(self) -> torch.nn.Module:
        made = super().make_generator()
        made.forward = reduced(False)(made.forward)
        return made


@EVERY_PAIR
def test_what_a_method_makes_of_losses_is_the_same_bits_under_autocast(name: str, problem: str) -> None:
    states = []
    for autocast in (False, True):
        run = Run(baselines.load(name), partial(Exact, *PROBLEMS[problem].args, **PROBLEMS[problem].keywords))
        for batch in [run.problem.batch(seed=seed) for seed in range(3)]:
            run.optimizer.zero_grad()
            with reduced(autocast):
                run.method.backward(batch)
            run.optimizer.step()
            with reduced(autocast):
                run.method.step(batch)
        states.append(snapshot(run.state()))
    assert same(*states)


@EVERY_PAIR
def test_training_keeps_full_precision_in_all_that_is_kept(name: str, problem: str) -> None:
    run = Run(baselines.load(name), PROBLEMS[problem])
    for _ in range(4):
        batch = run.problem.batch(seed=run.steps)
        if run.method.outer_every and run.steps % run.method.outer_every == 0:
            run.outer_step()
        run.optimizer.zero_grad()
        with reduced():
            run.method.backward(batch)
        run.optimizer.step()
        with reduced():
            run.method.step(batch)
        run.steps += 1
    for part in (run.problem.model, run.method):
        for key, value in part.named_parameters():
            assert value.dtype == torch.float32, key
            assert value.isfinite().all(), key
        assert all(value.dtype != REDUCED for value in part.buffers())


@EVERY_PAIR
def test_outer_steps_are_the_same_bits_whatever_autocast_is_around_them(name: str, problem: str) -> None:
    states = []
    for autocast in (False, True):
        run = Run(baselines.load(name), PROBLEMS[problem])
        batches = [run.problem.batch(seed=seed) for seed in range(4)]  # drawn in full precision
        for train, held_out in (batches[:2], batches[2:]):
            with reduced(autocast):
                run.method.outer_step(train, held_out, lr=0.05)
            states.append(snapshot(run.method.state_dict()) | {"model": model_state(run.problem.model)})
    assert same(states[0], states[2])
    assert same(states[1], states[3])


class Overlooks(Method):
    """Multiplies matrices in reduced precision where it should not, and says nothing of it."""

    outer_every = 2

    def __init__(self, problem: TinyProblem) -> None:
        super().__init__(problem)
        self.phi = torch.nn.Parameter(torch.ones(problem.n_tasks))

    def combine(self, losses: Tensor) -> Tensor:
        assert autocast_type(losses.device) is None
        return (losses @ self.phi.detach()).mean()

    def outer_step(self, train: object, held_out: object, lr: float) -> None:
        own = {name: value.detach() for name, value in self.problem.model.named_parameters()}
        with torch.no_grad():
            self.phi += self.problem.losses(train, params=own).mean(0)


def test_the_base_class_combines_in_full_precision_and_a_careless_outer_step_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "load", lambda name: Overlooks)
    test_losses_and_gradients_are_those_of_float32_within_the_rounding("overlooks", "vectors")
    with pytest.raises(AssertionError):
        test_outer_steps_are_the_same_bits_whatever_autocast_is_around_them("overlooks", "vectors")


def test_outside_of_autocast_nothing_is_entered() -> None:
    assert autocast_type(torch.device("cpu")) is None
    assert autocast_type(torch.device("meta")) is None
    with reduced():
        assert autocast_type(torch.device("cpu")) is REDUCED
