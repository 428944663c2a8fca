"""The hypergradient against closed forms, a case worked by hand, unrolled and repeated differentiation."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn import solvers
from auxilearn.combiners import Combiner, ConvCombiner, DeepLinearCombiner, LinearCombiner, NonlinearCombiner
from auxilearn.generators import LabelGenerator
from auxilearn.hessian import Objective, Parameters, flatten, value_and_gradient
from auxilearn.hypergradient import full_precision, hypergradient, mixed_partial
from auxilearn.method import task_means
from tests.auxilearn.test_hessian import DOUBLE, double, parameters_of, two_objectives
from tests.problems import TinyProblem

conjugate_gradient = partial(solvers.conjugate_gradient, terms=300, tolerance=1e-13)


def test_a_quadratic_bilevel_problem() -> None:
    # L_T = w'Aw/2 - w'B phi, L_A = |w - t|^2 / 2: w* = A^-1 B phi and dL_A/dphi = B'A^-1 (w* - t)
    root, mix, target, phi = double(9, 9), double(9, 4), double(9), double(4).requires_grad_()
    matrix = root @ root.T + torch.eye(9, dtype=DOUBLE)
    optimum = torch.linalg.solve(matrix, mix @ phi.detach())

    def train(params: Parameters) -> Tensor:
        w = params["w"]
        return w @ matrix @ w / 2 - w @ mix @ phi

    def held_out(params: Parameters) -> Tensor:
        return (params["w"] - target).square().sum() / 2

    expected = mix.T @ torch.linalg.solve(matrix, optimum - target)
    found = hypergradient([train], [held_out], {"w": optimum}, [phi], solve=conjugate_gradient)
    torch.testing.assert_close(found.gradients[0], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.held_out_loss, held_out({"w": optimum}))


@pytest.mark.parametrize("hessian", ["exact", "difference"])
def test_the_weight_decay_of_ridge_regression(hessian: Any) -> None:
    inputs, outputs, new_inputs, new_outputs = double(30, 6), double(30), double(20, 6), double(20)
    phi = torch.tensor(-1.0, dtype=DOUBLE, requires_grad=True)  # log of the weight decay

    def fit(log_decay: Tensor) -> Tensor:
        gram = inputs.T @ inputs / 30 + log_decay.exp() * torch.eye(6, dtype=DOUBLE)
        return torch.linalg.solve(gram, inputs.T @ outputs / 30)

    def train(params: Parameters) -> Tensor:
        w = params["w"]
        return (inputs @ w - outputs).square().mean() / 2 + phi.exp() * w.square().sum() / 2

    def held_out(params: Parameters) -> Tensor:
        return (new_inputs @ params["w"] - new_outputs).square().mean() / 2

    (expected,) = torch.autograd.grad(held_out({"w": fit(phi)}), phi)
    found = hypergradient(
        [train], [held_out], {"w": fit(phi).detach()}, [phi], solve=conjugate_gradient, hessian=hessian
    )
    torch.testing.assert_close(found.gradients[0], expected, rtol=1e-6, atol=0)


def test_a_converged_network_against_unrolled_training() -> None:
    problem = TinyProblem(
        ("regression", "regression", "regression"), width=4, features=3, noise=(1, 1, 3), dtype=DOUBLE
    )
    train_batch, held_out_batch = problem.batch(20), problem.batch(20, seed=1)
    phi = torch.tensor([1.0, 0.7, 0.4], dtype=DOUBLE, requires_grad=True)

    def train(params: Parameters) -> Tensor:
        decay = sum((value.square().sum() for value in params.values()), torch.zeros((), dtype=DOUBLE))
        return task_means(problem.losses(train_batch, params)) @ phi + 0.4 * decay

    def held_out(params: Parameters) -> Tensor:
        return task_means(problem.losses(held_out_batch, params))[0]

    def descend(params: Parameters, steps: int, *, unroll: bool) -> Parameters:
        for _ in range(steps):
            leaves = {n: v if v.requires_grad else v.detach().requires_grad_() for n, v in params.items()}
            parts = torch.autograd.grad(train(leaves), list(leaves.values()), create_graph=unroll)
            params = {n: v - 0.15 * p for (n, v), p in zip(leaves.items(), parts, strict=True)}
            params = params if unroll else {n: v.detach() for n, v in params.items()}
        return params

    optimum = descend(parameters_of(problem), 800, unroll=False)
    assert all(bool((part.abs() < 1e-9).all()) for part in value_and_gradient([train], optimum)[1].values())
    (expected,) = torch.autograd.grad(held_out(descend(optimum, 600, unroll=True)), phi)
    found = hypergradient([train], [held_out], optimum, [phi], solve=conjugate_gradient)
    torch.testing.assert_close(found.gradients[0], expected, rtol=1e-6, atol=1e-9)


def test_the_released_rule_by_hand() -> None:
    # L_T = w^2 + phi w at w = 1/2, L_A = w^2: H = 2, grad L_A = 1, mixed partial 1. With alpha = 0.1 and J = 3
    # p = 1 + 0.8 + 0.64 + 0.512 = 2.952; the series times alpha is 0.2952, the exact inverse 0.5
    phi = torch.tensor(3.0, dtype=DOUBLE, requires_grad=True)
    params = {"w": torch.tensor([0.5], dtype=DOUBLE)}

    def train(params: Parameters) -> Tensor:
        return (params["w"].square() + phi * params["w"]).sum()

    def held_out(params: Parameters) -> Tensor:
        return params["w"].square().sum()

    def gradient(solve: Any) -> float:
        return float(hypergradient([train], [held_out], params, [phi], solve=solve).gradients[0])

    assert gradient(partial(solvers.neumann, terms=3, alpha=0.1, released=True)) == pytest.approx(-2.952, abs=1e-12)
    assert gradient(partial(solvers.neumann, terms=3, alpha=0.1)) == pytest.approx(-0.2952, abs=1e-12)
    assert gradient(conjugate_gradient) == pytest.approx(-0.5, abs=1e-12)
    assert gradient(None) == pytest.approx(-1, abs=1e-12)


COMBINERS: list[Callable[..., Combiner]] = [LinearCombiner, DeepLinearCombiner, NonlinearCombiner, ConvCombiner]
MAKERS = [(make, (5, 4) if make is ConvCombiner else None) for make in (*COMBINERS, LabelGenerator)]
MAKERS += [(LabelGenerator, (5, 4))]


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize(("make", "size"), MAKERS)
def test_the_mixed_partial_is_that_of_double_backward(make: Any, size: Any, weight_norm: bool) -> None:
    generated = make is LabelGenerator
    problem = TinyProblem(
        batch_norm=True,
        size=size,
        subclasses=(2, 3, 2) if generated else None,
        dtype=DOUBLE,
    )
    batch = problem.batch(12)
    combiner = (NonlinearCombiner if generated else make)(problem.n_tasks, weight_norm=weight_norm).double()
    generator = LabelGenerator(problem.make_generator(), problem.subclasses) if generated else None
    phi = [*combiner.parameters(), *(generator.parameters() if generator else ())]

    def train(params: Parameters) -> Tensor:
        targets = generator(*problem.inputs_and_labels(batch)) if generator else None
        return combiner(problem.losses(batch, params, targets)).mean()

    params = parameters_of(problem)
    direction = {name: torch.randn_like(value) for name, value in params.items()}
    found = mixed_partial([train], params, direction, phi)
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    gradients = torch.autograd.grad(train(leaves), list(leaves.values()), create_graph=True)
    slope = sum((g * direction[n]).sum() for n, g in zip(leaves, gradients, strict=True))
    assert isinstance(slope, Tensor)
    expected = torch.autograd.grad(slope, phi, allow_unused=True, materialize_grads=True)
    assert float(flatten(expected).norm()) > 1e-3
    assert float((flatten(found) - flatten(expected)).norm() / flatten(expected).norm()) < 1e-9


class NoForwardMode(torch.autograd.Function):
    """A square whose author wrote no forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * ctx.saved_tensors[0] * grad


