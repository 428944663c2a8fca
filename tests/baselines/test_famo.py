from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchjd.scalarization import FAMO as Reference

from auxilearn import Method, task_means
from baselines.famo import FAMO, logit_gradient
from tests.contract.loop import gradients, model_state, same
from tests.problems import TinyProblem

TASKS = ("classification", "regression", "classification", "regression")


def vectors(*rows: list[float]) -> list[Tensor]:
    return [torch.tensor(row, dtype=torch.float64) for row in rows]


def trained(method: Method, problem: TinyProblem, *, steps: int, lr: float = 0.1) -> list[Tensor]:
    """Return the method's logits after each step of SGD."""
    optimizer, logits = torch.optim.SGD(problem.model.parameters(), lr=lr), []
    for seed in range(steps):
        optimizer.zero_grad()
        method.backward(problem.batch(seed=seed))
        optimizer.step()
        method.step(problem.batch(seed=seed))
        logits.append(method.get_parameter("logits").detach().clone())
    return logits


@pytest.mark.parametrize("size", [None, (3, 2)])
@pytest.mark.parametrize(("rate", "gamma"), [(0.025, 1e-3), (0.3, 0.1)])
def test_it_is_torchjds_step_for_step(size: tuple[int, int] | None, rate: float, gamma: float) -> None:
    ours = TinyProblem(TASKS, dtype=torch.float64, size=size)
    theirs = TinyProblem(TASKS, dtype=torch.float64, size=size)
    method = FAMO(ours, learning_rate=rate, gamma=gamma).double()
    reference = Reference(len(TASKS), lr=rate, weight_decay=gamma).double()
    optimizer = torch.optim.SGD(theirs.model.parameters(), lr=0.1)
    for seed, logits in enumerate(trained(method, ours, steps=8)):
        batch = theirs.batch(seed=seed)
        optimizer.zero_grad()
        reference(task_means(theirs.losses(batch))).backward()
        optimizer.step()
        reference.update(task_means(theirs.losses(batch)))
        torch.testing.assert_close(logits, dict(reference.named_parameters())["_w"].detach(), rtol=1e-5, atol=1e-9)
    assert method.logits.std() > 0.3 * rate
    for found, expected in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_weights_worked_out_by_hand() -> None:
    method = FAMO(TinyProblem())
    with torch.no_grad():
        method.logits.copy_(torch.tensor([2.0, 1.0, 1.0]).log())
    losses = torch.tensor([[1.0, 0.5, 2.0], [3.0, 1.5, 6.0]])
    # z = 1/2, 1/4, 1/4 and L = 2, 1, 4: z / L = 1/4, 1/4, 1/16, which sum to 9/16
    torch.testing.assert_close(method.weights(losses), torch.tensor([4 / 9, 4 / 9, 1 / 9]))
    # c sum z log L with c = 16/9: 1/2 log 2 + 1/4 log 1 + 1/4 log 4 = log 2
    assert method.combine(losses).item() == pytest.approx(16 / 9 * 0.6931472)


def test_the_training_loss_leaves_the_logits_without_gradient() -> None:
    problem = TinyProblem()
    method = FAMO(problem)
    method.backward(problem.batch())
    assert method.logits.grad is None
    method.step(problem.batch())
    assert method.logits.grad is None


def test_the_logits_gradient_worked_out_by_hand() -> None:
    # z = 1/2, 1/2; the logarithms fall by 1 and 3: z_i (d_i - 2)
    found = logit_gradient(*vectors([0.0, 0.0], [5.0, 7.0], [5 * 0.36787944117, 7 * 0.04978706837]))
    torch.testing.assert_close(found, torch.tensor([-0.5, 0.5], dtype=torch.float64))


positive = st.lists(st.floats(0.01, 100), min_size=4, max_size=4)


@settings(derandomize=True)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), positive, positive, positive)
def test_the_logits_gradient_is_autograds_and_ignores_the_scale_of_a_loss(
    logits: list[float], before: list[float], after: list[float], scales: list[float]
) -> None:
    leaf, first, second, scale = vectors(logits, before, after, scales)
    leaf.requires_grad_()
    (torch.softmax(leaf, 0) * (first.log() - second.log())).sum().backward()
    found = logit_gradient(leaf.detach(), first, second)
    assert leaf.grad is not None
    torch.testing.assert_close(found, leaf.grad)
    torch.testing.assert_close(logit_gradient(leaf.detach(), scale * first, scale * second), found)
    assert found.sum().abs() < 1e-9


