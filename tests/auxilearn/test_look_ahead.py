"""The look-ahead gradient against a case worked by hand, unrolled differentiation and what it must leave alone."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn.combiners import LinearCombiner, NonlinearCombiner
from auxilearn.generators import LabelGenerator
from auxilearn.gradients import Randomness, repeatable_means
from auxilearn.hessian import Objective, Parameters, flatten
from auxilearn.look_ahead import look_ahead_gradient
from tests.auxilearn.test_hessian import DOUBLE, parameters_of
from tests.problems import TinyProblem

LR = 0.3


def unrolled(
    train: Objective, held_out: Objective, params: Parameters, phi: Sequence[Tensor], lr: float
) -> list[Tensor]:
    """Return the gradient by differentiating through the step, twice."""
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    parts = torch.autograd.grad(train(leaves), list(leaves.values()), create_graph=True, materialize_grads=True)
    moved = {name: value - lr * part for (name, value), part in zip(leaves.items(), parts, strict=True)}
    return list(torch.autograd.grad(held_out(moved), phi, materialize_grads=True))


def test_a_quadratic_by_hand() -> None:
    # L_T = 3 w^2 / 2 + phi w at w = 2, phi = 1: gradient 7, W' = 2 - 0.1 * 7 = 1.3. L_A = (w - 4)^2 / 2 there: 3.645,
    # gradient -2.7; the mixed partial is 1
    phi = torch.tensor(1.0, dtype=DOUBLE, requires_grad=True)
    found = look_ahead_gradient(
        [lambda p: (1.5 * p["w"].square() + phi * p["w"]).sum()],
        [lambda p: ((p["w"] - 4).square() / 2).sum()],
        {"w": torch.tensor([2.0], dtype=DOUBLE)},
        [phi],
        lr=0.1,
    )
    assert float(found.gradients[0]) == pytest.approx(0.27, abs=1e-12)
    assert float(found.held_out_loss) == pytest.approx(3.645, abs=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("case", ["linear", "nonlinear", "images", "generated"])
def test_it_is_unrolled_differentiation(case: str, batch_norm: bool) -> None:
    problem = TinyProblem(
        batch_norm=batch_norm,
        dropout=0.3,
        size=(3, 2) if case == "images" else None,
        subclasses=(2, 3, 2) if case == "generated" else None,
        dtype=DOUBLE,
    )
    combiner = (LinearCombiner if case in ("linear", "images") else NonlinearCombiner)(problem.n_tasks).double()
    generator = LabelGenerator(problem.make_generator(), problem.subclasses) if case == "generated" else None
    phi = [*combiner.parameters(), *(generator.parameters() if generator else ())]
    batch, randomness = problem.batch(12), Randomness()

    def train(params: Parameters) -> Tensor:
        targets = generator(*problem.inputs_and_labels(batch)) if generator else None
        with randomness.replayed():
            return combiner(problem.losses(batch, params, targets)).mean()

    main = repeatable_means(problem, problem.batch(12, seed=1), randomness)
    params = parameters_of(problem)
    expected = unrolled(train, lambda p: main(p)[0], params, phi, LR)
    found = look_ahead_gradient([train], [lambda p: main(p)[0]], params, phi, lr=LR)
    assert float(flatten(expected).norm()) > 1e-3
    assert float((flatten(found.gradients) - flatten(expected)).norm() / flatten(expected).norm()) < 1e-9


def test_several_batches_count_as_their_mean() -> None:
    problem, phi = TinyProblem(dtype=DOUBLE), torch.rand(3, dtype=DOUBLE, requires_grad=True)
    means = [repeatable_means(problem, problem.batch(seed=seed), Randomness()) for seed in range(4)]
    train: list[Objective] = [lambda p, m=m: (phi * m(p)).sum() for m in means[:2]]
    held_out: list[Objective] = [lambda p, m=m: m(p)[0] for m in means[2:]]
    found = look_ahead_gradient(train, held_out, parameters_of(problem), [phi], lr=LR)

    def mean(parts: list[Objective]) -> Objective:
        return lambda params: (parts[0](params) + parts[1](params)) / 2

    expected = unrolled(mean(train), mean(held_out), parameters_of(problem), [phi], LR)
    torch.testing.assert_close(found.gradients, expected)


def test_nothing_is_changed() -> None:
    problem, phi = TinyProblem(batch_norm=True, dropout=0.3), torch.ones(3, requires_grad=True)
    problem.losses(problem.batch()).mean().backward()
    before = {name: value.clone() for name, value in problem.model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in problem.model.parameters() if parameter.grad is not None]
    stream = torch.get_rng_state()
    losses = repeatable_means(problem, problem.batch(), Randomness())
    params = dict(problem.model.named_parameters())
    look_ahead_gradient([lambda p: (phi * losses(p)).sum()], [lambda p: losses(p)[0]], params, [phi], lr=LR)
    assert all(torch.equal(value, before[name]) for name, value in problem.model.state_dict().items())
    assert all(
        parameter.grad is not None and torch.equal(parameter.grad, gradient)
        for parameter, gradient in zip(problem.model.parameters(), gradients, strict=True)
    )
    assert torch.equal(torch.get_rng_state(), stream)
    assert phi.grad is None


@pytest.mark.parametrize("settings", [{}, {"size": (3, 2)}, {"masked": True}, {"batch_norm": True}])
def test_repeatable_means_are_the_task_means_with_the_same_dropout(settings: dict[str, Any]) -> None:
    problem = TinyProblem(dropout=0.5, **settings)
    batch, params = problem.batch(), dict(problem.model.named_parameters())
    randomness = Randomness()
    means = repeatable_means(problem, batch, randomness)
    first, again = means(params), means(params)
    losses = problem.losses(batch, params)  # draws the masks that the randomness has noted
    torch.testing.assert_close(first, losses.transpose(0, 1).flatten(1).mean(1))
    assert torch.equal(first, again)
    assert not torch.equal(first, repeatable_means(problem, batch, Randomness())(params))
