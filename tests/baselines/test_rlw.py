from itertools import pairwise, product
from typing import get_args

import pytest
import torch
from torch import Tensor

from auxilearn import task_means
from baselines.rlw import RLW, Distribution, random_weights
from tests.contract.loop import gradients
from tests.problems import TinyProblem

EVERY_DISTRIBUTION = pytest.mark.parametrize("distribution", get_args(Distribution))
DRAWS = 5000


def drawn(distribution: Distribution, n_tasks: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.stack([random_weights(n_tasks, distribution, generator) for _ in range(DRAWS)])


@EVERY_DISTRIBUTION
@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_weights_are_shares_of_their_number_and_favour_no_task(distribution: Distribution, n_tasks: int) -> None:
    weights = drawn(distribution, n_tasks)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.full((DRAWS,), float(n_tasks)))
    error = weights.std(0) / DRAWS**0.5
    assert ((weights.mean(0) - 1).abs() <= 4 * error + 1e-6).all()


def variance(distribution: Distribution, n_tasks: int) -> float:
    return drawn(distribution, n_tasks).var(0).mean().item()


def test_normal_weights_have_normal_log_ratios() -> None:
    weights = drawn("normal", 4)
    assert (weights > 0).all()
    ratios = (weights[:, 0] / weights[:, 1]).log() / 2**0.5  # a difference of two standard normals
    for value, share in ((-1.0, 0.1587), (0.0, 0.5), (1.0, 0.8413), (2.0, 0.9772)):
        assert (ratios < value).float().mean().item() == pytest.approx(share, abs=0.02)


def test_uniform_weights_have_log_ratios_of_at_most_one() -> None:
    weights = drawn("uniform", 4)
    ratios = (weights[:, 0] / weights[:, 1]).log()
    assert 0.95 < ratios.abs().max() <= 1 + 1e-6
    assert ratios.var().item() == pytest.approx(1 / 6, rel=0.1)


def test_dirichlet_weights_lie_uniformly_on_the_simplex() -> None:
    # the variance of T x_i is (T - 1) / (T + 1); with two tasks the weight itself is uniform on [0, 2]
    assert variance("dirichlet", 5) == pytest.approx(4 / 6, rel=0.05)
    first = drawn("dirichlet", 2)[:, 0]
    for value in (0.5, 1.0, 1.5):
        assert (first < value).float().mean().item() == pytest.approx(value / 2, abs=0.03)


def test_bernoulli_weights_take_every_set_of_tasks_alike() -> None:
    weights = drawn("bernoulli", 3)
    for members in list(product((0.0, 1.0), repeat=3))[1:]:
        wanted = torch.tensor(members) * 3 / sum(members)
        share = (weights - wanted).abs().amax(1).lt(1e-5).float().mean().item()
        assert share == pytest.approx(1 / 7, abs=0.02)


def test_constrained_bernoulli_weights_take_one_task() -> None:
    weights = drawn("constrained-bernoulli", 4)
    assert ((weights == 4).sum(1) == 1).all()
    assert variance("constrained-bernoulli", 4) == pytest.approx(3, rel=0.05)


def trained(steps: int, **settings: Distribution) -> tuple[RLW, list[Tensor]]:
    problem = TinyProblem()
    method, used = RLW(problem, **settings), []
    for seed in range(steps):
        used.append(method.task_weights.clone())
        method.backward(problem.batch(seed=seed))
        method.step(problem.batch(seed=seed))
    return method, used


@EVERY_DISTRIBUTION
def test_each_step_has_weights_of_its_own(distribution: Distribution) -> None:
    _, used = trained(20, distribution=distribution)
    assert any(not torch.equal(first, second) for first, second in pairwise(used))
    torch.testing.assert_close(torch.stack(used).sum(1), torch.full((20,), 3.0))


def test_training_follows_the_weights_of_the_step() -> None:
    problem, plain = TinyProblem(), TinyProblem()
    method = RLW(problem)
    weights = method.task_weights.clone()
    assert weights.std() > 0.01
    method.combine(problem.losses(problem.batch()))
    method.backward(problem.batch())
    (task_means(plain.losses(plain.batch())) @ weights).backward()
    for found, expected in zip(gradients(problem.model), gradients(plain.model), strict=True):
        torch.testing.assert_close(found, expected)
    assert torch.equal(method.task_weights, weights), "combine and backward draw nothing"


def test_steps_leave_the_global_stream_to_the_dropout_masks() -> None:
    problem = TinyProblem()
    method = RLW(problem)
    before = torch.get_rng_state()
    for distribution in get_args(Distribution):
        method.distribution = distribution
        method.step(problem.batch())
    assert torch.equal(before, torch.get_rng_state())


def test_the_stream_follows_from_the_global_seed_alone() -> None:
    streams = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        streams.append(torch.stack(trained(4)[1]))
    assert torch.equal(streams[0], streams[1])
    assert not torch.equal(streams[0], streams[2])


def test_logged_weights_are_the_epochs_mean() -> None:
    method, used = trained(5)
    mean = torch.stack(used).mean(0)
    torch.testing.assert_close(method.weights(torch.zeros(1, 3)), mean)
    method.end_epoch(torch.ones(3))
    torch.testing.assert_close(method.weights(torch.zeros(1, 3)), mean, msg="until the next epoch's first step")
    following = method.task_weights.clone()
    method.step(None)
    torch.testing.assert_close(method.weights(torch.zeros(1, 3)), following)


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown distribution 'gauss'; choose one of: normal, uniform, dirichlet"):
        RLW(TinyProblem(), distribution="gauss")  # pyright: ignore[reportArgumentType]
