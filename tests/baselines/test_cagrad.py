from typing import Any

import pytest
import torch
from torch import Tensor

from baselines.cagrad import CAGrad, conflict_averse_weights
from tests.problems import TinyProblem

DOUBLE = torch.float64


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("tasks", [2, 5, 13])
@pytest.mark.parametrize("c", [0.0, 0.2, 0.4, 0.9, 2.0])
def test_the_direction_is_on_the_ball_around_the_mean(tasks: int, c: float) -> None:
    gradients = double(tasks, 20)
    mean = gradients.mean(0)
    direction = conflict_averse_weights(gradients @ gradients.T, c=c) @ gradients
    torch.testing.assert_close((direction - mean).norm(), c * mean.norm(), rtol=1e-6, atol=1e-9)


def test_no_radius_is_the_mean() -> None:
    gradients = double(4, 10)
    weights = conflict_averse_weights(gradients @ gradients.T, c=0)
    torch.testing.assert_close(weights, torch.full((4,), 0.25, dtype=DOUBLE))


@pytest.mark.parametrize("tasks", [2, 3, 6])
@pytest.mark.parametrize("c", [0.2, 0.5, 1.5])
def test_no_direction_in_the_ball_serves_the_worst_task_better(tasks: int, c: float) -> None:
    angles = torch.linspace(0, 2 * torch.pi, 20001, dtype=DOUBLE)
    circle = torch.stack([angles.cos(), angles.sin()], 1)
    for seed in range(4):
        gradients = double(tasks, 2, seed=seed) + 0.5
        mean = gradients.mean(0)
        ball = torch.cat([mean + share * c * mean.norm() * circle for share in (0.25, 0.5, 0.75, 1)])
        best = (ball @ gradients.T).amin(1).max()
        found = (gradients @ (conflict_averse_weights(gradients @ gradients.T, c=c) @ gradients)).min()
        assert found >= best - 1e-3 * mean.norm()


def test_orthogonal_gradients_of_one_length_have_a_closed_form() -> None:
    # by symmetry g_w = g_0, so d = (1 + c) g_0
    weights = conflict_averse_weights(4 * torch.eye(3, dtype=DOUBLE), c=0.5)
    torch.testing.assert_close(weights, torch.full((3,), 0.5, dtype=DOUBLE), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("c", "expected"), [(0.0, 1 / 3), (0.4, 1 / 3), (1.5, 0.0)])
def test_where_gradients_cancel_the_mean_is_followed_unless_0_is_in_the_ball(c: float, expected: float) -> None:
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], dtype=DOUBLE)
    weights = conflict_averse_weights(gradients @ gradients.T, c=c)
    torch.testing.assert_close(weights, torch.full((3,), expected, dtype=DOUBLE))


@pytest.mark.parametrize(("rescale", "divisor"), [("none", 1), ("1+c", 1.5), ("1+c^2", 1.25)])
def test_variants_of_scale(rescale: Any, divisor: float) -> None:
    found = {}
    for variant in ("none", rescale):
        problem = TinyProblem()
        CAGrad(problem, c=0.5, rescale=variant).backward(problem.batch())
        found[variant] = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    torch.testing.assert_close(found[rescale] * divisor, found["none"])


def test_the_radius_reaches_the_rule() -> None:
    problem = TinyProblem(dtype=DOUBLE)
    means = problem.losses(problem.batch()).mean(0)
    parts = torch.autograd.grad(means.mean(), problem.shared_parameters())
    mean = torch.cat([part.flatten() for part in parts])
    CAGrad(problem, c=0.3).backward(problem.batch())
    found = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    torch.testing.assert_close((found - mean).norm(), 0.3 * mean.norm(), rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("settings", "message"), [({"c": -0.1}, "c must not be negative; found -0.1"), ({"rescale": "2"}, "choose one of")]
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CAGrad(TinyProblem(), **settings)
