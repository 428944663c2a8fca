from functools import partial
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from auxilearn import task_means
from baselines import metabalance
from baselines.equal import Equal
from baselines.metabalance import MetaBalance, Strategy, relaxed_factors
from tests.contract.loop import gradients
from tests.contract.problems import Factory
from tests.problems import TinyProblem

TASKS = ("classification", "regression", "classification", "regression")
PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, TASKS),
    "pixels": partial(TinyProblem, TASKS, size=(3, 2)),
    "batch norm": partial(TinyProblem, TASKS, batch_norm=True),
    "masked": partial(TinyProblem, TASKS, masked=True),
}
EVERY_STRATEGY = pytest.mark.parametrize("strategy", get_args(Strategy))


def per_task(problem: TinyProblem, batch: Any) -> list[list[Tensor]]:
    """Return the gradients of each task on the shared tensors, by a loop over tasks."""
    means, shared = task_means(problem.losses(batch)), problem.shared_parameters()
    return [list(torch.autograd.grad(mean, shared, retain_graph=True)) for mean in means]


def shared_gradients(problem: TinyProblem) -> list[Tensor]:
    return [parameter.grad for parameter in problem.shared_parameters() if parameter.grad is not None]


def step(method: MetaBalance, problem: TinyProblem, batch: Any) -> list[Tensor]:
    """Return the gradients that one backward pass leaves on the shared tensors."""
    problem.model.zero_grad()
    method.backward(batch)
    return shared_gradients(problem)


def by_the_paper(
    tasks: list[list[Tensor]], averages: Tensor, *, relax: float, beta: float, strategy: str
) -> list[Tensor]:
    """Return the balanced gradients with averages (T, P) that start from 0 and are not corrected; updates them."""
    total = [gradient.clone() for gradient in tasks[0]]
    for task, of_task in enumerate(tasks):
        for place, gradient in enumerate(of_task):
            averages[task, place] = beta * averages[task, place] + (1 - beta) * gradient.norm()
            ratio = averages[0, place] / averages[task, place]
            if strategy == "both" or (ratio < 1) == (strategy == "decrease"):
                gradient = relax * ratio * gradient + (1 - relax) * gradient
            if task:
                total[place] += gradient
    return total


