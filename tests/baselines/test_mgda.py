from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines._torchjd import torchjd_weights
from baselines.mgda import MGDA, Normalise, min_norm_weights, normalisers
from tests.problems import TinyProblem

DOUBLE = torch.float64


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


def check_optimal(gradients: Tensor) -> Tensor:
    """Return the weights after checking that they are on the simplex and that the point conflicts with none."""
    weights = min_norm_weights(gradients @ gradients.T)
    direction = weights @ gradients
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0, dtype=DOUBLE))
    # <d, g_i> >= |d|^2 for all i holds for the shortest point of the hull alone
    margin = (gradients @ direction - direction @ direction) / gradients.norm(dim=1)
    assert margin.min() >= -1e-10 * (weights @ gradients.norm(dim=1))
    return weights


@pytest.mark.parametrize("cosine", [-1.0, -0.7, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("length", [0.1, 1.0, 5.0])
def test_two_gradients_have_a_closed_form(cosine: float, length: float) -> None:
    # w_0 = <g_1 - g_0, g_1> / |g_1 - g_0|^2, clipped (Sener and Koltun, Equation 4)
    gradients = torch.tensor([[1.0, 0.0], [length * cosine, length * (1 - cosine**2) ** 0.5]], dtype=DOUBLE)
    difference = gradients[1] - gradients[0]
    first = (difference @ gradients[1] / difference.square().sum()).clamp(0, 1)
    expected = torch.stack([first, 1 - first])
    torch.testing.assert_close(min_norm_weights(gradients @ gradients.T), expected, rtol=1e-9, atol=1e-12)


def test_three_gradients_against_a_search_of_the_simplex() -> None:
    grid = torch.cartesian_prod(torch.linspace(0, 1, 201), torch.linspace(0, 1, 201)).to(DOUBLE)
    grid = grid[grid.sum(1) <= 1]
    simplex = torch.cat([grid, 1 - grid.sum(1, keepdim=True)], 1)
    for seed in range(5):
        gradients = double(3, 3, seed=seed) + 0.3
        shortest = (simplex @ gradients).norm(dim=1).min()
        found = (check_optimal(gradients) @ gradients).norm()
        assert shortest - 0.02 <= found <= shortest + 1e-12


@settings(max_examples=80, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 15), st.floats(0, 1), st.floats(0, 2), st.integers(0, 10**6))
def test_it_conflicts_with_none(tasks: int, size: int, shift: float, spread: float, seed: int) -> None:
    scale = 10 ** (spread * double(tasks, 1, seed=seed + 1))
    check_optimal((double(tasks, size, seed=seed) + shift) * scale)


def test_gradients_enter_and_leave() -> None:
    for seed in range(200):
        check_optimal(double(10, 5, seed=seed))


def test_it_ends_where_rounding_has_the_last_word() -> None:
    for seed in range(20):
        gradients = (double(23, 20, seed=seed) + 0.16) * 10 ** (1.84 * double(23, 1, seed=seed + 1000))
        gradients[0] = -gradients[1:].mean(0)
        assert min_norm_weights(gradients @ gradients.T).isfinite().all()


def test_gradients_that_depend_on_one_another_within_rounding_end_it_too() -> None:
    directions = torch.tensor([[1, 0], [1, 2], [2, -1], [2, 0], [0, 1], [2, 2], [2, -2], [-2, 2]], dtype=DOUBLE)
    gradients = directions * 10 ** torch.tensor([[6.0], [8], [10], [4], [0], [16], [8], [16]], dtype=DOUBLE)
    weights = min_norm_weights(gradients @ gradients.T)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0, dtype=DOUBLE))


@pytest.mark.parametrize("tasks", [41, 312])
def test_it_conflicts_with_none_of_many(tasks: int) -> None:
    weights = check_optimal(double(tasks, 50) + 0.3)
    assert 1 < (weights > 0).sum() < tasks


