"""AuxiLearn learns what it should, and says what it cannot do."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxilearn.auxilearn import AuxiLearn
from auxilearn.combiners import DeepLinearCombiner, LinearCombiner, NonlinearCombiner
from auxilearn.generators import LabelGenerator
from auxilearn.method import stateless_call, trainable
from tests.auxilearn.test_auxilearn import Make, make, phi, train
from tests.problems import Batch, TinyProblem


def test_one_task_is_declined_and_a_generator_needs_its_problem() -> None:
    assert AuxiLearn.declines(TinyProblem(("regression",))) == "it needs at least one auxiliary task"
    assert AuxiLearn.declines(TinyProblem()) is None
    with pytest.raises(TypeError, match="a generator needs a LabelSource; Regression lacks"):
        AuxiLearn(Regression((0.0, 0.0)), LinearCombiner(2), LabelGenerator(nn.Linear(4, 4), (2, 2)))
    with pytest.raises(ValueError, match="unknown hessian 'finite'; choose one of: exact, difference"):
        AuxiLearn(TinyProblem(), LinearCombiner(3), hessian="finite")  # type: ignore[arg-type]


class Regression:
    """A linear model; task 0, tasks that copy it and tasks whose targets are noise."""

    task_kinds = ("regression",) * 3
    task_groups = (0, 1, 2)
    loss_images = False

    def __init__(self, noise: tuple[float, ...]) -> None:
        self.model: nn.Module = nn.Linear(4, 1, bias=False)
        self.n_tasks, self.noise = len(noise), noise
        self.last_shared_layer = self.model

    def shared_parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())

    def batch(self, n: int) -> Batch:
        x = torch.randn(n, 4)
        clean = x.sum(1, keepdim=True) + 0.5 * torch.randn(n, 1)
        scale = torch.tensor(self.noise)
        return {"x": x, "y": torch.where(scale > 0, scale * torch.randn(n, self.n_tasks), clean)}

    def losses(self, batch: Batch, params: Any = None, targets: Any = None) -> Tensor:
        return F.mse_loss(
            stateless_call(self.model, params, batch["x"]).expand(-1, self.n_tasks), batch["y"], reduction="none"
        )


@pytest.mark.parametrize("settings", [{"solver": "identity"}, {"mode": "paper"}, {"mode": "corrected"}])
@pytest.mark.parametrize("combiner", [LinearCombiner, DeepLinearCombiner, NonlinearCombiner])
def test_a_copy_of_the_main_task_outweighs_noise(combiner: Make, settings: dict[str, Any]) -> None:
    problem = Regression((0.0, 0.0, 3.0))
    method = AuxiLearn(problem, combiner(3), auxiliary_lr=3e-3, **settings)
    optimizer = torch.optim.Adam(problem.model.parameters(), lr=0.05)
    losses = torch.zeros(())
    for _ in range(200):
        batch = problem.batch(16)
        method.outer_step(batch, problem.batch(64), lr=0.05)
        optimizer.zero_grad()
        losses = method.backward(batch)
        optimizer.step()
    _, copied, noise = method.weights(losses).tolist()
    assert copied > 2 * noise


def test_the_weight_of_noise_falls_to_exactly_zero() -> None:
    problem = Regression((0.0, 0.0, 5.0))
    method = AuxiLearn(problem, LinearCombiner(3), auxiliary_lr=1e-2, solver="identity")
    optimizer = torch.optim.Adam(problem.model.parameters(), lr=0.05)
    found = []
    for _ in range(300):
        batch = problem.batch(16)
        method.outer_step(batch, problem.batch(64), lr=0.05)
        optimizer.zero_grad()
        found.append(method.weights(method.backward(batch)))
        optimizer.step()
    weights = torch.stack(found)
    assert bool((weights >= 0).all())
    assert float(weights[-50:, 2].min()) == 0


def test_permuting_tasks_permutes_what_is_learnt() -> None:
    weights = []
    for order in ([0, 1, 2], [0, 2, 1]):
        torch.manual_seed(0)
        problem, method = make("linear-identity")
        losses = problem.losses
        problem.losses = lambda *args, f=losses, o=order, **kwargs: f(*args, **kwargs)[:, o]  # type: ignore[method-assign]
        train(problem, method, range(8))
        weights.append(method.weights(losses(problem.batch()).detach())[order])
    torch.testing.assert_close(weights[0], weights[1])
    assert not torch.allclose(weights[0][1], weights[0][2], rtol=1e-3)


def test_every_trainable_parameter_takes_part() -> None:
    problem, _ = make("linear")
    assert {name for name, _ in trainable(problem.model)} == {name for name, _ in problem.model.named_parameters()}


def test_adams_preconditioner_learns_from_the_training_gradients() -> None:
    problem, method = make("deep-linear-adam", solver="identity")
    method.outer_step(problem.batch(), problem.batch(seed=1), lr=0.1)
    assert float(method.diagnostics["cosine_to_identity"]) == pytest.approx(1)
    train(problem, method, range(6))
    assert float(method.diagnostics["cosine_to_identity"]) < 0.99


def test_a_hypergradient_that_is_not_finite_is_dropped() -> None:
    problem, method = make("linear")
    before = phi(method)
    broken = problem.batch() | {"x": torch.full((8, 5), torch.nan)}
    method.outer_step(broken, problem.batch(seed=1), lr=0.1)
    assert not bool(method.diagnostics["hypergradient_norm"].isfinite())
    assert all(bool(p.isfinite().all()) for p in method.parameters())
    torch.testing.assert_close(phi(method), before, rtol=1e-4, atol=1e-6)  # weight decay alone


def test_clipping_bounds_the_step() -> None:
    problem, method = make("linear", clip_norm=1e-3, auxiliary_lr=1.0, auxiliary_weight_decay=0.0)
    before = torch.cat(phi(method))
    method.outer_step(problem.batch(), problem.batch(seed=1), lr=0.1)
    assert float(method.diagnostics["clipped"]) == 1
    assert 5e-4 < float((torch.cat(phi(method)) - before).norm()) < 1.001e-3