@EVERY_STRATEGY
@pytest.mark.parametrize("name", ["vectors", "pixels", "batch norm"])
def test_gradients_are_the_papers_over_several_steps(name: str, strategy: Strategy) -> None:
    problem, plain = PROBLEMS[name](), PROBLEMS[name]()
    method = MetaBalance(problem, relax=0.6, beta=0.8, strategy=strategy)
    averages = torch.zeros(4, len(problem.shared_parameters()))
    for seed in range(4):
        batch = problem.batch(seed=seed)
        expected = by_the_paper(per_task(plain, batch), averages, relax=0.6, beta=0.8, strategy=strategy)
        for found, wanted in zip(step(method, problem, batch), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@EVERY_STRATEGY
@pytest.mark.parametrize("name", PROBLEMS)
def test_without_relaxation_it_is_equal_weighting(name: str, strategy: Strategy) -> None:
    problem, plain = PROBLEMS[name](), PROBLEMS[name]()
    method, equal = MetaBalance(problem, relax=0.0, strategy=strategy), Equal(plain)
    for seed in range(3):
        for each in (problem, plain):
            each.model.zero_grad()
        method.backward(problem.batch(seed=seed))
        equal.backward(plain.batch(seed=seed))
        for found, expected in zip(gradients(problem.model), gradients(plain.model), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    present = method.steps == 3
    torch.testing.assert_close(method.weights(torch.zeros(1))[present], torch.ones(int(present.sum())))


def test_in_full_every_auxiliary_has_the_length_of_the_main_gradient_on_every_tensor() -> None:
    problem = TinyProblem(("classification", "regression"))
    method = MetaBalance(problem, relax=1.0, beta=0.0)
    for seed in range(3):
        batch = problem.batch(seed=seed)
        for found, main, auxiliary in zip(step(method, problem, batch), *per_task(problem, batch), strict=True):
            balanced = found - main
            torch.testing.assert_close(balanced.norm(), main.norm())
            cosine = torch.cosine_similarity(balanced.flatten(), auxiliary.flatten(), dim=0)
            assert cosine.item() == pytest.approx(1, abs=1e-5)


class Slopes(TinyProblem):
    """Losses that are linear in one shared weight; a batch is their slopes (T,)."""

    def __init__(self, n_tasks: int) -> None:
        self.model = nn.Linear(1, 1, bias=False)
        self.n_tasks = n_tasks
        self.task_groups = tuple(range(n_tasks))

    def shared_parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())

    def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
        return (batch * self.model.get_parameter("weight").sum())[None]


def test_two_steps_worked_out_by_hand() -> None:
    problem = Slopes(3)
    method = MetaBalance(problem, relax=0.5, beta=0.5)
    # norms 2, 8, 1: factors 1/2 * 2/8 + 1/2 = 5/8 and 1/2 * 2 + 1/2 = 3/2
    (first,) = step(method, problem, torch.tensor([2.0, -8.0, 1.0]))
    assert first.item() == pytest.approx(2 - 5 + 1.5)
    # averages (with weights 1 and 2, over 3): (2 + 2 * 5) / 3 = 4, (8 + 2 * 2) / 3 = 4, (1 + 2 * 1) / 3 = 1
    # factors 1 and 1/2 * 4 + 1/2 = 5/2
    (second,) = step(method, problem, torch.tensor([5.0, 2.0, -1.0]))
    assert second.item() == pytest.approx(5 + 2 - 2.5)
    torch.testing.assert_close(
        method.weights(torch.zeros(1)), torch.tensor([1.0, (5 / 8 + 1) / 2, (3 / 2 + 5 / 2) / 2])
    )


def test_a_task_without_labels_keeps_its_average() -> None:
    problem = Slopes(2)
    method = MetaBalance(problem, relax=1.0, beta=0.5)
    step(method, problem, torch.tensor([2.0, 4.0]))
    (alone,) = step(method, problem, torch.tensor([2.0, 0.0]))
    assert alone == 2
    assert method.averages.squeeze().tolist() == [1.5, 2.0]
    # the main average is (2 + 2 * 2 + 4 * 2) / 7 = 2, the auxiliary's (4 + 2 * 10) / 3 = 8
    (found,) = step(method, problem, torch.tensor([2.0, 10.0]))
    assert found.item() == pytest.approx(2 + 10 * 2 / 8)


def test_a_task_that_comes_late_is_no_louder_than_one_that_was_there_from_the_start() -> None:
    problem = Slopes(2)
    method = MetaBalance(problem, relax=1.0, beta=0.9)
    for _ in range(50):
        step(method, problem, torch.tensor([3.0, 0.0]))
    (found,) = step(method, problem, torch.tensor([3.0, 6.0]))
    assert found.item() == pytest.approx(3 + 3)


def test_before_the_first_main_label_auxiliaries_count_as_they_are_and_afterwards_follow_its_average() -> None:
    problem = Slopes(2)
    method = MetaBalance(problem, relax=1.0, beta=0.0)
    assert step(method, problem, torch.tensor([0.0, 7.0]))[0] == 7
    step(method, problem, torch.tensor([3.0, 7.0]))
    assert step(method, problem, torch.tensor([0.0, 7.0]))[0].item() == pytest.approx(3)


@EVERY_STRATEGY
@settings(derandomize=True)
@given(st.lists(st.floats(0, 10), min_size=6, max_size=6), st.floats(0, 1))
def test_factors_close_the_gap_by_the_share_that_relax_says(
    strategy: Strategy, values: list[float], relax: float
) -> None:
    norms, main = torch.tensor(values[:4]).double().view(2, 2), torch.tensor(values[4:]).double()
    factors = relaxed_factors(norms, main, relax=relax, strategy=strategy)
    assert factors.isfinite().all()
    gap = (norms - main).abs()
    left = (factors * norms - main).abs()
    moved = (norms > 0) & (main > 0)
    if strategy == "decrease":
        moved &= norms > main
        assert (factors <= 1).all()
    if strategy == "increase":
        moved &= norms < main
        assert (factors >= 1).all()
    torch.testing.assert_close(left, torch.where(moved, (1 - relax) * gap, gap), atol=1e-9, rtol=1e-6)
    assert (factors[~moved] == 1).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_chunks_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for chunk_bytes in (2**28, 1, 1000):  # all parts at once, one by one, two or three
        monkeypatch.setattr(metabalance, "_CHUNK_BYTES", chunk_bytes)
        problem = PROBLEMS[name]()
        method = MetaBalance(problem)
        for seed in range(3):
            method.backward(problem.batch(seed=seed))
        found.append((gradients(problem.model), method.averages, method.weights(torch.zeros(1))))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-6)


