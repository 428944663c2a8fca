"""The gradient of the preferences against differences, through a step and through the Hessian."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, hessian

from auxilearn import task_means
from auxilearn.bargaining import agreement
from baselines import auxinash
from baselines.auxinash import AuxiNash
from tests.contract.problems import Factory, without_labels
from tests.problems import TinyProblem

DOUBLE = torch.float64
TASKS = ("classification", "regression", "classification")
PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, TASKS, dtype=DOUBLE),
    "pixels": partial(TinyProblem, TASKS, dtype=DOUBLE, size=(2, 3)),
    "masked": partial(TinyProblem, TASKS, dtype=DOUBLE, masked=True),
    "batch norm": partial(TinyProblem, TASKS, dtype=DOUBLE, batch_norm=True),
    "dropout": partial(TinyProblem, TASKS, dtype=DOUBLE, dropout=0.4),
}
PREFERENCES = torch.tensor([0.7, 1.8, 0.5], dtype=DOUBLE)


def gradients(problem: TinyProblem, losses: Tensor) -> Tensor:
    """Return the gradient of each loss on the shared parameters, (K, P)."""
    found = [torch.autograd.grad(loss, problem.shared_parameters(), retain_graph=True) for loss in losses]
    return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])


def method_on(problem: TinyProblem, **settings: Any) -> AuxiNash:
    method = AuxiNash(problem, **settings).double()
    with torch.no_grad():
        method.preferences.copy_(PREFERENCES)
    return method


def differences(function: Callable[[Tensor], Tensor], point: Tensor, step: float = 1e-5) -> Tensor:
    """Return the gradient of a function by central differences."""
    units = torch.eye(len(point), dtype=point.dtype)
    return torch.stack([(function(point + step * u) - function(point - step * u)) / (2 * step) for u in units])


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_the_hypergradient_is_that_of_differences_through_a_step(name: str, space: str) -> None:
    problem = PROBLEMS[name]()
    train, held_out = problem.batch(), problem.batch(seed=1)
    method = method_on(problem, space=space, terms=0)
    torch.manual_seed(5)
    found = method.hypergradient(train, held_out)
    torch.manual_seed(5)
    rows = gradients(problem, task_means(problem.losses(train)))
    compared = rows
    if space == "representation":
        torch.manual_seed(5)
        outputs: list[Tensor] = []
        handle = problem.last_shared_layer.register_forward_hook(lambda _m, _i, output: outputs.append(output) or None)
        means = task_means(problem.losses(train))
        handle.remove()
        compared = torch.stack([torch.autograd.grad(m, outputs[0], retain_graph=True)[0].flatten() for m in means])
    names = {id(p): n for n, p in problem.model.named_parameters()}
    shared = {names[id(p)]: p.detach() for p in problem.shared_parameters()}
    length = torch.zeros((), dtype=DOUBLE, requires_grad=True)

    def slope(preferences: Tensor) -> Tensor:
        """Return the derivative of the held-out main loss by the length of the step, at 0."""
        direction = agreement(compared @ compared.T, preferences).weights @ rows
        parts = direction.split([value.numel() for value in shared.values()])
        pairs = zip(shared.items(), parts, strict=True)
        moved = {key: value - length * part.view_as(value) for (key, value), part in pairs}
        torch.manual_seed(5)
        loss = task_means(problem.losses(held_out, params=moved))[0]
        return torch.autograd.grad(loss, length)[0]

    expected = differences(slope, PREFERENCES)
    (gradient,) = found.gradients
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-8 * float(expected.abs().max()))
    torch.manual_seed(5)
    torch.testing.assert_close(found.held_out_loss, task_means(problem.losses(held_out))[0])


@pytest.mark.parametrize("terms", [1, 3])
def test_the_neumann_series_is_that_of_the_hessian(terms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auxinash, "NEUMANN_STEP", 0.05)
    problem = TinyProblem(TASKS, dtype=DOUBLE, width=4, features=3)
    train, held_out = problem.batch(), problem.batch(seed=1)
    found = method_on(problem, terms=terms).hypergradient(train, held_out).gradients[0]
    rows = gradients(problem, task_means(problem.losses(train)))
    agreed = agreement(rows @ rows.T, PREFERENCES)
    main = gradients(problem, task_means(problem.losses(held_out))[:1])[0]
    names = {id(p): n for n, p in problem.model.named_parameters()}
    shared = {names[id(p)]: p.detach() for p in problem.shared_parameters()}
    sizes = [value.numel() for value in shared.values()]

    def train_loss(flat: Tensor) -> Tensor:
        parts = zip(shared.items(), flat.split(sizes), strict=True)
        params = {key: part.view_as(value) for (key, value), part in parts}
        outputs = functional_call(problem.model, params, train["x"])
        columns = [
            torch.nn.functional.cross_entropy(outputs[0], train["y0"]),
            (outputs[1][:, 0] - train["y1"]).square().mean(),
            torch.nn.functional.cross_entropy(outputs[2], train["y2"]),
        ]
        return agreed.weights @ torch.stack(columns)

    curvature = hessian(train_loss)(torch.cat([value.flatten() for value in shared.values()]))
    solved, power = main.clone(), main
    for _ in range(terms):
        power = power - 0.05 * curvature @ power
        solved = solved + power
    by_weight = -rows @ solved
    expected = differences(lambda p: by_weight @ agreement(rows @ rows.T, p).weights, PREFERENCES)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    assert (found / differences(lambda p: -rows @ main @ agreement(rows @ rows.T, p).weights, PREFERENCES)).std() > 1e-3


@pytest.mark.parametrize("unlabelled", [0, 1])
def test_a_task_without_a_label_learns_no_preference(unlabelled: int) -> None:
    problem = PROBLEMS["masked"]()
    batch = without_labels(problem.batch(), unlabelled)
    (found,) = method_on(problem, terms=0).hypergradient(batch, problem.batch(seed=1)).gradients
    present = [task for task in range(3) if task != unlabelled]
    rows = gradients(problem, task_means(problem.losses(batch)))[present]
    main = gradients(problem, task_means(problem.losses(problem.batch(seed=1)))[:1])[0]
    expected = differences(lambda p: -rows @ main @ agreement(rows @ rows.T, p).weights, PREFERENCES[present])
    torch.testing.assert_close(found[present], expected, rtol=1e-6, atol=1e-8)
    assert found[unlabelled] == 0
