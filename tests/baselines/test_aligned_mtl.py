from typing import Any

import pytest
import torch
from torch import Tensor

from auxilearn import Parts
from baselines.aligned_mtl import AlignedMTL, aligned_weights
from tests.problems import TinyProblem

DOUBLE = torch.float64
MODES: list[Any] = ["min", "median", "rmse"]


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


def aligned(gradients: Tensor, mode: str) -> Tensor:
    """Return the system of gradients, (K, P), with its singular values that are not 0 made equal."""
    left, values, right = torch.linalg.svd(gradients, full_matrices=False)
    rank = int((values > 1e-9 * values[0]).sum())
    squares = values[:rank].square()
    scale = {"min": squares.min(), "median": squares.median(), "rmse": squares.mean()}[mode].sqrt()
    return scale * left[:, :rank] @ right[:rank]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tasks", [2, 3, 13, 29])
def test_the_direction_is_the_mean_of_a_system_of_condition_number_1(tasks: int, mode: Any) -> None:
    gradients = double(tasks, 40) * torch.logspace(-2, 2, tasks, dtype=DOUBLE)[:, None]
    system = aligned(gradients, mode)
    singular = torch.linalg.svdvals(system)
    torch.testing.assert_close(singular, singular[0].expand(tasks))
    found = aligned_weights(gradients @ gradients.T, scale_mode=mode) @ gradients
    torch.testing.assert_close(found, system.mean(0), rtol=1e-6, atol=1e-9)


def test_two_gradients_by_hand() -> None:
    # singular values 2 and 1 along the axes: all become 1, so the directions are the axes and their mean (1/2, 1/2)
    weights = aligned_weights(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=DOUBLE), scale_mode="min")
    torch.testing.assert_close(weights, torch.tensor([0.25, 0.5], dtype=DOUBLE))


@pytest.mark.parametrize("mode", MODES)
def test_what_is_aligned_already_is_left_alone(mode: Any) -> None:
    weights = aligned_weights(9 * torch.eye(4, dtype=DOUBLE), scale_mode=mode)
    torch.testing.assert_close(weights, torch.full((4,), 0.25, dtype=DOUBLE))


@pytest.mark.parametrize("mode", MODES)
def test_directions_that_are_not_there_do_not_set_the_scale(mode: Any) -> None:
    gradients = torch.cat([double(3, 10), double(3, 10)[:1]])
    found = aligned_weights(gradients @ gradients.T, scale_mode=mode) @ gradients
    torch.testing.assert_close(found, aligned(gradients, mode).mean(0))


@pytest.mark.parametrize("mode", MODES)
def test_rounding_on_a_network_does_not_set_the_scale(mode: Any) -> None:
    class Twice(TinyProblem):
        """Every task twice, the second time threefold."""

        def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
            once = super().losses(batch, params, targets)
            return torch.cat([once, 3 * once], 1)

    found = []
    for dtype in (torch.float32, DOUBLE):
        problem = Twice(("regression", "regression"), width=20, dtype=dtype)
        problem.model.load_state_dict(Twice(("regression", "regression"), width=20).model.state_dict())
        problem.n_tasks, problem.task_groups = 4, (0, 1, 2, 3)
        batch = {name: value.to(dtype) for name, value in TinyProblem(("regression", "regression")).batch().items()}
        AlignedMTL(problem, scale_mode=mode).backward(batch)
        found.append(
            torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None]).to(DOUBLE)
        )
    torch.testing.assert_close(found[0], found[1], rtol=1e-2, atol=1e-4 * float(found[1].abs().max()))


def test_the_mode_reaches_the_rule() -> None:
    gradients = double(4, 9)
    gramian = gradients @ gradients.T
    parts = Parts(gramian, torch.ones(4, dtype=DOUBLE), torch.ones(4, dtype=torch.bool), 1e-9)
    found = [AlignedMTL(TinyProblem(), scale_mode=mode).rule(parts) for mode in MODES]
    for mode, weights in zip(MODES, found, strict=True):
        assert torch.equal(weights, aligned_weights(gramian, scale_mode=mode))
    assert found[0].norm() < found[1].norm() < found[2].norm()


def test_unknown_scale_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown scale_mode 'max'; choose one of: min, median, rmse"):
        AlignedMTL(TinyProblem(), scale_mode="max")  # pyright: ignore[reportArgumentType]
