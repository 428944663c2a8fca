"""Auto-Lambda: its gradient against a loop over tasks and against real training steps, and where the weights go."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn import task_means
from auxilearn.method import Parameters
from baselines.auto_lambda import AutoLambda
from tests.contract.loop import gradients
from tests.problems import Batch, TinyProblem

DOUBLE = torch.float64
LR = 0.3
PROBLEMS: Mapping[str, dict[str, Any]] = {
    "vectors": {"batch_norm": True, "dropout": 0.3},
    "images": {"batch_norm": True, "dropout": 0.3, "size": (3, 2)},
    "masked": {"batch_norm": True, "masked": True},
    "masked-images": {"dropout": 0.3, "masked": True, "size": (3, 2)},
}


class Copies(TinyProblem):
    """The main task, a copy of it and its negative."""

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        main = super().losses(batch, params, targets)[:, :1]
        return torch.cat([main, main, -main], 1)


def make(problem: TinyProblem, **settings: Any) -> AutoLambda:
    return AutoLambda(problem, **settings).to(problem.dtype)


def gradient(method: AutoLambda, train: Batch, held_out: Batch) -> Tensor:
    """Return the gradient of an outer step, as a step of plain descent shows it."""
    method.optimizer, method.monotone = torch.optim.SGD([method.task_weights], lr=1.0), False
    before = method.task_weights.detach().clone()
    method.outer_step(train, held_out, lr=LR)
    return before - method.task_weights.detach()


@pytest.mark.parametrize("name", PROBLEMS)
def test_its_gradient_is_that_of_a_loop_over_tasks(name: str) -> None:
    problem = TinyProblem(
        ("regression", "classification", "regression", "classification"), **PROBLEMS[name], dtype=DOUBLE
    )
    method = make(problem)
    with torch.no_grad():
        method.task_weights.copy_(torch.tensor([0.5, 1.5, 0.0, 2.0]))
    train, held_out, stream = problem.batch(12), problem.batch(12, seed=1), torch.get_rng_state()

    def of_task(task: int, batch: Batch, params: Parameters) -> tuple[Tensor, ...]:
        torch.set_rng_state(stream)
        loss = task_means(problem.losses(batch, params))[task]
        return torch.autograd.grad(loss, tuple(params.values()), materialize_grads=True)

    params = {name: value.detach().requires_grad_() for name, value in problem.model.named_parameters()}
    parts = [of_task(task, train, params) for task in range(4)]
    moved = {name: value.detach().clone() for name, value in params.items()}
    for weight, part in zip(method.task_weights.detach(), parts, strict=True):
        for value, g in zip(moved.values(), part, strict=True):
            value -= LR * weight * g
    main = of_task(0, held_out, {name: value.requires_grad_() for name, value in moved.items()})
    slopes = [torch.stack([(a * b).sum() for a, b in zip(main, part, strict=True)]).sum() for part in parts]
    expected = -LR * torch.stack(slopes)
    torch.set_rng_state(stream)
    found = gradient(method, train, held_out)
    assert float(expected.abs().min()) > 1e-6
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_its_gradient_is_the_change_of_the_main_loss_after_a_real_step() -> None:
    problem = TinyProblem(batch_norm=True, dtype=DOUBLE)
    train, held_out = problem.batch(12), problem.batch(12, seed=1)

    def loss_after_a_step(task: int, shift: float) -> float:
        trained = copy.deepcopy(problem)
        method = make(trained)
        with torch.no_grad():
            method.task_weights[task] += shift
        method.backward(train)
        torch.optim.SGD(trained.model.parameters(), lr=LR).step()
        return float(trained.losses(held_out)[:, 0].mean().detach())

    expected = [(loss_after_a_step(i, 1e-4) - loss_after_a_step(i, -1e-4)) / 2e-4 for i in range(3)]
    found = gradient(make(problem), train, held_out)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=DOUBLE), rtol=1e-6, atol=1e-9)


def test_the_first_step_is_adams() -> None:
    problem = TinyProblem(batch_norm=True)
    train, held_out = problem.batch(), problem.batch(seed=1)
    signs = gradient(make(problem), train, held_out).sign()
    method = make(problem, learning_rate=0.01)
    method.outer_step(train, held_out, lr=LR)
    torch.testing.assert_close(method.task_weights.detach(), 0.1 - 0.01 * signs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("monotone", [False, True])
def test_a_copy_of_the_main_task_gains_and_its_negative_loses(monotone: bool) -> None:
    problem = Copies(batch_norm=True)
    method = make(problem, learning_rate=0.03, monotone=monotone)
    for seed in range(5):
        method.outer_step(problem.batch(32, seed=seed), problem.batch(32, seed=seed + 50), lr=0.01)
    main, same, negative = method.task_weights.detach()
    assert main == same > 0.2
    assert negative == 0 if monotone else negative < -0.02


def test_a_task_that_equals_the_main_one_gets_more_than_noise() -> None:
    problem = TinyProblem(("regression", "regression", "regression"), noise=(0.5, 0.5, 5.0), width=6)
    method = make(problem, learning_rate=0.02)
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.02)
    for step in range(50):
        method.outer_step(problem.batch(16, seed=step), problem.batch(16, seed=step + 500), lr=0.02)
        optimizer.zero_grad()
        method.backward(problem.batch(16, seed=step))
        optimizer.step()
    weights = method.weights(torch.ones(4, 3))
    assert weights[1] > 0.5
    assert weights[1] > weights[2] + 0.2


def test_all_tasks_start_alike_and_the_training_loss_is_their_weighted_sum() -> None:
    problem = TinyProblem()
    method = make(problem, initial_weight=0.25)
    assert torch.equal(method.weights(torch.rand(4, 3)), torch.full((3,), 0.25))
    with torch.no_grad():
        method.task_weights.copy_(torch.tensor([0.5, 2.0, 0.0]))
    batch = problem.batch()
    losses = method.backward(batch)
    expected = torch.autograd.grad(
        problem.losses(batch) @ torch.tensor([0.5, 2.0, 0.0]) @ torch.full((8,), 1 / 8),
        list(problem.model.parameters()),
        materialize_grads=True,
    )
    torch.testing.assert_close(gradients(problem.model), list(expected))
    torch.testing.assert_close(losses, problem.losses(batch).detach())


@pytest.mark.parametrize(("held_out", "outer_every"), [("train", 1), ("auxiliary", 7)])
def test_when_it_looks_ahead_and_on_which_set_is_said_to_the_loop(held_out: Any, outer_every: int) -> None:
    method = AutoLambda(TinyProblem(), held_out=held_out, outer_every=outer_every)
    assert (method.held_out, method.outer_every) == (held_out, outer_every)


def test_an_outer_step_draws_nothing() -> None:
    problem = TinyProblem(dropout=0.3)
    method, stream = make(problem), torch.get_rng_state()
    method.outer_step(problem.batch(), problem.batch(seed=1), lr=LR)
    assert torch.equal(torch.get_rng_state(), stream)
    assert method.task_weights.grad is None
    assert float(method.diagnostics["held_out_loss"]) > 0


def test_problems_without_labelled_auxiliaries_are_declined() -> None:
    assert AutoLambda.declines(TinyProblem(("regression",))) == "it needs at least one auxiliary task"
    assert AutoLambda.declines(TinyProblem(subclasses=(2, 2))) == "its auxiliary labels are generated, not given"
    assert AutoLambda.declines(TinyProblem()) is None


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"initial_weight": 0.0}, "initial_weight"),
        ({"outer_every": 0}, "outer_every"),
        ({"held_out": "test"}, "auxiliary, train"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AutoLambda(TinyProblem(), **settings)
