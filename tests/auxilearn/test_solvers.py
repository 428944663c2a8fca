"""Solvers against torch.linalg.solve, and what they do where the matrix is not positive definite."""

import itertools
from math import comb

import pytest
import torch
from torch import Tensor

from auxilearn import solvers
from auxilearn.curvature import InverseHessian
from auxilearn.hessian import Product
from auxilearn.solvers import PowerIteration

SIZES = (1, 7, 60, 200)


def positive_definite(n: int, *, condition: float = 20.0) -> Tensor:
    basis = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64)).Q
    return basis @ torch.diag(torch.linspace(1.0, condition, n, dtype=torch.float64)) @ basis.T


def system(n: int, **settings: float) -> tuple[Tensor, Tensor, Tensor]:
    matrix, vector = positive_definite(n, **settings), torch.randn(n, dtype=torch.float64)
    return matrix, vector, torch.linalg.solve(matrix, vector)


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("n", SIZES)
def test_conjugate_gradient_solves(n: int) -> None:
    matrix, vector, expected = system(n)
    solution = solvers.conjugate_gradient(matrix.mv, vector, terms=n + 5, tolerance=1e-12)
    assert relative_error(solution.vector, expected) < 1e-10
    assert not solution.stopped


@pytest.mark.parametrize("n", SIZES)
def test_neumann_solves(n: int) -> None:
    matrix, vector, expected = system(n)
    solution = solvers.neumann(matrix.mv, vector, terms=800, alpha=1 / 20)
    assert relative_error(solution.vector, expected) < 1e-10
    assert not solution.stopped


@pytest.mark.parametrize("n", SIZES)
def test_nystrom_of_full_rank_solves_the_damped_system(n: int) -> None:
    matrix, vector, _ = system(n)
    solution = solvers.nystrom(matrix.mv, vector, terms=n, damping=0.3)
    expected = torch.linalg.solve(matrix + 0.3 * torch.eye(n, dtype=torch.float64), vector)
    assert relative_error(solution.vector, expected) < 1e-9
    assert float(solution.residual) < 1e-9


def test_nystrom_is_exact_on_a_matrix_of_its_rank() -> None:
    factor, vector = torch.randn(100, 5, dtype=torch.float64), torch.randn(100, dtype=torch.float64)
    matrix = factor @ factor.T
    solution = solvers.nystrom(matrix.mv, vector, terms=8, damping=0.1)
    expected = torch.linalg.solve(matrix + 0.1 * torch.eye(100, dtype=torch.float64), vector)
    assert relative_error(solution.vector, expected) < 1e-8


def test_neumann_is_the_sum_it_says() -> None:
    matrix, vector, _ = system(6)
    step = torch.eye(6, dtype=torch.float64) - 0.03 * matrix
    powers = [torch.linalg.matrix_power(step, j) @ vector for j in range(5)]
    solution = solvers.neumann(matrix.mv, vector, terms=4, alpha=0.03)
    torch.testing.assert_close(solution.vector, 0.03 * torch.stack(powers).sum(0))
    without_last = 0.03 * torch.stack(powers[:-1]).sum(0)
    torch.testing.assert_close(solution.residual, (vector - matrix @ without_last).norm() / vector.norm())
    released = solvers.neumann(matrix.mv, vector, terms=4, alpha=0.03, released=True)
    torch.testing.assert_close(released.vector, torch.stack(powers).sum(0))


def counted(matrix: Tensor) -> tuple[Product, list[int]]:
    """Return the product with a matrix, and a list that grows with each call."""
    calls: list[int] = []

    def product(vector: Tensor) -> Tensor:
        calls.append(1)
        return matrix.mv(vector)

    return product, calls