@pytest.mark.parametrize(
    ("square", "name"),
    [
        (lambda x: NoForwardMode.apply(x), "NoForwardMode.apply"),
        (lambda x: torch.cdist(x[:, None], 0 * x[:1, None]).square(), "_cdist"),
    ],
)
def test_without_forward_mode_it_falls_back_and_names_the_operator(
    square: Callable[[Tensor], Tensor], name: str
) -> None:
    phi, params = torch.tensor(1.5, requires_grad=True), {"w": torch.tensor([2.0, 3.0])}

    def train(params: Parameters) -> Tensor:
        return phi * square(params["w"]).sum()

    with pytest.warns(UserWarning, match=name):
        (found,) = mixed_partial([train], params, {"w": torch.ones(2)}, [phi])
    torch.testing.assert_close(found, torch.tensor(10.0))


def test_another_error_of_the_users_is_not_swallowed() -> None:
    def train(params: Parameters) -> Tensor:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), warnings.catch_warnings():
        mixed_partial([train], {"w": torch.ones(2)}, {"w": torch.ones(2)}, [torch.ones(1, requires_grad=True)])


def test_several_batches_count_as_their_mean() -> None:
    problem, objectives = two_objectives()
    params, phi = parameters_of(problem), torch.tensor(0.5, dtype=DOUBLE, requires_grad=True)
    train = [lambda params, o=objective: o(params) * phi for objective in objectives]
    solve = partial(solvers.neumann, terms=2, alpha=0.01)
    found = hypergradient(train, objectives, params, [phi], solve=solve)

    def mean(parts: list[Objective]) -> Objective:
        return lambda params: (parts[0](params) + parts[1](params)) / 2

    expected = hypergradient([mean(train)], [mean(objectives)], params, [phi], solve=solve)
    torch.testing.assert_close(found.gradients, expected.gradients)
    torch.testing.assert_close(found.held_out_loss, expected.held_out_loss)


@pytest.mark.parametrize("solve", [None, partial(solvers.neumann, terms=3, alpha=0.01), conjugate_gradient])
def test_scaling_the_held_out_loss_scales_the_hypergradient(solve: Any) -> None:
    problem, (train, held_out) = two_objectives()
    params, phi = parameters_of(problem), torch.tensor(0.5, dtype=DOUBLE, requires_grad=True)
    found, scaled = (
        hypergradient([lambda p: train(p) * phi], [lambda p, c=c: c * held_out(p)], params, [phi], solve=solve)
        for c in (1, 7)
    )
    torch.testing.assert_close(scaled.gradients[0], 7 * found.gradients[0])


@pytest.mark.parametrize("allowed", [False, True])
def test_full_precision_gives_the_users_settings_back(allowed: bool) -> None:
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = matmul.allow_tf32
    matmul.allow_tf32 = allowed
    try:
        settings = matmul.fp32_precision, conv.fp32_precision
        with full_precision(torch.device("cpu")):
            assert (matmul.fp32_precision, conv.fp32_precision) == ("ieee", "ieee")
        assert (matmul.fp32_precision, conv.fp32_precision) == settings
        assert matmul.allow_tf32 == allowed
    finally:
        matmul.allow_tf32 = before
