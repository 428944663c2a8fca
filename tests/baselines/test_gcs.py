from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn import task_means
from auxilearn.gradients import Randomness
from baselines.equal import Equal
from baselines.gcs import GCS, cosine, gate_weight, gradients, inner_products
from baselines.stl import STL
from tests.contract.problems import Factory
from tests.problems import TinyProblem

TASKS = ("classification", "regression", "classification", "regression", "classification")
PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, TASKS),
    "pixels": partial(TinyProblem, TASKS, size=(3, 4)),
    "masked": partial(TinyProblem, TASKS, masked=True),
    "masked pixels": partial(TinyProblem, TASKS, masked=True, size=(3, 4)),
    "batch norm": partial(TinyProblem, TASKS, batch_norm=True),
    "dropout": partial(TinyProblem, TASKS, dropout=0.5),
    "all": partial(TinyProblem, TASKS, masked=True, size=(3, 4), batch_norm=True, dropout=0.3),
}


def per_task(problem: TinyProblem) -> Tensor:
    """Return the gradient of each task on the shared parameters, (T, P), by a loop from one seed."""
    torch.manual_seed(7)
    means = task_means(problem.losses(problem.batch()))
    shared = problem.shared_parameters()
    return torch.stack([torch.cat([g.flatten() for g in gradients(mean, shared)]) for mean in means])


def found(factory: Factory, **settings: Any) -> tuple[Tensor, GCS, TinyProblem]:
    """Return the shared gradient, (P,), that the method leaves."""
    problem = factory()
    method = GCS(problem, **settings)
    torch.manual_seed(7)
    method.backward(problem.batch())
    return torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None]), method, problem


