import math

import pytest
import torch

from baselines.uncertainty import Uncertainty, negative_log_likelihood, precision_scales
from tests.problems import TinyProblem

KINDS = ("regression", "classification")


def settled(losses: torch.Tensor) -> torch.Tensor:
    """Return the variances that minimise the likelihood of fixed losses, by Newton-like descent."""
    scales = precision_scales(KINDS).double()
    s = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([s], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = negative_log_likelihood(losses, s, scales)
        value.backward()
        return value

    optimiser.step(closure)
    return s.detach().exp()


def test_value_worked_out_by_hand() -> None:
    # sigma^2 = 4: regression 8 / (2 * 4) + ln(4) / 2; sigma^2 = 2: classification 6 / 2 + ln(2) / 2
    variances = torch.tensor([4.0, 2.0])
    value = negative_log_likelihood(torch.tensor([8.0, 6.0]), variances.log(), precision_scales(KINDS))
    assert value.item() == pytest.approx(1 + math.log(2) + 3 + math.log(2) / 2)


@pytest.mark.parametrize("losses", [(0.3, 0.3), (5.0, 0.02), (1e-3, 40.0)])
def test_variances_settle_at_the_loss_for_regression_and_twice_it_for_classification(
    losses: tuple[float, float],
) -> None:
    # d/ds (e^-s L / 2 + s / 2) = 0 at e^s = L; d/ds (e^-s L + s / 2) = 0 at e^s = 2 L
    found = settled(torch.tensor(losses, dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([losses[0], 2 * losses[1]], dtype=torch.float64), rtol=1e-4, atol=0)


def test_the_method_itself_settles_there() -> None:
    problem = TinyProblem(KINDS)
    method, batch = Uncertainty(problem, learning_rate=0.05), problem.batch(64)
    for _ in range(600):
        method.backward(batch)
        method.step(batch)
    means = problem.losses(batch).detach().mean(0)
    torch.testing.assert_close(method.log_variances.detach().exp(), means * torch.tensor([1.0, 2.0]), rtol=1e-3, atol=0)


def test_the_total_may_be_negative() -> None:
    value = negative_log_likelihood(torch.tensor([1e-4]), torch.tensor([-8.0]), torch.tensor([0.5]))
    assert value < 0


def test_initial_weights_are_a_half_for_regression_and_one_for_classification() -> None:
    method = Uncertainty(TinyProblem(KINDS))
    torch.testing.assert_close(method.weights(torch.rand(4, 2, 3, 3)), torch.tensor([0.5, 1.0]))


def test_a_task_without_labels_keeps_its_variance() -> None:
    method = Uncertainty(TinyProblem(KINDS))
    losses = torch.tensor([[0.0, 2.0], [0.0, 1.0]])
    method.combine(losses).backward()
    method.step(None)
    assert method.log_variances[0] == 0
    assert method.log_variances[1] > 0


def test_the_optimiser_has_no_weight_decay_and_its_own_rate() -> None:
    method = Uncertainty(TinyProblem(), learning_rate=0.3)
    assert method.optimizer is not None
    (group,) = method.optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.3, 0)
