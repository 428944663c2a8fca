import torch

from baselines.stl import STL
from tests.problems import TinyProblem


def test_is_the_mean_of_the_main_loss() -> None:
    losses = torch.tensor([[1.0, 10.0], [3.0, 20.0]])
    assert STL(TinyProblem(("regression", "regression"))).combine(losses) == 2


def test_auxiliary_heads_get_no_gradient_and_no_weight() -> None:
    problem = TinyProblem()
    method = STL(problem)
    losses = method.backward(problem.batch())
    heads = problem.model.get_submodule("heads")
    main, *auxiliary = ([p.grad for p in head.parameters()] for head in heads.children())
    assert all(gradient is not None and gradient.any() for gradient in main)
    assert not any(gradient is not None and gradient.any() for head in auxiliary for gradient in head)
    torch.testing.assert_close(method.weights(losses), torch.tensor([1.0, 0.0, 0.0]))
