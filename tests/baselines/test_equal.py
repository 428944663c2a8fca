import torch

from auxilearn import Method
from baselines.equal import Equal
from baselines.stl import STL
from tests.problems import TinyProblem


def gradient(method: Method, problem: TinyProblem) -> torch.Tensor:
    method.backward(problem.batch())
    return torch.cat([p.grad.flatten() for p in problem.model.parameters() if p.grad is not None])


def test_is_the_sum_over_tasks_of_means_over_samples() -> None:
    losses = torch.tensor([[1.0, 10.0], [3.0, 20.0]])
    assert Equal(TinyProblem(("regression", "regression"))).combine(losses) == 2 + 15


def test_every_task_weighs_one_whatever_the_shape() -> None:
    method = Equal(TinyProblem())
    torch.testing.assert_close(method.weights(torch.rand(5, 3)), torch.ones(3))
    torch.testing.assert_close(method.weights(torch.rand(5, 3, 4, 2)), torch.ones(3))


def test_does_not_depend_on_the_order_of_tasks() -> None:
    losses, method = torch.rand(5, 3), Equal(TinyProblem())
    torch.testing.assert_close(method.combine(losses), method.combine(losses[:, [2, 0, 1]]))


def test_one_task_alone_is_single_task_learning() -> None:
    first, second = TinyProblem(("classification",)), TinyProblem(("classification",))
    assert torch.equal(gradient(Equal(first), first), gradient(STL(second), second))


def test_the_gradient_of_two_equal_auxiliaries_doubles() -> None:
    one = TinyProblem(("regression", "regression"))
    losses = one.losses(one.batch())
    twice = torch.cat([losses, losses[:, 1:]], 1)
    torch.testing.assert_close(Equal(one).combine(twice), losses.mean(0) @ torch.tensor([1.0, 2.0]))
