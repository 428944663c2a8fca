"""What every combiner starts as, keeps to and does with odd inputs."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from auxilearn.combiners import Combiner, ConvCombiner, DeepLinearCombiner, LinearCombiner, NonlinearCombiner

KINDS: list[type[Combiner]] = [LinearCombiner, DeepLinearCombiner, NonlinearCombiner, ConvCombiner]
LINEAR, POINTWISE = KINDS[:2], KINDS[:3]
Make = Callable[..., Combiner]


def losses_for(kind: Make, n_tasks: int, n: int = 6) -> Tensor:
    return torch.rand(n, n_tasks, *((8, 6) if kind is ConvCombiner else ())) + 0.5


def gradient(combiner: Combiner, losses: Tensor) -> Tensor:
    leaf = losses.detach().requires_grad_()
    return torch.autograd.grad(combiner(leaf).mean(), leaf)[0]


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("n_tasks", [2, 4, 313])
@pytest.mark.parametrize("kind", LINEAR)
def test_the_linear_ones_start_as_the_sum(kind: Make, n_tasks: int, skip: bool, weight_norm: bool) -> None:
    combiner = kind(n_tasks, skip=skip, weight_norm=weight_norm)
    losses = losses_for(kind, n_tasks)
    torch.testing.assert_close(combiner(losses), losses.sum(1))


@pytest.mark.parametrize("n_tasks", [2, 4, 313])
@pytest.mark.parametrize("kind", KINDS)
def test_auxiliaries_start_with_a_weight_of_one_on_average(kind: Make, n_tasks: int) -> None:
    combiner = kind(n_tasks)
    losses = torch.ones(1, n_tasks, *((32, 32) if kind is ConvCombiner else ()))
    weights = gradient(combiner, losses).transpose(0, 1).flatten(1).sum(1)
    assert float(weights[0]) == pytest.approx(1, rel=1e-4)
    assert float(weights[1:].mean()) == pytest.approx(1, rel=1e-4)
    assert bool((weights > 0).all())


@pytest.mark.parametrize("kind", KINDS)
def test_no_loss_is_ever_weighted_negatively_after_a_projection(kind: Make) -> None:
    combiner = kind(4, weight_norm=kind is NonlinearCombiner)
    with torch.no_grad():
        for parameter in combiner.parameters():
            parameter.add_(torch.randn_like(parameter))
    before = {name: parameter.clone() for name, parameter in combiner.named_parameters()}
    losses = losses_for(kind, 4)
    combiner.project()
    assert bool((gradient(combiner, losses) >= 0).all())
    for name, parameter in combiner.named_parameters():
        assert torch.equal(parameter, before[name] if parameter.dim() == 1 else before[name].clamp(min=0))


def test_without_monotone_nothing_is_projected() -> None:
    combiner = LinearCombiner(3, monotone=False)
    weight = next(combiner.parameters())
    weight.detach().fill_(-1)
    combiner.project()
    assert torch.equal(weight, -torch.ones(1, 3))


def test_a_unit_clipped_to_nothing_is_zero_and_can_come_back() -> None:
    combiner = LinearCombiner(3, skip=False, weight_norm=True)
    with torch.no_grad():
        dict(combiner.named_parameters())["layers.0.parametrizations.weight.original1"].fill_(-1)
    combiner.project()
    total = combiner(torch.ones(2, 3)).sum()
    assert float(total.detach()) == 0
    found = torch.autograd.grad(total, list(combiner.parameters()))
    assert all(bool(part.isfinite().all()) for part in found)
    assert any(bool((part != 0).any()) for part in found)


@pytest.mark.parametrize("kind", POINTWISE)
def test_loss_images_are_combined_pixel_by_pixel(kind: Make) -> None:
    combiner = kind(3)
    images = torch.rand(2, 3, 4, 5)
    pixels = images.permute(0, 2, 3, 1).reshape(-1, 3)
    torch.testing.assert_close(combiner(images).flatten(), combiner(pixels))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (16, 12), (31, 33)])
def test_the_convolutional_one_takes_any_size(size: tuple[int, int]) -> None:
    combiner = ConvCombiner(3)
    losses = torch.rand(2, 3, *size)
    assert combiner(losses).shape == (2,)
    assert bool((gradient(combiner, losses) > 0).all())


def test_the_skip_is_the_plain_mean_of_the_main_loss() -> None:
    losses = torch.rand(2, 3, 7, 5)
    combiner = ConvCombiner(3)
    for parameter in combiner.parameters():
        parameter.detach().zero_()
    torch.testing.assert_close(combiner(losses), losses[:, 0].mean((1, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_permuting_tasks_permutes_weights(kind: Make) -> None:
    combiner, losses = kind(4, skip=False), losses_for(kind, 4)
    expected = gradient(combiner, losses)
    order = torch.tensor([2, 0, 3, 1])
    first = next(parameter for parameter in combiner.parameters() if parameter.dim() > 1)
    with torch.no_grad():
        first.copy_(first[:, order])
    torch.testing.assert_close(gradient(combiner, losses[:, order]), expected[:, order])


def test_only_the_nonlinear_one_tells_samples_apart() -> None:
    losses = torch.rand(6, 3) * 4
    spread = {
        type(combiner): float(gradient(combiner, losses).std(0).max())
        for combiner in (LinearCombiner(3), DeepLinearCombiner(3), NonlinearCombiner(3))
    }
    assert spread[NonlinearCombiner] > 1e-3
    assert max(spread[LinearCombiner], spread[DeepLinearCombiner]) < 1e-6


@pytest.mark.parametrize("n_tasks", [2, 313])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_of_very_different_scale_train(kind: Make, n_tasks: int) -> None:
    # the target weighs one task more and one less; momentum and clipping as AuxiLearn's
    scale = torch.logspace(-3, 3, n_tasks)
    losses = losses_for(kind, n_tasks, 16) * scale.view(-1, *(1,) * (2 if kind is ConvCombiner else 0))
    combiner = kind(n_tasks)
    optimizer = torch.optim.SGD(combiner.parameters(), lr=1e-2, momentum=0.9)
    start = float(combiner(losses).mean().detach())
    loss = torch.zeros(())
    for _ in range(50):
        loss = (combiner(losses).mean() - start / 2).abs() / start
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(combiner.parameters(), 1.0)
        optimizer.step()
        combiner.project()
        assert all(bool(parameter.isfinite().all()) for parameter in combiner.parameters())
    assert float(loss.detach()) < 0.45