@pytest.mark.parametrize("name", PROBLEMS)
def test_forward_mode_gives_the_inner_products_of_a_loop_over_tasks(name: str) -> None:
    problem = PROBLEMS[name]()
    expected = per_task(problem) @ per_task(problem)[0]
    torch.manual_seed(7)
    randomness, shared = Randomness(), problem.shared_parameters()
    main = gradients(task_means(problem.losses(problem.batch()))[0], shared)
    slopes = inner_products(problem, problem.batch(), main, shared, randomness)
    torch.testing.assert_close(slopes, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("variant", ["unweighted", "weighted"])
@pytest.mark.parametrize("gate", ["each", "sum"])
def test_the_shared_gradient_is_that_of_a_loop_over_tasks(name: str, variant: str, gate: str) -> None:
    tasks = per_task(PROBLEMS[name]())
    main, others = tasks[0], tasks[1:] if gate == "each" else tasks[1:].sum(0, keepdim=True)
    expected = main.clone()
    for other in others:
        similarity = torch.cosine_similarity(main, other, dim=0)
        expected += (similarity.clamp(min=0) if variant == "weighted" else float(similarity >= 0)) * other
    actual, *_ = found(PROBLEMS[name], variant=variant, gate=gate)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_the_problems_have_gates_of_both_kinds() -> None:
    gates = torch.stack([found(factory)[1].weights(torch.zeros(1)) for factory in PROBLEMS.values()])
    assert 0 < gates[:, 1:].mean() < 1


@pytest.mark.parametrize("variant", ["unweighted", "weighted"])
@pytest.mark.parametrize("gate", ["each", "sum"])
def test_each_head_follows_its_own_task(variant: str, gate: str) -> None:
    _, _, problem = found(PROBLEMS["dropout"], variant=variant, gate=gate)
    plain = PROBLEMS["dropout"]()
    torch.manual_seed(7)
    Equal(plain).backward(plain.batch())
    pairs = zip(problem.model.get_submodule("heads").parameters(), heads(plain), strict=True)
    for actual, expected in pairs:
        assert actual.grad is not None
        torch.testing.assert_close(actual.grad, expected.grad)


@pytest.mark.parametrize("variant", ["unweighted", "weighted"])
@pytest.mark.parametrize("gate", ["each", "sum"])
def test_gradients_add_to_those_that_are_there(variant: str, gate: str) -> None:
    once, _, _ = found(PROBLEMS["vectors"], variant=variant, gate=gate)
    problem = PROBLEMS["vectors"]()
    method = GCS(problem, variant=variant, gate=gate)  # pyright: ignore[reportArgumentType]
    for _ in range(2):
        method.backward(problem.batch())
    twice = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    torch.testing.assert_close(twice, 2 * once)


def heads(problem: TinyProblem) -> list[nn.Parameter]:
    return list(problem.model.get_submodule("heads").parameters())


class Scaled(TinyProblem):
    """The main loss and one auxiliary that is a multiple of it."""

    factor = 1.0

    def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
        main = super().losses(batch, params, targets)[:, :1]
        return torch.cat([main, self.factor * main], 1)


@pytest.mark.parametrize("variant", ["unweighted", "weighted"])
@pytest.mark.parametrize("gate", ["each", "sum"])
@pytest.mark.parametrize(("factor", "weight"), [(0.5, 1.0), (-0.5, 0.0)])
def test_an_aligned_auxiliary_counts_in_full_and_an_opposed_one_not_at_all(
    variant: str, gate: str, factor: float, weight: float
) -> None:
    def factory() -> TinyProblem:
        problem = Scaled(("regression", "regression"))
        problem.factor = factor
        return problem

    actual, method, _ = found(factory, variant=variant, gate=gate)
    expected = per_task(factory())[0] * (1 + factor * weight)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(method.weights(torch.zeros(1)), torch.tensor([1.0, weight]))


def test_without_auxiliaries_it_is_single_task_learning() -> None:
    single = partial(TinyProblem, ("classification",))
    plain = single()
    torch.manual_seed(7)
    STL(plain).backward(plain.batch())
    expected = torch.cat([p.grad.flatten() for p in plain.shared_parameters() if p.grad is not None])
    for settings in ({}, {"variant": "weighted"}, {"gate": "sum"}):
        torch.testing.assert_close(found(single, **settings)[0], expected)


def test_gates_worked_out_by_hand() -> None:
    main, other = [torch.tensor([3.0, 0.0]), torch.tensor([0.0])], [torch.tensor([4.0, 0.0]), torch.tensor([3.0])]
    assert cosine(main, other).item() == pytest.approx(0.8)
    assert gate_weight(cosine(main, other), variant="weighted").item() == pytest.approx(0.8)
    assert gate_weight(cosine(main, other), variant="unweighted") == 1
    assert gate_weight(torch.tensor(-0.1), variant="weighted") == 0
    assert gate_weight(torch.tensor(0.0), variant="unweighted") == 1
    assert cosine(main, [torch.zeros(2), torch.zeros(1)]) == 0


def test_logged_weights_are_the_mean_gates_of_an_epoch() -> None:
    problem = PROBLEMS["vectors"]()
    method, gates = GCS(problem), []
    for seed in range(4):
        before = method.noted.totals.clone()
        method.backward(problem.batch(seed=seed))
        gates.append(method.noted.totals - before)
    mean = torch.stack(gates).mean(0)
    assert 0 < mean[1:].mean() < 1
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean)
    method.end_epoch(torch.ones(5))
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean, msg="until the next epoch's first step")
    method.backward(problem.batch(seed=2))
    torch.testing.assert_close(method.weights(torch.zeros(1)), gates[2])


def test_frozen_parameters_stay_without_gradient() -> None:
    problem = PROBLEMS["vectors"]()
    frozen = problem.shared_parameters()[0].requires_grad_(False)
    GCS(problem).backward(problem.batch())
    assert frozen.grad is None
    assert all(p.grad is not None for p in problem.model.parameters() if p is not frozen)


def test_a_model_that_shares_nothing_is_declined() -> None:
    problem = TinyProblem()
    problem.model.requires_grad_(False)
    assert GCS.declines(problem) == "the tasks share no trained parameter"


@pytest.mark.parametrize("settings", [{"variant": "cosine"}, {"gate": "all"}])
def test_unknown_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="choose one of"):
        GCS(TinyProblem(), **settings)
