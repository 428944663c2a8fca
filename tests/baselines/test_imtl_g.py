import pytest
import torch
from torch import Tensor

from baselines.imtl_g import IMTLG, impartial_weights
from tests.problems import TinyProblem

DOUBLE = torch.float64


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


def projections(gradients: Tensor) -> Tensor:
    """Return the projections of the direction onto the unit gradients after checking that the weights sum to 1."""
    weights = impartial_weights(gradients @ gradients.T)
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0, dtype=DOUBLE))
    return gradients @ (weights @ gradients) / gradients.norm(dim=1)


@pytest.mark.parametrize("tasks", [1, 2, 3, 13, 41])
@pytest.mark.parametrize("spread", [0.0, 4.0])
def test_projections_onto_all_unit_gradients_are_equal(tasks: int, spread: float) -> None:
    scale = torch.logspace(-spread, spread, tasks, dtype=DOUBLE)[:, None]
    found = projections((double(tasks, 60) + 0.2) * scale)
    torch.testing.assert_close(found, found[0].expand(tasks), rtol=1e-7, atol=0)


def test_two_gradients_have_a_closed_form() -> None:
    # the bisector of the unit gradients: w_i = 1 / |g_i|, scaled to sum 1
    gradients = torch.tensor([[3.0, 0.0], [-0.5, 0.5]], dtype=DOUBLE)
    inverse = 1 / gradients.norm(dim=1)
    torch.testing.assert_close(impartial_weights(gradients @ gradients.T), inverse / inverse.sum())


def test_gradients_that_depend_on_one_another() -> None:
    gradients = double(3, 5)
    found = projections(torch.cat([gradients, 2 * gradients[:1]]))
    torch.testing.assert_close(found, found[0].expand(4), rtol=1e-7, atol=0)


def test_gradients_without_an_impartial_direction_give_none() -> None:
    assert impartial_weights(torch.tensor([[1.0, -2.0], [-2.0, 4.0]], dtype=DOUBLE)).tolist() == [0, 0]


def test_the_published_rule_may_climb_every_loss() -> None:
    # u_2 is between u_0 and u_1 and short: its weight, negative, outweighs theirs
    gradients = torch.tensor([[1.0, 0.5, 0.0], [1.0, -0.5, 0.0], [0.01, 0.0, 0.001]], dtype=DOUBLE)
    assert (projections(gradients) < 0).all()


def test_the_direction_on_a_network_is_impartial() -> None:
    problem = TinyProblem(("classification", "regression", "regression"), dtype=DOUBLE)
    means = problem.losses(problem.batch()).mean(0)
    found = [torch.autograd.grad(mean, problem.shared_parameters(), retain_graph=True) for mean in means]
    gradients = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])
    IMTLG(problem).backward(problem.batch())
    direction = torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])
    onto = gradients @ direction / gradients.norm(dim=1)
    torch.testing.assert_close(onto, onto[0].expand(3))
