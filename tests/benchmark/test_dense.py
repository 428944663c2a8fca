"""Loss images of segmentation, depth and normals: masked means pixel by pixel, and what methods make of them."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import baselines
from auxilearn import Method, task_means
from auxilearn.gradients import directional_derivative
from benchmark.data import Batch
from benchmark.dense import Depth, Normals
from benchmark.models.multitask import MultiHead
from benchmark.models.pointnet import pointnet
from benchmark.models.segnet import segnet
from benchmark.problem import SupervisedProblem, scaled
from benchmark.tally import Losses
from benchmark.tasks import UNLABELLED, Binary, Classification, Regression, TaskGroup

GROUPS: Sequence[TaskGroup] = (Classification({"coarse": 2, "fine": 4}), Depth(("depth", "disparity")), Normals())
HEIGHT, WIDTH, COUNT = 4, 3, 5


def problem() -> SupervisedProblem:
    trunk = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Tanh())
    model = MultiHead(trunk, [nn.Conv2d(6, group.outputs, 1) for group in GROUPS], loss_images=True)
    return SupervisedProblem(model.double(), GROUPS)


def batch(*, unknown: float = 0.4, size: tuple[int, int] = (HEIGHT, WIDTH), count: int = COUNT) -> Batch:
    draw = torch.Generator().manual_seed(2)

    def hidden(channels: int) -> Tensor:
        return torch.rand(count, channels, *size, generator=draw) < unknown

    labels = torch.stack([torch.randint(n, (count, *size), generator=draw) for n in (2, 4)], 1)
    depth = torch.rand(count, 2, *size, generator=draw, dtype=torch.double) + 0.1
    normals = nn.functional.normalize(torch.randn(count, 3, *size, generator=draw, dtype=torch.double), dim=1)
    labels[hidden(2)] = UNLABELLED
    depth[hidden(2)] = 0
    normals *= ~hidden(1)
    images = torch.randn(count, 3, *size, generator=draw, dtype=torch.double)
    return Batch(images, (labels, depth, normals))


def pixel_losses(outputs: Sequence[Tensor], targets: Sequence[Tensor]) -> list[list[Tensor]]:
    """Return the losses of the known pixels of each of the five tasks, one pixel at a time."""
    found: list[list[Tensor]] = [[] for _ in range(5)]
    (logits, depths, vectors), (labels, true_depths, normals) = outputs, targets
    for image in range(len(labels)):
        for row in range(labels.shape[2]):
            for column in range(labels.shape[3]):
                at = (image, slice(None), row, column)
                for task, scores in enumerate((logits[at][:2], logits[at][2:])):
                    label = int(labels[at][task])
                    if label >= 0:
                        found[task].append(torch.logsumexp(scores, 0) - scores[label])
                for task in range(2):
                    if true_depths[at][task] > 0:
                        found[2 + task].append((depths[at][task] - true_depths[at][task]).abs())
                if normals[at].any():
                    found[4].append(1 - vectors[at] @ normals[at] / vectors[at].norm() / normals[at].norm())
    return found


def gradient(loss: Tensor, given: SupervisedProblem) -> Tensor:
    parts = torch.autograd.grad(loss, list(given.model.parameters()), retain_graph=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("unknown", [0.0, 0.4, 0.9])
def test_the_plain_mean_is_the_mean_over_known_pixels_and_so_is_its_gradient(unknown: float) -> None:
    given, samples = problem(), batch(unknown=unknown)
    losses = given.losses(samples)
    assert losses.shape == (COUNT, 5, HEIGHT, WIDTH)
    means = task_means(losses)
    pixels = pixel_losses(given.model(samples.inputs), samples.targets)
    for mean, known in zip(means, pixels, strict=True):
        expected = torch.stack(known).mean()
        torch.testing.assert_close(mean, expected)
        torch.testing.assert_close(gradient(mean, given), gradient(expected, given))


def known_pixels(samples: Batch) -> Tensor:
    labels, depth, normals = samples.targets
    return torch.cat([labels >= 0, depth > 0, normals.norm(dim=1, keepdim=True) > 0.5], 1)


def test_each_pixel_carries_its_own_loss_and_unknown_ones_carry_zero() -> None:
    given, samples = problem(), batch()
    losses, known = given.losses(samples), known_pixels(samples)
    for task, expected in enumerate(pixel_losses(given.model(samples.inputs), samples.targets)):
        inside = known[:, task]
        share = inside.double().mean()
        torch.testing.assert_close(losses[:, task][inside], torch.stack(expected) / share)
        assert not losses[:, task][~inside].any()
        assert (~inside).any()


@pytest.mark.parametrize("empty", [range(5), [0], [3], [4]], ids=str)
def test_a_task_without_any_known_pixel_gives_zero_and_not_nan(empty: Sequence[int]) -> None:
    given, samples = problem(), batch()
    labels, depth, normals = samples.targets
    for task in empty:
        if task < 2:
            labels[:, task] = UNLABELLED
        elif task < 4:
            depth[:, task - 2] = 0
        else:
            normals.zero_()
    losses = given.losses(samples)
    assert gradient(losses.mean(), given).isfinite().all()
    for task in range(5):
        present = task not in empty
        assert losses[:, task].any() == present
        assert gradient(losses[:, task].mean(), given).any() == present


def test_an_image_without_known_pixels_leaves_the_other_images_mean() -> None:
    given, samples = problem(), batch(unknown=0.0)
    given.model.eval()
    expected = task_means(given.losses(Batch(samples.inputs[1:], tuple(t[1:] for t in samples.targets))))
    labels, depth, normals = samples.targets
    labels[0], depth[0], normals[0] = UNLABELLED, 0, 0
    torch.testing.assert_close(task_means(given.losses(samples)), expected)


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.integers(1, 70), st.integers(1, 6), st.sampled_from([torch.float32, torch.float64]))
def test_vectors_of_losses_are_scaled_to_the_same_bits_as_before_there_were_images(
    seed: int, count: int, tasks: int, dtype: torch.dtype
) -> None:
    draw = torch.Generator().manual_seed(seed)
    losses = torch.rand(count, tasks, generator=draw, dtype=dtype)
    labelled = torch.rand(count, tasks, generator=draw) < torch.rand(tasks, generator=draw)
    share = labelled.mean(0, dtype=dtype)
    assert torch.equal(scaled(losses * labelled, labelled), losses * labelled / share.clamp(min=1 / count))


def test_images_are_scaled_as_the_vectors_of_their_pixels() -> None:
    losses, labelled = torch.rand(3, 2, 5, 7), torch.rand(3, 2, 5, 7) < 0.3
    losses *= labelled
    rows = scaled(losses.movedim(1, -1).flatten(0, 2), labelled.movedim(1, -1).flatten(0, 2))
    torch.testing.assert_close(scaled(losses, labelled), rows.view(3, 5, 7, 2).movedim(-1, 1))


# --- the losses of single pixels


def pixel(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.double).view(1, -1, 1, 1)


@pytest.mark.parametrize(
    ("predicted", "normal", "loss"),
    [
        ((2.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.0),
        ((0.0, 3.0, 0.0), (1.0, 0.0, 0.0), 1.0),
        ((-0.5, 0.0, 0.0), (1.0, 0.0, 0.0), 2.0),
        ((1.0, 1.0, 0.0), (1.0, 0.0, 0.0), 1 - math.sqrt(0.5)),
        ((1.0, 0.0, 0.0), (math.sqrt(0.5), -math.sqrt(0.5), 0.0), 1 - math.sqrt(0.5)),  # components that sum to 0
        ((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0),
        ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.0),
        ((1.0, 0.0, 0.0), (math.nan, 0.0, 0.0), 0.0),
    ],
)
def test_the_loss_of_a_normal(predicted: tuple[float, ...], normal: tuple[float, ...], loss: float) -> None:
    outputs = pixel(*predicted).requires_grad_()
    found = Normals().losses(outputs, pixel(*normal))
    assert found.shape == (1, 1, 1, 1)
    assert found.item() == pytest.approx(loss, abs=1e-12)
    found.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
    assert bool(Normals().labelled(pixel(*normal))) == (any(normal) and math.nan not in normal)


@pytest.mark.parametrize(
    ("predicted", "target", "loss"),
    [(2.5, 2.0, 0.5), (1.0, 2.0, 1.0), (-1.0, 2.0, 3.0), (1.0, 0.0, 0.0), (1.0, -2.0, 0.0), (1.0, math.nan, 0.0)],
)
def test_the_loss_of_a_depth(predicted: float, target: float, loss: float) -> None:
    outputs = pixel(predicted).requires_grad_()
    found = Depth().losses(outputs, pixel(target))
    assert found.item() == loss
    found.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.item() == (math.copysign(1, predicted - target) if loss else 0)


def test_the_released_losses_of_depth_and_normals_are_these_on_unit_vectors() -> None:
    given, samples = problem(), batch()
    depths, vectors = (output.detach() for output in given.model(samples.inputs)[1:])
    _, depth, normals = samples.targets
    means = task_means(given.losses(samples))
    mask = (depth[:, :1] > 0).double()
    torch.testing.assert_close(means[2], ((depths[:, :1] - depth[:, :1]).abs() * mask).sum() / mask.sum())
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    pixels = (normals.abs().sum(1) > 0).sum()
    torch.testing.assert_close(means[4], 1 - (unit * normals).sum() / pixels)


@pytest.mark.parametrize("labels", [torch.int8, torch.int16, torch.int32, torch.int64])
def test_targets_may_be_stored_small(labels: torch.dtype) -> None:
    given, samples = problem(), batch()
    given.model.float().eval()
    classes, depth, normals = samples.targets
    images = samples.inputs.float()
    halves = depth.half(), normals.half()
    small = given.losses(Batch(images, (classes.to(labels), *halves)))
    whole = given.losses(Batch(images, (classes, *(half.float() for half in halves))))
    assert small.dtype == torch.float32
    assert torch.equal(small, whole)


def test_losses_are_whole_where_outputs_are_halves() -> None:
    groups = (*GROUPS, Binary(("there", "bright"), scale=0.3), Regression(("height",)))
    trunk = nn.Conv2d(3, 6, 3, padding=1)
    model = MultiHead(trunk, [nn.Conv2d(6, group.outputs, 1) for group in groups], loss_images=True)
    given, samples = SupervisedProblem(model, groups), batch()
    labels, depth, normals = samples.targets
    targets = (labels, depth.float(), normals.float(), (depth > 0.5).float(), normals[:, :1].float())
    with torch.autocast("cpu", torch.bfloat16):
        outputs = model(samples.inputs.float())
        losses = given.losses(Batch(samples.inputs.float(), targets))
    assert {output.dtype for output in outputs} == {torch.bfloat16}
    expected = [
        group.losses(output.float(), target) for group, output, target in zip(groups, outputs, targets, strict=True)
    ]
    known = [group.labelled(target) for group, target in zip(groups, targets, strict=True)]
    torch.testing.assert_close(losses, scaled(torch.cat(expected, 1), torch.cat(known, 1)), rtol=1e-6, atol=1e-7)


# --- what reads loss images


def test_the_slope_of_loss_images_is_that_of_reverse_mode() -> None:
    given, samples = problem(), batch()
    params = dict(given.model.named_parameters())
    direction = {name: torch.randn_like(value) for name, value in params.items()}
    losses, slopes = directional_derivative(lambda p: given.losses(samples, params=p), params, direction)
    assert losses.shape == slopes.shape == (COUNT, 5, HEIGHT, WIDTH)
    along = torch.cat([direction[name].flatten() for name in params])
    for mean, slope in zip(task_means(given.losses(samples)), task_means(slopes), strict=True):
        torch.testing.assert_close(slope, gradient(mean, given) @ along)


def test_a_record_of_images_keeps_means_over_the_batches_that_hold_a_label() -> None:
    kept, images = Losses(), [torch.rand(2, 3, 4, 5) for _ in range(3)]
    images[1][:, 2] = 0
    for losses in images:
        kept.add(losses)
    means = torch.stack([task_means(losses) for losses in images])
    expected = torch.stack([means[:, 0].mean(), means[:, 1].mean(), means[[0, 2], 2].mean()])
    torch.testing.assert_close(kept.means(), expected)
    assert torch.equal(kept.samples(), images[-1])


def dense_network() -> SupervisedProblem:
    torch.manual_seed(4)
    groups = (Classification({"segmentation": 3}), Depth(), Normals())
    return SupervisedProblem(segnet([group.outputs for group in groups], widths=(4, 4, 4, 4, 4)), groups)


def scene(*, count: int = 3) -> Batch:
    samples = batch(size=(32, 32), count=count)
    labels, depth, normals = samples.targets
    return Batch(samples.inputs.float(), (labels[:, :1], depth[:, :1].float(), normals.float()))


def cloud(*, count: int = 3) -> Batch:
    points = torch.randn(count, 3, 12)
    parts = (points[:, :1, :, None] > 0).long()
    return Batch(points, (torch.cat([parts, 1 - parts], 1),))


def point_network() -> SupervisedProblem:
    groups = (Classification({"part": 2, "other": 2}),)
    return SupervisedProblem(pointnet([4], widths=(8, 8), joint=(8, 8)), groups)


@pytest.mark.parametrize("name", ["equal", "gradnorm", "gcs", "auxilearn-linear", "auxilearn-convnet"])
@pytest.mark.parametrize(("make", "draw"), [(dense_network, scene), (point_network, cloud)], ids=["images", "points"])
def test_methods_train_on_loss_images(name: str, make: Any, draw: Any) -> None:
    given: SupervisedProblem = make()
    kind = baselines.load(name)
    if (declined := kind.declines(given)) is not None:
        assert name == "auxilearn-convnet"
        assert not given.loss_images
        assert "loss images" in declined
        return
    method: Method = kind(given)
    optimizer, data = torch.optim.Adam(given.model.parameters(), lr=0.01), draw()
    losses = given.losses(data)
    first = task_means(losses)[0].item()
    for _ in range(5):
        if method.outer_every:
            method.outer_step(data, draw(count=2), lr=0.01)
        optimizer.zero_grad()
        losses = method.backward(data)
        optimizer.step()
        method.step(data)
    assert losses.dim() == 4
    assert method.weights(losses).shape == (given.n_tasks,)
    assert task_means(losses)[0].item() < first


def test_groups_name_their_tasks_and_count_their_channels() -> None:
    given = problem()
    assert given.task_names == ("coarse", "fine", "depth", "disparity", "normals")
    assert given.task_kinds == ("classification", "classification", "regression", "regression", "regression")
    assert [group.outputs for group in GROUPS] == [6, 2, 3]
    assert Depth().names == ("depth",)
