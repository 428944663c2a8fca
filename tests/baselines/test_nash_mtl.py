from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn.bargaining import agreement
from baselines.nash_mtl import NashMTL
from tests.contract.problems import without_labels
from tests.problems import TinyProblem

TASKS = ("classification", "regression", "classification")


def tiny(**settings: Any) -> TinyProblem:
    return TinyProblem(TASKS, dtype=torch.float64, **settings)


def gradients(problem: TinyProblem, batch: Any) -> Tensor:
    """Return the gradient of each task on the shared parameters, (T, P)."""
    means = problem.losses(batch).mean(0)
    found = [torch.autograd.grad(mean, problem.shared_parameters(), retain_graph=True) for mean in means]
    return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])


def shared_gradient(problem: TinyProblem) -> Tensor:
    return torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])


def stepped(problem: TinyProblem, method: NashMTL, batch: Any) -> Tensor:
    """Return the shared gradient of one step."""
    problem.model.zero_grad()
    method.backward(batch)
    return shared_gradient(problem)


def test_every_task_gets_the_same_share_of_the_bargain() -> None:
    # a_i <g_i, d> = 1
    problem = tiny()
    method = NashMTL(problem, max_norm=0)
    direction = stepped(problem, method, problem.batch())
    weights = method.weights(torch.zeros(1)).double()
    rows = gradients(problem, problem.batch())
    torch.testing.assert_close(weights * (rows @ direction), torch.ones(3, dtype=torch.float64), rtol=1e-6, atol=0)
    torch.testing.assert_close(direction.norm().square(), torch.tensor(3.0, dtype=torch.float64))


@pytest.mark.parametrize(("max_norm", "length"), [(1.0, 1.0), (0.3, 0.3), (2.0, 3**0.5), (0.0, 3**0.5)])
def test_clipping_sets_the_length_and_not_the_direction(max_norm: float, length: float) -> None:
    problem = tiny()
    plain = stepped(problem, NashMTL(problem, max_norm=0), problem.batch())
    method = NashMTL(problem, max_norm=max_norm)
    found = stepped(problem, method, problem.batch())
    torch.testing.assert_close(found, plain * (length / 3**0.5))
    rows = gradients(problem, problem.batch())
    torch.testing.assert_close(method.weights(torch.zeros(1)).double() @ rows, found, rtol=1e-6, atol=1e-7)


def test_clipping_leaves_the_heads_and_the_gradients_that_are_there_alone() -> None:
    found = []
    for max_norm in (0.0, 0.1):
        problem = tiny()
        for parameter in problem.model.parameters():
            parameter.grad = torch.ones_like(parameter)
        NashMTL(problem, max_norm=max_norm).backward(problem.batch())
        heads = [p.grad.flatten() for p in problem.model.get_submodule("heads").parameters() if p.grad is not None]
        found.append((torch.cat(heads), shared_gradient(problem) - 1))
    torch.testing.assert_close(found[1][0], found[0][0])
    torch.testing.assert_close(found[1][1], found[0][1] * (0.1 / 3**0.5))


def test_on_the_representation_the_network_s_gradient_is_clipped() -> None:
    problem = tiny()
    found = stepped(problem, NashMTL(problem, space="representation", max_norm=0.01), problem.batch())
    torch.testing.assert_close(found.norm(), torch.tensor(0.01, dtype=torch.float64))


@pytest.mark.parametrize("max_norm", [0.0, 1.0])
def test_weights_are_reused_between_solutions(max_norm: float) -> None:
    problem = tiny()
    method = NashMTL(problem, update_every=3, max_norm=max_norm)
    solved = torch.zeros(3, dtype=torch.float64)
    for step in range(7):
        batch = problem.batch(seed=step)
        rows = gradients(problem, batch)
        if step % 3 == 0:
            solved = agreement(rows @ rows.T, torch.ones(3, dtype=torch.float64)).weights
        expected = solved @ rows
        if max_norm:
            expected = expected * (max_norm / expected.norm()).clamp(max=1)
        torch.testing.assert_close(stepped(problem, method, batch), expected, rtol=1e-6, atol=1e-6)


def test_a_task_without_a_label_at_a_solution_keeps_its_weight() -> None:
    problem = tiny(masked=True)
    method = NashMTL(problem, update_every=2, max_norm=0)
    full, partial = problem.batch(seed=1), without_labels(problem.batch(seed=2), 1)
    rows, kept = gradients(problem, full), gradients(problem, partial)[[0, 2]]
    solved = agreement(rows @ rows.T, torch.ones(3, dtype=torch.float64)).weights
    newer = agreement(kept @ kept.T, torch.ones(2, dtype=torch.float64)).weights
    for batch in (full, full, partial):
        stepped(problem, method, batch)
    expected = torch.stack([newer[0], solved[1], newer[1]]) @ rows
    torch.testing.assert_close(stepped(problem, method, full), expected, rtol=1e-6, atol=1e-6)


def test_steps_between_solutions_need_no_gradient_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = tiny()
    method = NashMTL(problem, update_every=2)
    method.backward(problem.batch())
    monkeypatch.setattr(method, "rows", None)
    method.backward(problem.batch())
    with pytest.raises(TypeError):
        method.backward(problem.batch())


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_scaling_a_loss_does_not_change_the_direction(space: str) -> None:
    class Scaled(TinyProblem):
        """The second task's loss a thousand times as large."""

        def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
            return super().losses(batch, params, targets) * torch.tensor([1.0, 1e3, 1.0], dtype=torch.float64)

    found = []
    for problem in (tiny(), Scaled(TASKS, dtype=torch.float64)):
        found.append(stepped(problem, NashMTL(problem, space=space), problem.batch()))
    torch.testing.assert_close(found[1], found[0])


def test_opposed_tasks_leave_the_gradient_finite_and_small() -> None:
    class Opposed(TinyProblem):
        """The second loss is the negative of the first."""

        def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
            main = super().losses(batch, params, targets)[:, :1]
            return torch.cat([main, -main], 1)

    problem = Opposed(("regression", "regression"))
    method = NashMTL(problem)
    found = stepped(problem, method, problem.batch())
    assert found.isfinite().all()
    assert found.norm() < 0.01
    # (1 + r) b - b = 1 / b for unit gradients, with r the resolution of float32
    length = gradients(problem, problem.batch())[0].norm()
    expected = (2 * torch.finfo(torch.float32).eps) ** -0.5 / length
    torch.testing.assert_close(method.weights(torch.zeros(1)), expected.expand(2), rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"max_norm": -1.0}, "max_norm must not be negative"), ({"update_every": 0}, "update_every must be at least 1")],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NashMTL(tiny(), **settings)
