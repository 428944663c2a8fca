"""OL-AUX: its rule by hand, its products against a loop over tasks, its horizon and where the weights go."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn import task_means
from auxilearn.method import Parameters
from baselines.ol_aux import OLAux, updated
from tests.contract.loop import Run, gradients, same, snapshot
from tests.contract.problems import PROBLEMS as CONTRACT_PROBLEMS
from tests.problems import Batch, TinyProblem

DOUBLE = torch.float64
PROBLEMS: Mapping[str, dict[str, Any]] = {
    "vectors": {"batch_norm": True, "dropout": 0.3},
    "images": {"batch_norm": True, "dropout": 0.3, "size": (3, 2)},
    "masked": {"batch_norm": True, "masked": True},
    "masked-images": {"dropout": 0.3, "masked": True, "size": (3, 2)},
}


class Copies(TinyProblem):
    """The main task, a copy of it and its negative, times a constant."""

    scale = 1.0

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        main = self.scale * super().losses(batch, params, targets)[:, :1]
        return torch.cat([main, main, -main], 1)


def make(problem: TinyProblem, **settings: Any) -> OLAux:
    return OLAux(problem, **settings).to(problem.dtype)


def products_by_a_loop(problem: TinyProblem, batch: Batch) -> Tensor:
    """Return <g_0, g_i> on the shared parameters, (T,), each gradient by its own pass."""
    found, stream = [], torch.get_rng_state()
    for task in range(problem.n_tasks):
        torch.set_rng_state(stream)
        loss = task_means(problem.losses(batch, dict(problem.model.named_parameters())))[task]
        found.append(torch.autograd.grad(loss, problem.shared_parameters()))
    return torch.stack([torch.stack([(a * b).sum() for a, b in zip(found[0], g, strict=True)]).sum() for g in found])


def test_the_rule_by_hand() -> None:
    weights, products = torch.tensor([1.0, 1.0, 0.5, 0.5]), torch.tensor([9.0, 2.0, -1.0, -6.0])
    torch.testing.assert_close(updated(weights, products, beta=0.1), torch.tensor([1.0, 1.2, 0.4, 0.0]))


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_products_are_those_of_a_loop_over_tasks(name: str) -> None:
    problem = TinyProblem(
        ("regression", "classification", "regression", "classification"), **PROBLEMS[name], dtype=DOUBLE
    )
    method, batch, stream = make(problem, horizon=2), problem.batch(12), torch.get_rng_state()
    expected = products_by_a_loop(problem, batch)
    assert float(expected.abs().min()) > 1e-6
    torch.set_rng_state(stream)
    method.backward(batch)
    torch.testing.assert_close(method.products, expected, rtol=1e-9, atol=1e-12)


def test_weights_move_at_the_end_of_the_horizon_by_the_sum_of_products() -> None:
    problem = TinyProblem(dtype=DOUBLE)
    method = make(problem, beta=0.05, horizon=3)
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.1)
    expected, total = torch.ones(3, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)
    for step in range(7):
        batch = problem.batch(seed=step)
        total = total + products_by_a_loop(problem, batch)
        optimizer.zero_grad()
        method.backward(batch)
        optimizer.step()
        method.step(batch)
        if step % 3 == 2:
            expected = updated(expected, total, beta=0.05)
            total = torch.zeros_like(total)
        torch.testing.assert_close(method.weights(torch.ones(2, 3, dtype=DOUBLE)), expected)
    assert not torch.equal(expected, torch.ones(3, dtype=DOUBLE))


@pytest.mark.parametrize("rate", [1e-2, 1e-3])
def test_the_sum_of_products_is_how_the_weights_lower_the_main_loss(rate: float) -> None:
    # to first order in the rate: d(L_0(W_t) - L_0(W_t+N)) / dw_i = rate sum_j <g_0(W_t+j), g_i(W_t+j)>
    problem = TinyProblem(dtype=DOUBLE)
    batch, horizon = problem.batch(16), 5

    def main_loss_after(task: int, shift: float) -> tuple[float, Tensor]:
        trained = copy.deepcopy(problem)
        method = make(trained, horizon=horizon + 1)
        method.task_weights[task] += shift
        optimizer = torch.optim.SGD(trained.model.parameters(), lr=rate)
        for _ in range(horizon):
            optimizer.zero_grad()
            method.backward(batch)
            optimizer.step()
            method.step(batch)
        return float(trained.losses(batch)[:, 0].mean().detach()), method.products

    for task in (1, 2):
        fall = (main_loss_after(task, -1e-3)[0] - main_loss_after(task, 1e-3)[0]) / 2e-3
        products = main_loss_after(task, 0.0)[1]
        assert fall == pytest.approx(rate * float(products[task]), rel=30 * rate)


def test_a_copy_of_the_main_task_gains_and_its_negative_ends_at_zero() -> None:
    problem = Copies(batch_norm=True)
    method, before = make(problem, beta=3.0, horizon=1), 1.0
    for seed in range(20):
        method.backward(problem.batch(32, seed=seed))
        method.step(problem.batch(32, seed=seed))
        assert method.task_weights[1] > before
        before = float(method.task_weights[1])
    assert torch.equal(method.task_weights[[0, 2]], torch.tensor([1.0, 0.0]))


def test_a_task_that_equals_the_main_one_gets_more_than_noise() -> None:
    problem = TinyProblem(("regression", "regression", "classification"), noise=(0.5, 0.5, 50.0))
    method = make(problem, beta=0.05, horizon=5)
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.02)
    for step in range(60):
        optimizer.zero_grad()
        method.backward(problem.batch(16, seed=step))
        optimizer.step()
        method.step(problem.batch(16, seed=step))
    assert method.task_weights[1] > 1.5
    assert method.task_weights[1] > method.task_weights[2] + 0.5


def test_the_training_gradient_is_that_of_the_weighted_sum() -> None:
    problem = TinyProblem()
    method, batch, weights = make(problem, beta=5.0), problem.batch(), torch.tensor([1.0, 2.0, 0.5])
    method.task_weights.copy_(weights)
    losses = method.backward(batch)
    expected = torch.autograd.grad((problem.losses(batch) @ weights).mean(), list(problem.model.parameters()))
    torch.testing.assert_close(gradients(problem.model), list(expected))
    torch.testing.assert_close(losses, problem.losses(batch).detach())


def test_losses_c_times_as_large_give_products_c_squared_times_as_large() -> None:
    products = []
    for scale in (1.0, 3.0):
        problem = Copies()
        problem.scale = scale
        method = make(problem)
        method.backward(problem.batch())
        products.append(method.products)
    torch.testing.assert_close(products[1], 9 * products[0])


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_run_resumed_within_the_horizon_gives_the_same_bits(stop: int) -> None:
    class Far(OLAux):
        """Three steps ahead (nobody, 2026)."""

        def __init__(self, problem: TinyProblem) -> None:
            super().__init__(problem, horizon=3)

    run = Run(Far, CONTRACT_PROBLEMS["vectors"]).train(stop)
    file = run.saved()
    expected = snapshot(run.train(5).state())
    resumed = Run(Far, CONTRACT_PROBLEMS["vectors"], seed=1).load(file).train(5)
    assert same(expected, resumed.state())


def test_frozen_parameters_stay_out() -> None:
    problem = TinyProblem(dtype=DOUBLE)
    frozen = problem.shared_parameters()[0].requires_grad_(False)
    method, batch = make(problem), problem.batch()
    method.backward(batch)
    assert frozen.grad is None
    loss = task_means(problem.losses(batch))[0]
    main = torch.autograd.grad(loss, problem.shared_parameters()[1:])
    assert float(method.products[0]) == pytest.approx(float(sum((g * g).sum() for g in main)), rel=1e-9)


def test_what_it_declines() -> None:
    assert OLAux.declines(TinyProblem(("regression",))) == "it needs at least one auxiliary task"
    assert OLAux.declines(TinyProblem(subclasses=(2, 2))) == "its auxiliary labels are generated, not given"
    problem = TinyProblem()
    assert OLAux.declines(problem) is None
    problem.model.requires_grad_(False)
    assert OLAux.declines(problem) == "the tasks share no trained parameter"


@pytest.mark.parametrize(("settings", "complaint"), [({"beta": 0.0}, "beta"), ({"horizon": 0}, "horizon")])
def test_bad_settings_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OLAux(TinyProblem(), **settings)