def test_gradients_that_cancel_or_repeat() -> None:
    base = double(3, 5)
    stationary = torch.stack([base[0], -2 * base[0], base[1]])
    weights = check_optimal(stationary)
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 1 / 3, 0.0], dtype=DOUBLE))
    for repeated in (base[:1].expand(4, 5), torch.cat([base, base]), torch.cat([base, 2 * base, -base])):
        check_optimal(repeated)
    check_optimal(double(7, 2) * torch.logspace(-4, 4, 7, dtype=DOUBLE)[:, None])


def test_one_gradient() -> None:
    assert min_norm_weights(torch.tensor([[4.0]], dtype=DOUBLE)) == 1


def test_it_is_where_frank_wolfe_goes() -> None:
    gradients = double(6, 10) + 0.2
    gramian = gradients @ gradients.T
    ours = min_norm_weights(gramian)
    theirs = torchjd_weights("MGDAWeighting", gramian, epsilon=1e-7, max_iters=3000)
    assert ours @ gramian @ ours <= theirs @ gramian @ theirs
    torch.testing.assert_close(ours @ gradients, theirs @ gradients, rtol=0, atol=5e-3)


@pytest.mark.parametrize(
    ("variant", "expected"), [("none", [1, 1, 1]), ("l2", [2, 3, 1]), ("loss", [5, 0.5, 4]), ("loss+", [10, 1.5, 4])]
)
def test_what_gradients_are_divided_by(variant: Normalise, expected: list[float]) -> None:
    gramian = torch.tensor([[4.0, 1, 0], [1, 9, 0], [0, 0, 1]], dtype=DOUBLE)
    losses = torch.tensor([5.0, 0.5, -4.0], dtype=DOUBLE)
    assert normalisers(gramian, losses, variant).tolist() == expected


def shared_gradients(problem: TinyProblem) -> tuple[Tensor, Tensor]:
    """Return the loss and the gradient of each task on the shared parameters, (T,) and (T, P)."""
    means = problem.losses(problem.batch()).mean(0)
    found = [torch.autograd.grad(mean, problem.shared_parameters(), retain_graph=True) for mean in means]
    return means.detach(), torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])


@pytest.mark.parametrize("variant", ["none", "l2", "loss", "loss+"])
def test_the_direction_is_the_shortest_of_normalised_gradients(variant: Any) -> None:
    problem = TinyProblem(("classification", "regression", "regression"), dtype=DOUBLE, noise=(1, 5, 30))
    losses, gradients = shared_gradients(problem)
    norms = gradients.norm(dim=1)
    scale = {"none": torch.ones(3), "l2": norms, "loss": losses, "loss+": losses * norms}[variant]
    normalised = gradients / scale[:, None]
    method = MGDA(problem, normalise=variant)
    method.backward(problem.batch())
    found = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    torch.testing.assert_close(found, check_optimal(normalised) @ normalised)
    assert (normalised @ found >= found @ found * (1 - 1e-9)).all()
    torch.testing.assert_close(
        (method.weights(losses) * scale).sum(), torch.tensor(1.0, dtype=DOUBLE), check_dtype=False
    )


def test_normalisation_changes_everything() -> None:
    found = []
    for variant in ("none", "l2", "loss", "loss+"):
        problem = TinyProblem(("classification", "regression", "regression"), dtype=DOUBLE, noise=(1, 5, 30))
        MGDA(problem, normalise=variant).backward(problem.batch())
        direction = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
        found.append(direction / direction.norm())
    cosines = torch.stack(found) @ torch.stack(found).T
    assert (cosines - torch.eye(4) * cosines).max() < 0.9999


def test_a_loss_of_0_leaves_the_weights_finite() -> None:
    gramian = torch.eye(2, dtype=DOUBLE)
    scale = normalisers(gramian, torch.tensor([0.0, 1.0], dtype=DOUBLE), "loss")
    weights = min_norm_weights(gramian / scale.outer(scale)) / scale
    assert weights.isfinite().all()


def test_unknown_normalisations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown normalise 'norm'; choose one of: none, l2, loss, loss\+"):
        MGDA(TinyProblem(), normalise="norm")  # pyright: ignore[reportArgumentType]
