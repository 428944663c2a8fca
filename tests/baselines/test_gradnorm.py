from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn import Method, task_means
from baselines.equal import Equal
from baselines.gradnorm import GradNorm, renormalised, weight_gradient
from tests.problems import TinyProblem


def by_autograd(method: GradNorm, problem: TinyProblem, batch: Any) -> Tensor:
    """Return the gradient of Chen's L1 loss by w the long way: through the norms, with a graph, task by task."""
    weights = method.task_weights.detach().clone().requires_grad_()
    layer = list(problem.last_shared_layer.parameters())
    means = task_means(problem.losses(batch))
    norms = []
    for task in range(problem.n_tasks):
        gradients = torch.autograd.grad(weights[task] * means[task], layer, create_graph=True)
        norms.append(torch.cat([gradient.flatten() for gradient in gradients]).norm())
    ratios = means.detach() / method.initial_losses
    target = torch.stack(norms).mean().detach() * (ratios / ratios.mean()) ** method.alpha
    (torch.stack(norms) - target).abs().sum().backward()
    assert weights.grad is not None
    return weights.grad


@pytest.mark.parametrize("size", [None, (3, 2)])
@pytest.mark.parametrize("alpha", [0.0, 0.8, 1.5])
def test_the_weights_gradient_is_autograds(size: tuple[int, int] | None, alpha: float) -> None:
    problem = TinyProblem(size=size, batch_norm=True, dtype=torch.float64)
    method = GradNorm(problem, alpha=alpha)
    method.double()
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.1)
    for seed in range(4):
        batch = problem.batch(16, seed=seed)
        optimizer.zero_grad()
        method.backward(batch)
        assert method.task_weights.grad is not None
        torch.testing.assert_close(method.task_weights.grad, by_autograd(method, problem, batch))
        optimizer.step()
        method.step(batch)


@pytest.mark.parametrize("size", [None, (3, 2)])
def test_weights_are_positive_and_sum_to_the_number_of_tasks_after_each_step(size: tuple[int, int] | None) -> None:
    problem = TinyProblem(masked=True, size=size)
    method = GradNorm(problem, learning_rate=0.5)
    for seed in range(20):
        batch = problem.batch(seed=seed)
        method.backward(batch)
        method.step(batch)
        assert method.task_weights.sum().item() == pytest.approx(3, rel=1e-6)
        assert (method.task_weights > 0).all()
    assert method.task_weights.std() > 0.05


def test_the_gradient_worked_out_by_hand() -> None:
    # w n = 3, 1, mean 2; L / L(0) = 1/4, 3/4, mean 1/2: r = 1/2, 3/2; targets with alpha 1: 1, 3
    arguments = [torch.tensor(values) for values in ([1.5, 0.5], [2.0, 2.0], [1.0, 3.0], [4.0, 4.0])]
    torch.testing.assert_close(weight_gradient(*arguments, alpha=1.0), torch.tensor([2.0, -2.0]))


def test_the_slower_task_gains_weight() -> None:
    gradient = weight_gradient(torch.ones(2), torch.ones(2), torch.tensor([0.9, 0.5]), torch.ones(2), alpha=1.0)
    assert gradient[0] < 0 < gradient[1]


def test_a_task_without_labels_neither_counts_nor_moves() -> None:
    # w n = 2.2, 1.8 around their mean 2; a third task without labels would pull the mean below both
    three = [torch.tensor(v) for v in ([1.1, 0.9, 1.0], [2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [4.0, 4.0, 4.0])]
    torch.testing.assert_close(weight_gradient(*three, alpha=1.0), torch.tensor([2.0, -2.0, 0.0]))
    unseen = [three[0], torch.full((3,), 2.0), torch.full((3,), 2.0), torch.tensor([4.0, 4.0, 0.0])]
    torch.testing.assert_close(weight_gradient(*unseen, alpha=1.0), torch.tensor([2.0, -2.0, 0.0]))
    nothing = weight_gradient(torch.ones(2), torch.zeros(2), torch.zeros(2), torch.zeros(2), alpha=1.0)
    assert torch.equal(nothing, torch.zeros(2))


def test_the_initial_loss_of_a_task_is_that_of_its_first_labels() -> None:
    problem = TinyProblem(masked=True)
    method, batch = GradNorm(problem), problem.batch()
    hidden = {**batch, "mask": batch["mask"] & torch.tensor([True, False, True])}
    first = task_means(method.backward(hidden))
    assert method.initial_losses[1] == 0
    second = task_means(method.backward(batch))
    torch.testing.assert_close(method.initial_losses, torch.stack([first[0], second[1], first[2]]))


def test_renormalising_keeps_ratios_and_guards_positivity() -> None:
    torch.testing.assert_close(renormalised(torch.tensor([1.0, 3.0])), torch.tensor([0.5, 1.5]))
    guarded = renormalised(torch.tensor([-5.0, 1.0]))
    assert (guarded > 0).all()
    assert guarded.sum().item() == pytest.approx(2)


class Separate(nn.Module):
    """Two quadratics c_i (w_i - 1)^2 on one shared weight vector, the first a hundred times as steep."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 2, bias=False)
        nn.init.zeros_(self.layer.weight)


class TwoRates(TinyProblem):
    def __init__(self) -> None:
        self.model = Separate()
        self.n_tasks = 2
        self.task_kinds = ("regression", "regression")

    @property
    def last_shared_layer(self) -> nn.Module:
        return self.model.get_submodule("layer")

    def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
        return torch.tensor([1.0, 0.01]) * (self.last_shared_layer(torch.ones(1, 1)) - 1).square()


def gaps(method: Method, problem: TwoRates) -> list[float]:
    """Return by how much the two rates L_i / L_i(0) differ after 100, 200 and 300 steps."""
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.01)
    first, found = problem.losses(None).detach(), []
    for step in range(1, 301):
        optimizer.zero_grad()
        method.backward(None)
        optimizer.step()
        method.step(None)
        if step % 100 == 0:
            rates = (problem.losses(None) / first).squeeze()
            found.append((rates[1] - rates[0]).abs().item())
    return found


def test_rates_of_training_move_towards_each_other() -> None:
    equal, balanced = TwoRates(), TwoRates()
    apart, together = gaps(Equal(equal), equal), gaps(GradNorm(balanced, alpha=1.5), balanced)
    assert together == sorted(together, reverse=True)
    assert together[-1] < 0.5 * apart[-1]


def test_the_model_gets_the_gradient_of_the_weighted_sum() -> None:
    problem, plain = TinyProblem(), TinyProblem()
    method = GradNorm(problem)
    with torch.no_grad():
        method.task_weights.copy_(torch.tensor([0.5, 1.0, 1.5]))
    losses = method.backward(problem.batch())
    (task_means(plain.losses(plain.batch())) @ torch.tensor([0.5, 1.0, 1.5])).backward()
    for actual, expected in zip(problem.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(actual.grad, expected.grad)
    torch.testing.assert_close(method.weights(losses), torch.tensor([0.5, 1.0, 1.5]))


def test_a_last_layer_without_trained_parameters_is_declined() -> None:
    problem = TinyProblem()
    problem.last_shared_layer.requires_grad_(False)
    assert GradNorm.declines(problem) == "the last shared layer has no trained parameter"
