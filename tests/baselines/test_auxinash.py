from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, hessian

from auxilearn import stateless_call, task_means
from auxilearn.bargaining import agreement
from baselines import auxinash
from baselines.auxinash import AuxiNash
from baselines.nash_mtl import NashMTL
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


def test_the_series_has_three_terms_and_the_released_step_by_default() -> None:
    method = AuxiNash(TinyProblem(TASKS))
    assert (method.terms, auxinash.NEUMANN_STEP, method.outer_every) == (3, 1e-4, 25)
    assert method.held_out == "train"
    assert AuxiNash(TinyProblem(TASKS), held_out="auxiliary").held_out == "auxiliary"


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_with_even_preferences_it_is_nash_mtl(space: str) -> None:
    models = []
    for method_class in (AuxiNash, NashMTL):
        problem = TinyProblem(TASKS, masked=True, batch_norm=True)
        method = method_class(problem, space=space)
        optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.1)
        for seed in range(4):
            optimizer.zero_grad()
            method.backward(problem.batch(seed=seed))
            optimizer.step()
        models.append(problem.model.state_dict())
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])


@pytest.mark.parametrize("unlabelled", [None, 0, 1])
def test_training_follows_the_bargain_of_the_preferences(unlabelled: int | None) -> None:
    problem = PROBLEMS["masked"]()
    batch = problem.batch() if unlabelled is None else without_labels(problem.batch(), unlabelled)
    present = torch.tensor([task for task in range(3) if task != unlabelled])
    rows = gradients(problem, task_means(problem.losses(batch)))[present]
    weights = agreement(rows @ rows.T, PREFERENCES[present]).weights
    method_on(problem, max_norm=0).backward(batch)
    found = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    torch.testing.assert_close(found, weights @ rows)


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


def test_batches_without_labels_teach_nothing() -> None:
    problem = PROBLEMS["masked"]()
    batch, empty = problem.batch(), problem.batch()
    empty["mask"] = torch.zeros_like(empty["mask"])
    method = method_on(problem)
    for train, held_out in ((empty, batch), (batch, empty)):
        method.outer_step(train, held_out, lr=0.1)
        torch.testing.assert_close(method.preferences.data, PREFERENCES)


@pytest.mark.parametrize(("scale", "clipped"), [(1e-3, False), (1e3, True)])
def test_a_step_of_the_preferences_by_hand(scale: float, clipped: bool) -> None:
    problem = PROBLEMS["vectors"]()
    plain = problem.losses
    held_out = problem.batch(seed=1)
    problem.losses = lambda batch, *args, **more: plain(batch, *args, **more) * (scale if batch is held_out else 1)  # pyright: ignore[reportAttributeAccessIssue]
    method = method_on(problem, preference_lr=0.5)
    (gradient,) = method.hypergradient(problem.batch(), held_out).gradients
    assert (gradient.norm() > 1) == clipped
    method.outer_step(problem.batch(), held_out, lr=0.1)
    moved = (PREFERENCES - 0.5 * gradient / max(1.0, float(gradient.norm()))).clamp(min=1e-4)
    torch.testing.assert_close(method.preferences.data, moved * 3 / moved.sum())
    torch.testing.assert_close(method.diagnostics["hypergradient_norm"], gradient.norm())
    torch.testing.assert_close(method.diagnostics["main_preference"], (moved / moved.sum())[0])
    assert method.preferences.grad is None


def test_preferences_stay_positive_and_sum_to_the_number_of_parts() -> None:
    problem = TinyProblem(("regression",) * 5)
    problem.task_groups = (0, 1, 2, 1, 2)
    method = AuxiNash(problem, preference_lr=1.0)
    assert method.preferences.tolist() == [1, 1, 1]
    for seed in range(10):
        method.outer_step(problem.batch(seed=seed), problem.batch(seed=100 + seed), lr=0.1)
    assert method.preferences.min() >= 0.9e-4 / 3
    assert method.preferences.min() < 0.1, "the bound is met, or this tests nothing"
    torch.testing.assert_close(method.preferences.sum(), torch.tensor(3.0), check_dtype=False)


def test_a_hypergradient_that_is_not_finite_is_dropped() -> None:
    problem = PROBLEMS["vectors"]()
    held_out = problem.batch()
    held_out["x"][0] = torch.nan
    method = method_on(problem)
    method.outer_step(problem.batch(), held_out, lr=0.1)
    torch.testing.assert_close(method.preferences.data, PREFERENCES)


class Lines:
    """Regressions with one shared weight vector: the main task, one with less noise, one with another solution."""

    n_tasks = 3
    task_kinds = ("regression",) * 3
    task_groups = (0, 1, 2)
    loss_images = False

    def __init__(self) -> None:
        self.model: nn.Module = nn.Linear(20, 1, bias=False)
        self.last_shared_layer = self.model
        self.solutions = torch.eye(20)[[0, 0, 1]]

    def shared_parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())

    def batch(self, seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        x, noise = torch.randn(64, 20, generator=generator), torch.randn(64, 3, generator=generator)
        return x, x @ self.solutions.T + torch.tensor([0.5, 0.1, 0.1]) * noise

    def losses(self, batch: tuple[Tensor, Tensor], params: Any = None, targets: Any = None) -> Tensor:
        return (stateless_call(self.model, params, batch[0]) - batch[1]).square()


@pytest.mark.parametrize("terms", [0, 3])
def test_a_harmful_task_loses_its_power(terms: int) -> None:
    problem = Lines()
    method = AuxiNash(problem, terms=terms, preference_lr=0.02)
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.01)
    for step in range(30):
        method.outer_step(problem.batch(step), problem.batch(1000 + step), lr=0.01)
        optimizer.zero_grad()
        method.backward(problem.batch(step))
        optimizer.step()
    main, helpful, harmful = method.preferences.tolist()
    assert harmful < 0.5 < min(main, helpful)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"terms": -1}, "terms must not be negative; found -1"),
        ({"outer_every": 0}, "outer_every must be at least 1; found 0"),
        ({"held_out": "test"}, "unknown held_out 'test'; choose one of: auxiliary, train"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AuxiNash(TinyProblem(TASKS), **settings)
