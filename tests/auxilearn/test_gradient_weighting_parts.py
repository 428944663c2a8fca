"""Which parts a rule sees: those that are there, joined as asked, told apart as far as rounding lets them."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn import gradient_weighting, task_means
from tests.auxilearn.per_part import (
    GROUPS,
    PROBLEMS,
    TASKS,
    Recorded,
    grouped,
    loop,
    part_losses,
    shared_gradient,
    trained,
    weights_by_hand,
)
from tests.contract.problems import without_labels
from tests.problems import TinyProblem


@pytest.mark.parametrize("space", ["parameters", "representation"])
@pytest.mark.parametrize("unlabelled", [0, 2])
def test_a_task_without_a_label_in_the_batch_is_left_out(space: str, unlabelled: int) -> None:
    batch = without_labels(PROBLEMS["masked"]().batch(), unlabelled)
    method, problem = trained(PROBLEMS["masked"], batch, space=space)
    (parts,) = method.seen
    present = torch.arange(5) != unlabelled
    assert torch.equal(parts.present, present)
    rows = loop(part_losses(problem, batch), problem.shared_parameters())[present]
    assert parts.gramian.shape == (4, 4)
    assert len(parts.losses) == 4
    weights = weights_by_hand(parts.gramian).float()
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=1e-4, atol=1e-5)
    assert method.weights(torch.zeros(1))[unlabelled] == 0


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_a_batch_without_any_label_moves_nothing(space: str) -> None:
    batch = PROBLEMS["masked"]().batch()
    batch["mask"] = torch.zeros_like(batch["mask"])
    method, problem = trained(PROBLEMS["masked"], batch, space=space)
    assert not method.seen
    assert not shared_gradient(problem).any()
    assert not method.weights(torch.zeros(1)).any()


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_gradients_that_are_not_finite_are_seen_in_the_sum_and_not_by_the_rule(space: str) -> None:
    problem = PROBLEMS["vectors"]()
    batch = problem.batch()
    batch["y1"][0] = torch.inf
    method = Recorded(problem, space=space)
    method.backward(batch)
    assert not method.seen
    assert not shared_gradient(problem).isfinite().any()


def test_a_part_that_is_not_finite_is_none_for_the_rule() -> None:
    method, _ = trained(PROBLEMS["vectors"])
    rows = torch.tensor([[1.0, 2.0], [torch.inf, 0.0], [torch.nan, 1.0], [0.0, 0.0], [3.0, 4.0]])
    parts = method.parts(torch.arange(5.0), [rows])
    assert parts.present.tolist() == [True, False, False, False, True]
    torch.testing.assert_close(parts.gramian, torch.tensor([[5.0, 11.0], [11.0, 25.0]], dtype=torch.float64))
    assert parts.losses.tolist() == [0, 4]


@pytest.mark.parametrize(("partition", "parts"), [("tasks", 5), ("groups", 3), ("sum", 2)])
def test_partitions_join_losses_and_share_weights(partition: str, parts: int) -> None:
    method, problem = trained(grouped, partition=partition)
    gramian = method.seen[0].gramian
    assert len(gramian) == parts
    numbers = {"tasks": range(5), "groups": GROUPS, "sum": (0, 1, 1, 1, 1)}[partition]
    weights = weights_by_hand(gramian)[torch.tensor(list(numbers))].float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), weights)
    torch.manual_seed(7)
    rows = loop(task_means(problem.losses(problem.batch())), problem.shared_parameters())
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=1e-4, atol=1e-5)


def test_the_resolution_is_that_of_the_gradients() -> None:
    single, _ = trained(partial(TinyProblem, TASKS))
    double, _ = trained(partial(TinyProblem, TASKS, dtype=torch.float64))
    assert single.seen[0].resolution == 5 * torch.finfo(torch.float32).eps
    assert double.seen[0].resolution == 5 * torch.finfo(torch.float64).eps


def test_rounding_does_not_hide_that_gradients_depend_on_one_another() -> None:
    class Twice(TinyProblem):
        """Every task twice, the second time threefold."""

        def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
            once = super().losses(batch, params, targets)
            return torch.cat([once, 3 * once], 1)

    problem = Twice(("regression", "classification"))
    problem.n_tasks, problem.task_groups = 4, (0, 1, 2, 3)
    method = Recorded(problem)
    method.backward(problem.batch())
    eigenvalues = torch.linalg.eigvalsh(method.seen[0].gramian)
    assert eigenvalues[:2].abs().max() < 1e-13 * eigenvalues[-1]
    assert eigenvalues[2] > 1e-3 * eigenvalues[-1]


def test_logged_weights_are_the_mean_of_an_epoch() -> None:
    problem = PROBLEMS["vectors"]()
    method = Recorded(problem)
    assert torch.equal(method.weights(torch.zeros(1)), torch.ones(5))
    for seed in range(3):
        method.backward(problem.batch(seed=seed))
    mean = torch.stack([weights_by_hand(parts.gramian) for parts in method.seen]).mean(0).float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean)
    method.end_epoch(torch.ones(5))
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean, msg="until the next epoch's first step")
    method.backward(problem.batch(seed=4))
    last = weights_by_hand(method.seen[-1].gramian).float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), last)


def test_gradients_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = grouped()
    size = 4 * sum(parameter.numel() for parameter in problem.shared_parameters())
    monkeypatch.setattr(gradient_weighting, "LARGEST_JACOBIAN", 3 * size)
    Recorded(problem)
    for fits in ({"space": "representation", "partition": "tasks"}, {"partition": "sum"}):
        Recorded(problem, **fits)
    with pytest.raises(ValueError, match=r"5 tasks .* take 0 GiB; choose space=representation or partition=sum"):
        Recorded(problem, partition="tasks")


@pytest.mark.parametrize("settings", [{"space": "features"}, {"partition": "pairs"}])
def test_unknown_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="choose one of"):
        Recorded(TinyProblem(), **settings)


def test_what_cannot_be_weighted_is_declined() -> None:
    problem = TinyProblem()
    assert Recorded.declines(problem) is None
    assert Recorded.declines(TinyProblem(("regression",))) == "it needs at least one auxiliary task"
    assert Recorded.declines(TinyProblem(subclasses=(2, 2))) == "its auxiliary labels are generated, not given"
    for parameter in problem.shared_parameters():
        parameter.requires_grad_(False)
    assert Recorded.declines(problem) == "the tasks share no trained parameter"