@pytest.mark.parametrize("terms", [3, 4, 5])
def test_neumann_leaves_out_the_last_product_of_a_series_of_small_terms(terms: int) -> None:
    shift = 0.7 * torch.diag(torch.ones(2, dtype=torch.float64), 1)  # its third power is zero, so nothing is neglected
    vector, alpha = torch.tensor([0.3, -1.1, 0.9], dtype=torch.float64), 1e-6
    product, calls = counted(shift)
    solution = solvers.neumann(product, vector, terms=terms, alpha=alpha, released=True)
    assert len(calls) == terms - 1
    parts = [comb(terms + 1, k + 1) * torch.linalg.matrix_power(-alpha * shift, k) @ vector for k in range(3)]
    expected = torch.stack(parts).sum(0)
    torch.testing.assert_close(solution.vector, expected, rtol=1e-15, atol=0)
    assert abs(parts[2][0]) > 1e3 * torch.finfo(torch.float64).eps * abs(expected[0]), "bending would not show"
    power = torch.linalg.matrix_power(torch.eye(3, dtype=torch.float64) - alpha * shift, terms) @ vector
    torch.testing.assert_close(solution.residual, power.norm() / vector.norm(), rtol=1e-15, atol=0)


@pytest.mark.parametrize(("alpha", "products"), [(1e-5, 2), (1e-4, 2), (1e-3, 3), (1e-1, 3)])
def test_neumann_leaves_out_only_what_rounding_hides(alpha: float, products: int) -> None:
    matrix, vector, _ = system(60)
    product, calls = counted(matrix.float())
    solution = solvers.neumann(product, vector.float(), terms=3, alpha=alpha, released=True)
    assert len(calls) == products
    step = torch.eye(60, dtype=torch.float64) - alpha * matrix
    exact = torch.stack([torch.linalg.matrix_power(step, j) @ vector for j in range(4)]).sum(0)
    assert relative_error(solution.vector.double(), exact) < 2 * torch.finfo(torch.float32).eps


def test_neumann_stops_where_the_residual_grows() -> None:
    matrix, vector, _ = system(20)
    solution = solvers.neumann(matrix.mv, vector, terms=50, alpha=0.5)
    assert solution.stopped
    torch.testing.assert_close(solution.residual, (vector - matrix @ solution.vector).norm() / vector.norm())
    assert not solvers.neumann(matrix.mv, vector, terms=50, alpha=0.5, released=True).stopped


def test_neumann_stops_at_what_is_not_a_number() -> None:
    vector = torch.ones(3)
    solution = solvers.neumann(lambda other: other * torch.nan, vector, terms=3, alpha=0.5)
    assert solution.stopped
    torch.testing.assert_close(solution.vector, 0.5 * vector)


def test_conjugate_gradient_stops_at_negative_curvature() -> None:
    vector = torch.randn(5)
    solution = solvers.conjugate_gradient(lambda other: -other, vector, terms=5)
    assert solution.stopped
    torch.testing.assert_close(solution.vector, vector)


@pytest.mark.parametrize("solver", ["neumann", "cg"])
def test_a_solver_leaves_its_argument_alone(solver: str) -> None:
    matrix, vector, _ = system(6)
    before = vector.clone()
    InverseHessian(solver=solver, mode="corrected")(matrix.mv, vector)  # type: ignore[arg-type]
    assert torch.equal(vector, before)


def test_power_iteration_finds_the_largest_absolute_eigenvalue() -> None:
    basis = torch.linalg.qr(torch.randn(30, 30)).Q
    matrix = basis @ torch.diag(torch.cat([torch.tensor([-9.0]), torch.linspace(0, 5, 29)])) @ basis.T
    iteration = PowerIteration()
    for _ in range(40):
        iteration.update(matrix.mv, torch.ones(30))
    torch.testing.assert_close(iteration.estimate, torch.tensor(9.0), rtol=1e-4, atol=0)


def test_power_iteration_rises_at_once_and_decays_slowly() -> None:
    iteration, start = PowerIteration(), torch.ones(4)
    assert float(iteration.update(lambda vector: 2 * vector, start)) == pytest.approx(2)
    assert float(iteration.update(lambda vector: 8 * vector, start)) == pytest.approx(8)
    assert float(iteration.update(lambda vector: 2 * vector, start)) == pytest.approx(0.9 * 8 + 0.1 * 2)


def test_corrected_neumann_estimates_its_alpha() -> None:
    matrix, vector, expected = system(20)
    inverse = InverseHessian(mode="corrected", terms=900)
    for _ in range(30):
        inverse(matrix.mv, vector)
    assert relative_error(inverse(matrix.mv, vector).vector, expected) < 1e-9


