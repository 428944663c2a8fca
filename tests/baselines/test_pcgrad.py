from itertools import permutations, product

import pytest
import torch
from torch import Tensor

from baselines.pcgrad import PCGrad, projected_weights
from tests.problems import TinyProblem


def project(gradients: Tensor, orders: list[tuple[int, ...]]) -> Tensor:
    """Return the sum of the projected gradients, as algorithm 1 does it with vectors, each in its own order."""
    total = torch.zeros_like(gradients[0])
    for task, order in enumerate(orders):
        mine = gradients[task].clone()
        for other in order:
            slope = mine @ gradients[other]
            if other != task and slope < 0:
                mine -= slope / gradients[other].square().sum() * gradients[other]
        total += mine
    return total


def test_two_conflicting_gradients_by_hand() -> None:
    # g_0 = (1, 0) loses -1/2 g_1, g_1 = (-1, 1) loses -g_0: (1/2, 1/2) + (0, 1), which is 2 g_0 + 3/2 g_1
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64)
    weights = projected_weights(gradients @ gradients.T)
    torch.testing.assert_close(weights, torch.tensor([2.0, 1.5], dtype=torch.float64))
    torch.testing.assert_close(weights @ gradients, torch.tensor([0.5, 1.5], dtype=torch.float64))


@pytest.mark.parametrize("tasks", [2, 3, 8])
def test_gradients_that_do_not_conflict_are_left_alone(tasks: int) -> None:
    gradients = torch.rand(tasks, 6, dtype=torch.float64)
    assert torch.equal(projected_weights(gradients @ gradients.T), torch.ones(tasks, dtype=torch.float64))


@pytest.mark.parametrize("seed", range(6))
def test_the_sum_is_that_of_vectors_projected_in_some_order(seed: int) -> None:
    torch.manual_seed(seed)
    gradients = torch.randn(3, 2, dtype=torch.float64)
    found = projected_weights(gradients @ gradients.T) @ gradients
    expected = [project(gradients, list(orders)) for orders in product(permutations(range(3)), repeat=3)]
    assert any(torch.allclose(found, each) for each in expected)


def test_the_order_is_random() -> None:
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [-1.0, -2.0]], dtype=torch.float64)
    found = torch.stack([projected_weights(gradients @ gradients.T) for _ in range(20)])
    assert len(found.unique(dim=0)) > 1


def test_the_direction_on_a_network_is_that_of_projected_gradients() -> None:
    problem = TinyProblem(("classification", "regression"), dtype=torch.float64, seed=3, noise=(0.1, 30.0))
    batch = problem.batch()
    means = problem.losses(batch).mean(0)
    shared = problem.shared_parameters()
    gradients = torch.stack(
        [torch.cat([g.flatten() for g in torch.autograd.grad(m, shared, retain_graph=True)]) for m in means]
    )
    assert gradients[0] @ gradients[1] < 0, "the tasks conflict, or this tests nothing"
    PCGrad(problem).backward(batch)
    found = torch.cat([p.grad.flatten() for p in shared if p.grad is not None])
    torch.testing.assert_close(found, project(gradients, [(0, 1), (0, 1)]))
