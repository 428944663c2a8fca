"""Gradients of means of losses and products with their Hessians."""

from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn.hessian import Objective, Parameters, flatten, hessian_product, unflatten, value_and_gradient
from auxilearn.method import task_means, trainable
from tests.problems import TinyProblem

DOUBLE = torch.float64


def double(*size: int) -> Tensor:
    return torch.randn(*size, dtype=DOUBLE)


def parameters_of(problem: TinyProblem) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in trainable(problem.model)}


def two_objectives(**settings: Any) -> tuple[TinyProblem, list[Objective]]:
    problem = TinyProblem(dtype=DOUBLE, **settings)

    def objective(batch: Any) -> Objective:
        return lambda params: task_means(problem.losses(batch, params)).square().sum()

    return problem, [objective(problem.batch(seed=seed)) for seed in (0, 1)]


@pytest.mark.parametrize(("kind", "tolerance"), [("exact", 1e-10), ("difference", 1e-5)])
def test_hessian_products_of_a_mean(kind: Any, tolerance: float) -> None:
    problem, objectives = two_objectives(batch_norm=True)
    params = parameters_of(problem)
    point = flatten(params.values())

    def mean(flat: Tensor) -> Tensor:
        return sum((objective(unflatten(flat, params)) for objective in objectives), torch.zeros(())) / 2

    hessian = torch.autograd.functional.hessian(mean, point)
    assert isinstance(hessian, Tensor)
    product = hessian_product(objectives, params, kind=kind)
    for vector in (torch.randn_like(point), 1e-6 * torch.randn_like(point)):
        error = (product(vector) - hessian @ vector).norm() / (hessian @ vector).norm()
        assert float(error) < tolerance


@pytest.mark.parametrize("kind", ["exact", "difference"])
def test_parameters_that_a_loss_does_not_touch_give_zeros(kind: Any) -> None:
    params = {"a": double(3), "b": double(2), "c": double(2)}

    def objective(params: Parameters) -> Tensor:
        return params["a"].square().sum() + params["b"].sum()  # linear in b, without c

    value, gradient = value_and_gradient([objective], params)
    torch.testing.assert_close(value, objective(params))
    assert torch.equal(gradient["c"], torch.zeros(2, dtype=DOUBLE))
    found = hessian_product([objective], params, kind=kind)(torch.ones(7, dtype=DOUBLE))
    torch.testing.assert_close(found, torch.tensor([2.0] * 3 + [0.0] * 4, dtype=DOUBLE), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["exact", "difference"])
def test_a_linear_loss_has_no_curvature_and_zero_times_it_is_zero(kind: Any) -> None:
    product = hessian_product([lambda params: params["w"].sum()], {"w": double(4)}, kind=kind)
    for vector in (torch.ones(4, dtype=DOUBLE), torch.zeros(4, dtype=DOUBLE)):
        torch.testing.assert_close(product(vector), torch.zeros(4, dtype=DOUBLE), rtol=0, atol=1e-6)


def test_no_batch_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        value_and_gradient([], {"w": torch.ones(1)})
