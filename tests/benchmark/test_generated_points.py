"""Generated labels of each point of a cloud: against as many single samples, and against double backward."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

import baselines
from auxilearn import LabelGenerator, LabelProblem, LinearCombiner, task_means
from auxilearn.hessian import Parameters, flatten
from auxilearn.hypergradient import hypergradient, mixed_partial
from auxilearn.solvers import neumann
from benchmark.data import Batch
from benchmark.generated import SUBCLASSES, GeneratedLabelProblem
from benchmark.models.multitask import MultiHead
from benchmark.models.pointnet import PointNet

PARTS, SHAPES, POINTS = 3, 4, 7
OUTPUTS = PARTS * SUBCLASSES
DOUBLE = torch.float64
Trunk = Callable[[], nn.Module]


def pointnet() -> nn.Module:
    return PointNet(widths=(4, 5, 6), joint=(6, 5))


def pointwise() -> nn.Module:
    """Return a network to which the points of a cloud are samples, with BatchNorm."""
    return nn.Sequential(nn.Unflatten(2, (-1, 1)), nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5), nn.Tanh())


def problem(trunk: Trunk, *, flat: bool = False) -> GeneratedLabelProblem:
    """Return a problem in double precision; if `flat`, for clouds of one point each, whose outputs are (B, C)."""

    def head(outputs: int) -> nn.Module:
        layer = nn.Conv2d(5, outputs, 1)
        return nn.Sequential(layer, nn.Flatten()) if flat else nn.Sequential(layer)

    def make_generator() -> nn.Module:
        torch.manual_seed(1)
        return nn.Sequential(trunk(), head(OUTPUTS)).to(DOUBLE)

    torch.manual_seed(0)
    model = MultiHead(trunk(), [head(PARTS), head(OUTPUTS)]).to(DOUBLE)
    return GeneratedLabelProblem(model, classes=PARTS, make_generator=make_generator, focus=2.0, scale=0.25)


def clouds(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(SHAPES, 3, POINTS, generator=generator, dtype=DOUBLE)
    parts = torch.randint(PARTS, (SHAPES, 1, POINTS, 1), generator=generator, dtype=torch.int8)
    return Batch(points, (parts,))


def singles(batch: Batch) -> Batch:
    """Return the points of all clouds as samples of their own, (B x P, 3, 1), with labels (B x P, 1)."""
    points, (parts,) = batch
    return Batch(points.transpose(1, 2).reshape(-1, 3, 1), (parts.reshape(-1, 1),))


def trained(
    method_name: str, task: GeneratedLabelProblem, batches: tuple[Batch, Batch]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean losses, the network's gradient and the method's parameters after an outer and a training step."""
    method = baselines.load(method_name)(task)
    method.outer_step(*batches, lr=0.1)
    losses = method.backward(batches[0])
    gradient = flatten(p.grad for p in task.model.parameters() if p.grad is not None)
    return (
        task_means(losses),
        gradient,
        flatten(p.detach() for p in method.parameters()) if list(method.parameters()) else losses[:0],
    )


@pytest.mark.parametrize("method_name", ["stl", "maxl-f", "maxl", "auxilearn"])
def test_points_count_like_as_many_samples(method_name: str) -> None:
    together = trained(method_name, problem(pointwise), (clouds(), clouds(1)))
    apart = trained(method_name, problem(pointwise, flat=True), (singles(clouds()), singles(clouds(1))))
    for found, expected in zip(together, apart, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("with_labels", [False, True])
def test_the_loss_of_a_shape_is_the_mean_over_its_points(with_labels: bool) -> None:
    task, batch = problem(pointnet), clouds()
    task.model.eval()
    targets = torch.rand(SHAPES, OUTPUTS, POINTS, 1, dtype=DOUBLE) if with_labels else None
    losses = task.losses(batch, targets=targets)
    assert losses.shape == (SHAPES, task.n_tasks)
    assert not task.loss_images
    main, auxiliary = (output.softmax(1) for output in task.model(batch.inputs))
    for shape in range(SHAPES):
        of_points = []
        for point in range(POINTS):
            p = main[shape, batch.targets[0][shape, 0, point, 0].long(), point, 0]
            q = auxiliary[shape, :, point, 0]
            soft = torch.zeros_like(q) if targets is None else targets[shape, :, point, 0]
            of_points.append(torch.stack([-((1 - p) ** 2) * p.log(), -0.25 * (soft * (1 - q) ** 2 * q.log()).sum()]))
        torch.testing.assert_close(losses[shape], torch.stack(of_points).mean(0))


def objective(
    task: LabelProblem, generator: LabelGenerator, combiner: LinearCombiner, batch: Batch, params: Parameters
) -> Tensor:
    targets = generator(*task.inputs_and_labels(batch))
    return combiner(task.losses(batch, params, targets)).mean()


def parts_of(
    task: GeneratedLabelProblem,
) -> tuple[LabelGenerator, LinearCombiner, list[nn.Parameter], dict[str, Tensor]]:
    generator = LabelGenerator(task.make_generator(), task.subclasses)
    combiner = LinearCombiner(task.n_tasks).to(DOUBLE)
    phi = [*combiner.parameters(), *generator.parameters()]
    return generator, combiner, phi, {name: p.detach() for name, p in task.model.named_parameters()}


@pytest.mark.filterwarnings("error")
def test_the_mixed_partial_through_pointnet_is_that_of_double_backward() -> None:
    task = problem(pointnet)
    assert task.model.training
    generator, combiner, phi, params = parts_of(task)
    train = partial(objective, task, generator, combiner, clouds())
    direction = {name: torch.randn_like(value) for name, value in params.items()}
    found = flatten(mixed_partial([train], params, direction, phi))  # would warn if it were not by forward mode
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    gradients = torch.autograd.grad(train(leaves), list(leaves.values()), create_graph=True)
    slope = torch.stack([(g * direction[n]).sum() for n, g in zip(leaves, gradients, strict=True)]).sum()
    expected = flatten(torch.autograd.grad(slope, phi, allow_unused=True, materialize_grads=True))
    assert float(expected.norm()) > 1e-3
    assert float((found - expected).norm() / expected.norm()) < 1e-9


def test_the_hypergradient_through_pointnet_is_that_of_the_papers_series() -> None:
    task, alpha, terms = problem(pointnet), 0.05, 3
    generator, combiner, phi, params = parts_of(task)
    train = partial(objective, task, generator, combiner, clouds())

    def held_out(params: Parameters) -> Tensor:
        return task_means(task.losses(clouds(1), params))[0]

    solve = partial(neumann, terms=terms, alpha=alpha, released=True)
    found = hypergradient([train], [held_out], params, phi, solve=solve)
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    values = list(leaves.values())
    grad = partial(torch.autograd.grad, allow_unused=True, materialize_grads=True)
    slope = flatten(grad(train(leaves), values, create_graph=True))
    power = flatten(grad(held_out(leaves), values))
    solved = power.clone()
    for _ in range(terms):
        power = power - alpha * flatten(grad(slope, values, power, retain_graph=True))
        solved = solved + power
    expected = -flatten(grad(slope, phi, solved))
    assert float(expected.norm()) > 1e-6
    assert float((flatten(found.gradients) - expected).norm() / expected.norm()) < 1e-9
