"""The bargaining solution against its equation, closed forms and the game that it solves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auxilearn.bargaining import FINEST_RESOLUTION, Agreement, agreement, preference_gradient

DOUBLE = torch.float64


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


def error(agreed: Agreement, preferences: Tensor) -> float:
    """Return the largest relative error of G a = p / a."""
    products = agreed.weights * (agreed.gramian @ agreed.weights)
    return float((products / preferences - 1).abs().max())


def uneven(tasks: int) -> Tensor:
    """Return preferences of very different size, of sum `tasks`."""
    preferences = torch.logspace(-4, 0, tasks, dtype=DOUBLE)
    return preferences * tasks / preferences.sum()


@pytest.mark.parametrize("tasks", [2, 3, 5, 13, 41, 100, 312])
@pytest.mark.parametrize("dimensions", ["few", "as many", "many"])
@pytest.mark.parametrize("even", [True, False])
def test_the_equation_holds_for_2_to_312_tasks(tasks: int, dimensions: str, even: bool) -> None:
    size = {"few": tasks // 2 + 1, "as many": tasks, "many": 5 * tasks}[dimensions]
    shift = 2.0 if dimensions == "few" else 0.0  # few dimensions hold many tasks only if they mostly agree
    gradients = (double(tasks, size) + shift) * torch.logspace(-4, 4, tasks, dtype=DOUBLE)[:, None]
    preferences = torch.ones(tasks, dtype=DOUBLE) if even else uneven(tasks)
    gramian = gradients @ gradients.T
    agreed = agreement(gramian, preferences)
    assert torch.equal(agreed.gramian, gramian), "there is a solution: no ridge"
    assert (agreed.weights > 0).all()
    assert error(agreed, preferences) < 1e-6
    length = agreed.weights @ gramian @ agreed.weights
    torch.testing.assert_close(length, preferences.sum(), rtol=1e-6, atol=0)


@settings(max_examples=60, derandomize=True)
@given(st.integers(2, 9), st.integers(1, 12), st.floats(0, 2), st.integers(0, 10**6))
def test_the_equation_holds_for_any_gradients(tasks: int, dimensions: int, shift: float, seed: int) -> None:
    gradients = double(tasks, dimensions, seed=seed) + shift
    preferences = double(tasks, seed=seed + 1).exp()
    agreed = agreement(gradients @ gradients.T, preferences)
    assert (agreed.weights > 0).all()
    assert error(agreed, preferences) < 1e-6


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5, 1e-7, 1e-8])
def test_nearly_opposed_gradients(gap: float) -> None:
    # unit gradients of cosine c: b = 1 / sqrt(1 + c)
    gramian = torch.tensor([[1.0, gap - 1], [gap - 1, 1.0]], dtype=DOUBLE)
    agreed = agreement(gramian, torch.ones(2, dtype=DOUBLE))
    assert torch.equal(agreed.gramian, gramian)
    torch.testing.assert_close(agreed.weights, torch.full((2,), gap**-0.5, dtype=DOUBLE), rtol=1e-6, atol=0)


def test_orthogonal_gradients_have_a_closed_form() -> None:
    norms, preferences = torch.tensor([0.1, 1.0, 20.0], dtype=DOUBLE), torch.tensor([2.0, 0.5, 0.5], dtype=DOUBLE)
    agreed = agreement(norms.square().diag(), preferences)
    torch.testing.assert_close(agreed.weights, preferences.sqrt() / norms)


def test_a_task_twice_is_a_task_of_twice_the_power() -> None:
    gradients = double(3, 10)
    alone = agreement(gradients @ gradients.T, torch.tensor([2.0, 1.0, 1.0], dtype=DOUBLE))
    twice = torch.cat([gradients, gradients[:1]])
    doubled = agreement(twice @ twice.T, torch.ones(4, dtype=DOUBLE))
    torch.testing.assert_close(doubled.weights @ twice, alone.weights @ gradients)


def test_the_scale_of_a_loss_does_not_change_the_direction() -> None:
    gradients, scale = double(4, 10), torch.tensor([1e-3, 1.0, 7.0, 1e4], dtype=DOUBLE)
    preferences = torch.tensor([1.0, 2.0, 0.5, 0.5], dtype=DOUBLE)
    scaled = gradients * scale[:, None]
    plain = agreement(gradients @ gradients.T, preferences)
    found = agreement(scaled @ scaled.T, preferences)
    torch.testing.assert_close(found.weights * scale, plain.weights)


def test_the_order_of_the_tasks_does_not_matter() -> None:
    gradients, preferences = double(5, 8), uneven(5)
    order = torch.tensor([3, 0, 4, 1, 2])
    plain = agreement(gradients @ gradients.T, preferences).weights
    mixed = agreement(gradients[order] @ gradients[order].T, preferences[order]).weights
    torch.testing.assert_close(mixed, plain[order])


def test_no_direction_of_that_length_is_a_better_bargain() -> None:
    gradients, preferences = double(4, 6), torch.tensor([2.0, 1.0, 0.5, 0.5], dtype=DOUBLE)
    direction = agreement(gradients @ gradients.T, preferences).weights @ gradients
    best = preferences @ (gradients @ direction).log()
    others = direction + 0.05 * double(2000, 6, seed=1)
    others = others * direction.norm() / others.norm(dim=1, keepdim=True)
    utilities = others @ gradients.T
    bargains = (utilities.clamp(min=1e-12).log() @ preferences)[(utilities > 0).all(1)]
    assert len(bargains) > 1000
    assert (bargains < best).all()


NO_AGREEMENT = {
    "opposed": torch.tensor([[1.0, 0.0], [-2.0, 0.0]], dtype=DOUBLE),
    "around 0 in a plane": torch.tensor([[1.0, 0.0], [-1.0, 1.0], [-1.0, -2.0]], dtype=DOUBLE),
    "opposed beside another": torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 3.0, 0.0]], dtype=DOUBLE),
    "many in few dimensions": double(40, 2),
}


@pytest.mark.parametrize("name", NO_AGREEMENT)
@pytest.mark.parametrize("resolution", [1e-4, 1e-6])
def test_where_gradients_cancel_a_ridge_keeps_the_weights_finite(name: str, resolution: float) -> None:
    gradients = NO_AGREEMENT[name]
    gramian, preferences = gradients @ gradients.T, uneven(len(gradients))
    agreed = agreement(gramian, preferences, resolution=resolution)
    ridge = resolution * gramian.diagonal().diag()
    torch.testing.assert_close(agreed.gramian, gramian + ridge)
    assert (agreed.weights > 0).all()
    assert error(agreed, preferences) < 1e-6
    scaled = agreed.weights * gradients.norm(dim=1)
    assert scaled @ scaled <= preferences.sum() / resolution
    if name != "opposed beside another":
        direction = agreed.weights @ gradients
        assert direction @ direction < 0.1 * preferences.sum(), "none to speak of"


def test_gradients_that_cancel_do_not_silence_the_others() -> None:
    gradients = NO_AGREEMENT["opposed beside another"]
    agreed = agreement(gradients @ gradients.T, torch.ones(3, dtype=DOUBLE), resolution=1e-8)
    direction = agreed.weights @ gradients
    torch.testing.assert_close(direction, torch.tensor([0.0, 1.0, 0.0], dtype=DOUBLE), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("power", [1.0, 5.0])
@pytest.mark.parametrize(("gap", "solvable"), [(2.1e-6, True), (1.9e-6, False)])
def test_the_resolution_decides_what_cancels(gap: float, solvable: bool, power: float) -> None:
    # the combination b / |b| of unit gradients of cosine c has the squared length 1 + c
    gramian = torch.tensor([[1.0, gap - 1], [gap - 1, 1.0]], dtype=DOUBLE)
    agreed = agreement(gramian, torch.full((2,), power, dtype=DOUBLE), resolution=2e-6)
    assert torch.equal(agreed.gramian, gramian) == solvable


def test_the_finest_resolution_grows_with_the_tasks() -> None:
    for tasks in (2, 20):
        gradients = torch.eye(tasks, dtype=DOUBLE)
        gradients[1] = -gradients[0]
        agreed = agreement(gradients @ gradients.T, torch.ones(tasks, dtype=DOUBLE))
        torch.testing.assert_close(
            agreed.gramian[0, 0] - 1, torch.tensor(tasks * FINEST_RESOLUTION, dtype=DOUBLE), rtol=1e-4, atol=0
        )


def test_what_are_no_inner_products_is_refused() -> None:
    with pytest.raises(ValueError, match="not positive semidefinite"):
        agreement(torch.tensor([[1.0, -2.0], [-2.0, 1.0]], dtype=DOUBLE), torch.ones(2, dtype=DOUBLE))


def test_nobody_agrees_on_nothing() -> None:
    nobody = torch.zeros(0, dtype=DOUBLE)
    agreed = agreement(torch.zeros(0, 0, dtype=DOUBLE), nobody, resolution=1e-6)
    assert agreed.weights.shape == (0,)
    assert preference_gradient(agreed, nobody, nobody).shape == (0,)


@pytest.mark.parametrize("case", ["plain", "scaled", "dependent", "ridge"])
def test_the_gradient_in_the_preferences_is_that_of_differences(case: str) -> None:
    gradients = double(4, 3 if case == "dependent" else 7) + (1.5 if case == "dependent" else 0)
    if case == "scaled":
        gradients = gradients * torch.tensor([[1e-3], [1.0], [50.0], [1e3]], dtype=DOUBLE)
    if case == "ridge":
        gradients[1] = -gradients[0]
    preferences, weight_gradient = torch.tensor([1.5, 0.9, 1.1, 0.5], dtype=DOUBLE), double(4, seed=3)
    agreed = agreement(gradients @ gradients.T, preferences, resolution=1e-3)
    assert torch.equal(agreed.gramian, gradients @ gradients.T) == (case != "ridge")
    found = preference_gradient(agreed, preferences, weight_gradient)
    step, expected = 1e-5, []
    for unit in torch.eye(4, dtype=DOUBLE):
        up, down = (agreement(agreed.gramian, preferences + s * unit, resolution=0).weights for s in (step, -step))
        expected.append(weight_gradient @ (up - down) / (2 * step))
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-6, atol=1e-9 * float(found.abs().max()))


def test_the_gradient_in_the_preferences_of_orthogonal_gradients() -> None:
    # a_i = sqrt(p_i) / |g_i|, so da_i / dp_i = 1 / (2 sqrt(p_i) |g_i|)
    norms, preferences = torch.tensor([0.5, 4.0], dtype=DOUBLE), torch.tensor([0.25, 1.75], dtype=DOUBLE)
    agreed = agreement(norms.square().diag(), preferences)
    found = preference_gradient(agreed, preferences, torch.tensor([3.0, -1.0], dtype=DOUBLE))
    expected = torch.tensor([3.0, -1.0], dtype=DOUBLE) / (2 * preferences.sqrt() * norms)
    torch.testing.assert_close(found, expected)