def test_no_more_gradients_are_held_than_chunks_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = PROBLEMS["vectors"]()
    values, shared = task_means(problem.losses(problem.batch())), problem.shared_parameters()
    size = 4 * sum(parameter.numel() for parameter in shared)
    for limit, expected in ((1, [1, 1, 1, 1]), (3 * size, [3, 1]), (4 * size - 1, [3, 1]), (4 * size, [4])):
        monkeypatch.setattr(metabalance, "_CHUNK_BYTES", limit)
        chunks = list(metabalance.gradients_in_chunks(values, shared))
        assert [len(part[0]) for _, part in chunks] == expected
        assert torch.cat([chosen for chosen, _ in chunks]).tolist() == [0, 1, 2, 3]


def test_the_tasks_of_a_part_are_balanced_as_one() -> None:
    batch = torch.tensor([2.0, 3.0, 5.0, -4.0])
    for partition, groups, expected in (
        ("tasks", (0, 1, 1, 2), 2 + 2 + 2 - 2),
        ("groups", (0, 1, 1, 2), 2 + 2 - 2),
        ("sum", (0, 1, 1, 2), 2 + 2),
    ):
        problem = Slopes(4)
        problem.task_groups = groups
        method = MetaBalance(problem, relax=1.0, partition=partition)  # pyright: ignore[reportArgumentType]
        assert step(method, problem, batch)[0].item() == pytest.approx(expected)
    torch.testing.assert_close(method.weights(torch.zeros(1)), torch.tensor([1.0, 0.5, 0.5, 0.5]))


def test_each_head_follows_its_own_task() -> None:
    problem, plain = PROBLEMS["vectors"](), PROBLEMS["vectors"]()
    MetaBalance(problem).backward(problem.batch())
    Equal(plain).backward(plain.batch())
    pairs = zip(*(each.model.get_submodule("heads").parameters() for each in (problem, plain)), strict=True)
    for found, expected in pairs:
        assert found.grad is not None
        torch.testing.assert_close(found.grad, expected.grad)


def test_logged_weights_are_the_mean_growth_of_each_gradient_over_an_epoch() -> None:
    problem = TinyProblem(("classification", "regression"))
    method, growth = MetaBalance(problem, relax=0.8), []
    for seed in range(3):
        batch = problem.batch(seed=seed)
        main, auxiliary = per_task(problem, batch)
        balanced = [found - own for found, own in zip(step(method, problem, batch), main, strict=True)]
        lengths = (torch.cat([part.flatten() for part in parts]).norm() for parts in (balanced, auxiliary))
        growth.append(next(lengths) / next(lengths))
    expected = torch.stack([torch.ones(()), torch.stack(growth).mean()])
    torch.testing.assert_close(method.weights(torch.zeros(1)), expected)
    method.end_epoch(torch.ones(2))
    torch.testing.assert_close(method.weights(torch.zeros(1)), expected, msg="until the next epoch's first step")
    method.noted.note(torch.tensor([1.0, 9.0]))
    torch.testing.assert_close(method.weights(torch.zeros(1)), torch.tensor([1.0, 9.0]))


def test_frozen_parameters_stay_without_gradient() -> None:
    problem = PROBLEMS["vectors"]()
    frozen = problem.shared_parameters()[0].requires_grad_(False)
    MetaBalance(problem).backward(problem.batch())
    assert frozen.grad is None
    assert all(p.grad is not None for p in problem.model.parameters() if p is not frozen)


def test_a_model_that_shares_nothing_is_declined() -> None:
    problem = TinyProblem()
    problem.model.requires_grad_(False)
    assert MetaBalance.declines(problem) == "the tasks share no trained parameter"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"strategy": "c"}, "unknown strategy 'c'; choose one of: both, decrease, increase"),
        ({"partition": "pairs"}, "unknown partition 'pairs'; choose one of: groups, tasks, sum"),
        ({"relax": 1.1}, "relax must be between 0 and 1; found 1.1"),
        ({"relax": -0.1}, "relax must be between 0 and 1; found -0.1"),
        ({"beta": 1.0}, "beta must be at least 0 and below 1; found 1.0"),
        ({"beta": -0.1}, "found -0.1"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MetaBalance(TinyProblem(), **wrong)