@pytest.mark.parametrize("mode", ["paper", "corrected"])
def test_modes_differ_by_the_published_scale(mode: str) -> None:
    matrix, vector, _ = system(5)
    inverse = InverseHessian(mode=mode, alpha=0.01, terms=3)  # type: ignore[arg-type]
    reference = solvers.neumann(matrix.mv, vector, terms=3, alpha=0.01).vector
    scale = 100 if mode == "paper" else 1
    torch.testing.assert_close(inverse(matrix.mv, vector).vector, scale * reference)


def test_damping_is_added_to_the_matrix() -> None:
    matrix, vector, _ = system(12)
    expected = torch.linalg.solve(matrix + 2 * torch.eye(12, dtype=torch.float64), vector)
    for solver, terms in [("cg", 40), ("nystrom", 12), ("neumann", 500)]:
        inverse = InverseHessian(solver=solver, terms=terms, damping=2.0, mode="corrected")  # type: ignore[arg-type]
        assert relative_error(inverse(matrix.mv, vector).vector, expected) < 1e-5


def test_nystrom_sketches_along_new_directions_in_every_call() -> None:
    matrix, vector, _ = system(12)
    inverse, again = (InverseHessian(solver="nystrom", terms=3, damping=1.0) for _ in range(2))
    first, second = inverse(matrix.mv, vector).vector, inverse(matrix.mv, vector).vector
    assert torch.equal(again(matrix.mv, vector).vector, first)
    assert not torch.allclose(first, second)


def test_adam_scales_the_identity_and_keeps_the_solution() -> None:
    matrix, vector, expected = system(8)
    gradient = torch.rand(8, dtype=torch.float64) + 0.5
    identity = InverseHessian(solver="identity", preconditioner="adam")
    exact = InverseHessian(solver="cg", terms=30, preconditioner="adam")
    torch.testing.assert_close(identity(matrix.mv, vector).vector, vector)  # before anything was observed
    for inverse in (identity, exact):
        for _ in range(3):
            inverse.observe(gradient)
    scale = 1 / (gradient + 1e-8)
    torch.testing.assert_close(identity(matrix.mv, vector).vector, scale / scale.mean() * vector)
    assert relative_error(exact(matrix.mv, vector).vector, expected) < 1e-5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "newton"}, "unknown solver 'newton'; choose one of: identity, neumann, cg, nystrom"),
        ({"mode": "fixed"}, "unknown mode 'fixed'; choose one of: paper, corrected"),
        ({"preconditioner": "lion"}, "unknown preconditioner 'lion'; choose one of: sgd, adam"),
        ({"solver": "nystrom"}, "solver 'nystrom' needs damping > 0; found 0.0"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InverseHessian(**settings)  # type: ignore[arg-type]


def test_inner_products_of_long_vectors_keep_their_digits() -> None:
    first = torch.randn(3_000_000) * torch.rand(3_000_000) ** 4
    second = 0.01 * first + 1e-3 * torch.randn_like(first)
    expected = first.double().dot(second.double())
    assert float(solvers.inner(first, second)) == pytest.approx(float(expected), rel=1e-5)
    assert float(solvers.length(first)) == pytest.approx(float(first.double().norm()), rel=1e-5)


def test_a_hidden_eigenvalue_costs_the_series_little_where_it_converges() -> None:
    # b has next to nothing of the large eigenvalue's direction, so that its decline misleads
    worst = 0.0
    shares = 10.0 ** torch.arange(-7, -3, 0.1)
    for small, large, share in itertools.product((1e-3, 3e-3, 5e-3, 7e-3), (0.5, 1.0, 1.5, 1.99), shares):
        values = torch.tensor([small, large], dtype=torch.float64)
        vector = torch.tensor([1.0, float(share)], dtype=torch.float64)
        found = solvers.neumann(values.float().mul, vector.float(), terms=3, alpha=1.0, released=True).vector
        exact = torch.stack([(1 - values) ** j * vector for j in range(4)]).sum(0)
        worst = max(worst, relative_error(found.double(), exact))
    assert 2 * torch.finfo(torch.float32).eps < worst < 3e-5, "the docstring's bound, and that it is needed"