def test_the_task_that_falls_least_gains_weight() -> None:
    method = FAMO(TinyProblem(), learning_rate=0.1)
    before = method.weights(torch.ones(2, 3))
    method.logits.grad = logit_gradient(method.logits.detach(), torch.ones(3), torch.tensor([0.5, 0.9, 0.5]))
    assert method.optimizer is not None
    method.optimizer.step()
    assert (method.weights(torch.ones(2, 3)) > before).tolist() == [False, True, False]


class WithoutTask(TinyProblem):
    """The problem as if its last task did not exist."""

    def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
        return super().losses(batch, params, targets)[:, :-1]


def hidden(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**batch, "mask": batch["mask"] & torch.tensor([True, True, True, False])}


class Hiding(TinyProblem):
    """No label of the last task."""

    def batch(self, n: int = 8, *, seed: int = 0) -> dict[str, Tensor]:
        return hidden(super().batch(n, seed=seed))


def test_a_task_without_labels_changes_nothing_for_the_others() -> None:
    absent = Hiding(TASKS, masked=True, dtype=torch.float64)
    smaller = WithoutTask(TASKS, masked=True, dtype=torch.float64)
    method = FAMO(absent, learning_rate=0.3).double()
    smaller.n_tasks = 3
    reference = FAMO(smaller, learning_rate=0.3).double()
    smaller.n_tasks = 4  # its batches have four columns all the same
    pairs = zip(trained(method, absent, steps=6), trained(reference, smaller, steps=6), strict=True)
    for found, expected in pairs:
        torch.testing.assert_close(found[:3], expected)
        assert found[3] == 0
        assert (found[:3] != 0).all()
    assert method.weights(absent.losses(absent.batch()).detach())[3] == 0


def test_a_task_without_labels_keeps_its_logit_whatever_the_optimisers_momentum() -> None:
    problem = TinyProblem(TASKS, masked=True)
    method = FAMO(problem, learning_rate=0.3, gamma=0.1)
    *_, logits = trained(method, problem, steps=4)
    assert logits[3] != 0
    method.backward(hidden(problem.batch()))
    method.step(hidden(problem.batch()))
    assert method.logits[3] == logits[3]
    assert (method.logits[:3] != logits[:3]).all()


def test_a_batch_without_any_label_moves_nothing() -> None:
    problem = TinyProblem(masked=True)
    method = FAMO(problem)
    empty = {**problem.batch(), "mask": torch.zeros(8, 3, dtype=torch.bool)}
    assert method.combine(method.backward(empty)) == 0
    assert not any(gradient.any() for gradient in gradients(problem.model))
    method.step(empty)
    assert torch.equal(method.logits.detach(), torch.zeros(3))


class Shifted(TinyProblem):
    """A second task whose loss is negative."""

    def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
        return super().losses(batch, params, targets) - torch.tensor([0.0, 1000.0, 0.0])


def test_a_negative_loss_is_left_out() -> None:
    problem = Shifted()
    method = FAMO(problem, learning_rate=0.3)
    logits = trained(method, problem, steps=3)[-1]
    assert logits.isfinite().all()
    assert logits[1] == 0
    assert logits[0] != 0
    weights = method.weights(problem.losses(problem.batch()).detach())
    assert weights[1] == 0
    assert weights.sum().item() == pytest.approx(1)


def test_a_loss_that_falls_to_zero_stays_finite() -> None:
    found = logit_gradient(*vectors([0.0, 0.0], [1.0, 1.0], [0.0, 1.0]))
    assert found.isfinite().all()
    assert found[0] > 0 > found[1]


def test_the_second_pass_repeats_the_dropout_masks_and_disturbs_nothing() -> None:
    problem = TinyProblem(TASKS, batch_norm=True, dropout=0.5)
    method = FAMO(problem, learning_rate=0.3)
    for seed in range(3):
        batch = problem.batch(seed=seed)
        method.backward(batch)
        before, random = model_state(problem.model), torch.get_rng_state()
        method.step(batch)
        assert same(before, model_state(problem.model))
        assert torch.equal(random, torch.get_rng_state())
    assert torch.equal(method.logits.detach(), torch.zeros(4)), "the model did not move, and so no loss fell"


def test_gamma_pulls_the_logits_towards_equal_weights() -> None:
    problem = TinyProblem()
    method = FAMO(problem, learning_rate=0.01, gamma=0.5)
    with torch.no_grad():
        method.logits.copy_(torch.tensor([1.0, -1.0, 0.5]))
    method.backward(problem.batch())
    method.step(problem.batch())
    torch.testing.assert_close(method.logits.detach(), torch.tensor([0.99, -0.99, 0.49]))


def test_a_step_without_a_backward_pass_is_none() -> None:
    problem = TinyProblem()
    method = FAMO(problem)
    trained(method, problem, steps=2)
    logits = method.logits.detach().clone()
    method.step(problem.batch())
    assert torch.equal(method.logits.detach(), logits)
