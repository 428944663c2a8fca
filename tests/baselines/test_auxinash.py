from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn import stateless_call, task_means
from auxilearn.bargaining import agreement
from baselines import auxinash
from baselines.auxinash import AuxiNash
from baselines.nash_mtl import NashMTL
from tests.baselines.test_auxinash_hypergradient import PREFERENCES, PROBLEMS, TASKS, gradients, method_on
from tests.contract.problems import without_labels
from tests.problems import TinyProblem


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
