"""Metrics of dense tasks: worked out by hand, the slow obvious way, and against other libraries."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.functional.segmentation import mean_iou

from benchmark.data import Batch
from benchmark.metrics import DepthScore, NormalScore, PartScore, Score, SegmentationScore, evaluate
from benchmark.metrics.segmentation import confusion
from benchmark.tasks import UNLABELLED

VOID = UNLABELLED


def logits(predicted: Tensor, classes: int) -> Tensor:
    """Return outputs (B, classes, ...) that predict these classes (B, ...)."""
    return nn.functional.one_hot(predicted, classes).movedim(-1, 1).float()


def draw(seed: int, *, classes: int, count: int = 5, size: tuple[int, int] = (4, 3)) -> tuple[Tensor, Tensor]:
    """Return predictions and labels (B, H, W), some void, not every class in every image."""
    stream = torch.Generator().manual_seed(seed)
    upper = torch.randint(1, classes + 1, (count, 1, 1), generator=stream)
    predicted, labels = (torch.randint(classes, (count, *size), generator=stream) % upper for _ in range(2))
    labels[torch.rand(count, *size, generator=stream) < 0.2] = VOID
    return predicted, labels


def scored(score: Score, *batches: tuple[Tensor, Tensor]) -> dict[str, float]:
    for outputs, targets in batches:
        score.update(outputs, targets)
    return score.compute()


def segmentation(predicted: Tensor, labels: Tensor, classes: int, *, chunk: int = 2) -> dict[str, float]:
    parts = zip(logits(predicted, classes).split(chunk), labels[:, None].split(chunk), strict=True)
    return scored(SegmentationScore(classes), *parts)


# --- segmentation


def test_segmentation_by_hand() -> None:
    labels = torch.tensor([[[0, 0, 1, VOID]], [[1, 1, 1, 1]], [[VOID] * 4]])
    predicted = torch.tensor([[[0, 1, 1, 1]], [[1, 1, 0, 0]], [[0, 1, 2, 2]]])
    found = segmentation(predicted, labels, 3)
    # first image: class 0 is 1 / 2, class 1 is 1 / 3, the void pixel in its union; second: 0 / 2 and 2 / 4
    assert found["miou_per_image"] == pytest.approx(((1 / 2 + 1 / 3) / 2 + (0 + 2 / 4) / 2) / 2)
    # over the data set, without void: class 0 is 1 / 4, class 1 is 3 / 6; class 2 is nowhere
    assert found["miou"] == pytest.approx((1 / 4 + 3 / 6) / 2)
    assert found["pixel_accuracy"] == pytest.approx(4 / 7)
    assert found["pixel_accuracy_per_image"] == pytest.approx((2 / 3 + 2 / 4) / 2)


def slow(predicted: Tensor, labels: Tensor, classes: int) -> dict[str, float]:
    """Return the metrics by sets of pixels."""

    def pixels(image: Tensor, value: int) -> set[tuple[int, ...]]:
        return {tuple(place) for place in (image == value).nonzero().tolist()}

    mious, accuracies = [], []
    for guess, truth in zip(predicted, labels, strict=True):
        pairs = [(pixels(guess, c), pixels(truth, c)) for c in range(classes)]
        ratios = [len(a & b) / len(a | b) for a, b in pairs if a | b]
        labelled = int((truth != VOID).sum())
        if labelled:
            mious.append(sum(ratios) / len(ratios))
            accuracies.append(int((guess == truth).sum()) / labelled)
    known = labels != VOID
    guess, truth = predicted[known].numpy(), labels[known].numpy()
    present = np.union1d(guess, truth)
    return {
        "miou_per_image": float(np.mean(mious)),
        "pixel_accuracy_per_image": float(np.mean(accuracies)),
        "miou": sklearn.metrics.jaccard_score(truth, guess, labels=present, average="macro"),
        "pixel_accuracy": float((guess == truth).mean()),
    }


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_segmentation_is_that_of_sets_of_pixels(seed: int, classes: int) -> None:
    predicted, labels = draw(seed, classes=classes)
    labels[0] = VOID
    labels[1, 0, 0] = 0
    assert segmentation(predicted, labels, classes) == pytest.approx(slow(predicted, labels, classes), abs=1e-6)


def test_per_image_miou_is_torchmetrics_functional_one_where_every_pixel_has_a_label() -> None:
    predicted, labels = draw(3, classes=5)
    labels = labels.clamp(min=0)
    expected = mean_iou(predicted, labels, num_classes=5, input_format="index")
    assert segmentation(predicted, labels, 5)["miou_per_image"] == pytest.approx(expected.mean().item())


def test_perfect_wrong_and_constant_predictions() -> None:
    _, labels = draw(4, classes=4)
    truth = labels.clamp(min=0)
    perfect = segmentation(truth, truth, 4)
    assert set(perfect.values()) == {1.0}
    assert set(segmentation((truth + 1) % 4, truth, 4).values()) == {0.0}
    constant = segmentation(torch.zeros_like(truth), truth, 4)
    share = (truth == 0).float().mean().item()
    assert constant["pixel_accuracy"] == pytest.approx(share)
    assert constant["miou"] == pytest.approx(share / len(truth.unique()))


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int64])
def test_segmentation_reads_the_first_task_of_its_group_and_labels_of_any_type(dtype: torch.dtype) -> None:
    predicted, labels = draw(5, classes=3)
    outputs = torch.cat([logits(predicted, 3), torch.full((5, 2, 4, 3), 9.0)], 1)
    targets = torch.stack([labels, torch.full_like(labels, 1)], 1).to(dtype)
    found = scored(SegmentationScore(3), (outputs.bfloat16(), targets))
    assert found == pytest.approx(slow(predicted, labels, 3), abs=1e-6)


def test_nothing_labelled_is_no_number() -> None:
    nothing = torch.full((2, 3, 3), VOID)
    found = segmentation(torch.zeros_like(nothing), nothing, 3)
    assert math.isnan(found["miou_per_image"])
    assert math.isnan(found["pixel_accuracy_per_image"])


@pytest.mark.parametrize("label", [3, -2, 100])
def test_labels_of_no_class_are_refused(label: int) -> None:
    with pytest.raises(ValueError, match=f"labels must be below 3, or -1; found .*{label}"):
        confusion(torch.zeros(1, 2, dtype=torch.long), torch.tensor([[0, label]]), 3)


def test_confusion_counts_each_image_apart() -> None:
    predicted, labels = draw(6, classes=3)
    counts = confusion(predicted, labels, 3)
    assert counts.shape == (5, 4, 3)
    for image in range(5):
        for row, label in enumerate((0, 1, 2, VOID)):
            for column in range(3):
                both = (labels[image] == label) & (predicted[image] == column)
                assert counts[image, row, column] == both.sum()


# --- depth


def test_depth_by_hand() -> None:
    targets = torch.tensor([[[[2.0, 0.0], [4.0, 1.0]]]])
    outputs = torch.tensor([[[[3.0, 9.0], [3.0, 1.0]]]])
    found = scored(DepthScore(), (outputs, targets))
    assert found == {
        "depth_absolute_error": pytest.approx(2 / 3),
        "depth_relative_error": pytest.approx((1 / 2 + 1 / 4) / 3),
    }


def test_depth_is_over_all_known_pixels_of_all_batches() -> None:
    targets = torch.rand(6, 2, 5, 4) + 0.2
    outputs = torch.rand(6, 2, 5, 4)
    targets[torch.rand(6, 2, 5, 4) < 0.3] = 0
    targets[:2] = 0  # a batch without any
    targets[5, 0, 0, 0] = math.nan
    found = scored(DepthScore("disparity"), *zip(outputs.split(2), targets.split(2), strict=True))
    known = targets[:, 0] > 0
    error = (outputs[:, 0] - targets[:, 0]).abs()[known]
    assert found == {
        "disparity_absolute_error": pytest.approx(error.mean().item(), rel=1e-5),
        "disparity_relative_error": pytest.approx((error / targets[:, 0][known]).mean().item(), rel=1e-5),
    }


# --- normals


def vectors_at(*degrees: float) -> Tensor:
    """Return vectors (1, 3, 1, N) at these angles from the first axis."""
    radians = torch.tensor(degrees, dtype=torch.double).deg2rad()
    return torch.stack([radians.cos(), radians.sin(), torch.zeros_like(radians)])[None, :, None]


def normals(*degrees: float, length: float = 1.0) -> dict[str, float]:
    return scored(NormalScore(), (length * vectors_at(*degrees), vectors_at(*[0.0] * len(degrees))))


@pytest.mark.parametrize("length", [0.01, 1.0, 250.0])
def test_normals_by_hand(length: float) -> None:
    found = normals(5.0, 20.0, 25.0, 60.0, 170.0, length=length)
    assert found == {
        "normals_mean_angle": pytest.approx(56.0, abs=1e-4),
        "normals_median_angle": pytest.approx(25.0, abs=0.011),
        "normals_within_11.25": pytest.approx(0.2),
        "normals_within_22.5": pytest.approx(0.4),
        "normals_within_30": pytest.approx(0.6),
    }


@pytest.mark.parametrize("angle", [0.0, 0.02, 0.3, 90.0, 179.98, 180.0])
def test_angles_are_exact_at_both_ends(angle: float) -> None:
    assert normals(angle)["normals_mean_angle"] == pytest.approx(angle, abs=2e-5)


def test_a_vector_of_no_direction_is_at_a_right_angle() -> None:
    found = scored(NormalScore(), (torch.zeros(1, 3, 1, 4), vectors_at(0, 0, 0, 0)))
    assert found["normals_mean_angle"] == 90
    assert found["normals_within_30"] == 0


def test_no_number_stays_no_number() -> None:
    found = scored(NormalScore(), (torch.full((1, 3, 1, 2), math.nan), vectors_at(0, 0)))
    assert math.isnan(found["normals_mean_angle"])
    assert found["normals_within_30"] == 0


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 40))
def test_the_median_is_off_by_half_a_bin_at_most(seed: int, count: int) -> None:
    stream = torch.Generator().manual_seed(seed)
    angles = 180 * torch.rand(count, generator=stream) ** 2
    found = normals(*angles.tolist())["normals_median_angle"]
    assert found == pytest.approx(angles.median().item(), abs=0.005 + 1e-3)
    assert round(found * 1000) % 10 == 5  # the middle of a bin


def test_normals_are_over_known_pixels_of_all_batches() -> None:
    outputs, targets = torch.randn(6, 3, 5, 4), torch.randn(6, 3, 5, 4)
    known = torch.rand(6, 1, 5, 4) < 0.6
    known[:2] = False
    targets = nn.functional.normalize(targets, dim=1) * known
    found = scored(NormalScore(), *zip(outputs.split(2), targets.split(2), strict=True))
    cosine = nn.functional.cosine_similarity(outputs, targets, dim=1)[known[:, 0]]
    expected = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    assert found["normals_mean_angle"] == pytest.approx(expected.mean().item(), rel=1e-4)
    for limit in (11.25, 22.5, 30):
        share = (expected < limit).float().mean().item()
        assert found[f"normals_within_{limit:g}"] == pytest.approx(share)


def test_no_normals_are_no_number() -> None:
    found = scored(NormalScore(), (torch.randn(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)))
    assert len(found) == 5
    assert all(math.isnan(value) for value in found.values())


# --- parts


def parts(
    predicted: Sequence[Sequence[int]], labels: Sequence[Sequence[int]], owned: Sequence[int]
) -> dict[str, float]:
    guess, truth = torch.tensor(predicted), torch.tensor(labels)
    outputs = logits(guess, sum(owned))[..., None]
    return scored(PartScore(owned), (outputs, truth[:, None, :, None]))


def test_parts_by_hand() -> None:
    # two categories, of 2 and 3 parts; the first shape is of the first, the others of the second
    labels = [[0, 0, 1, 1], [2, 2, 2, 3], [VOID, 4, 4, 4]]
    predicted = [[0, 1, 1, 1], [2, 2, 3, 3], [2, 4, 4, 4]]
    ious = [(1 / 2 + 2 / 3) / 2, (2 / 3 + 1 / 2 + 1) / 3, (1 + 1 + 1) / 3]
    found = parts(predicted, labels, (2, 3))
    assert found["instance_miou"] == pytest.approx(sum(ious) / 3)
    assert found["point_accuracy"] == pytest.approx((3 / 4 + 3 / 4 + 1) / 3)


def test_parts_of_other_categories_do_not_compete() -> None:
    outputs = torch.tensor([[9.0, 9.0, 2.0, 1.0], [9.0, 9.0, 1.0, 2.0]]).T[None, :, :, None]
    found = scored(PartScore((2, 2)), (outputs, torch.tensor([2, 3]).view(1, 1, 2, 1)))
    assert found == {"instance_miou": 1.0, "point_accuracy": 1.0}


def test_parts_are_the_first_task_of_their_group() -> None:
    predicted, labels = (values.flatten(1)[..., None] for values in draw(8, classes=3))
    outputs = torch.cat([logits(predicted, 3), torch.full((5, 2, 12, 1), 9.0)], 1)
    targets = torch.stack([labels, torch.zeros_like(labels)], 1)
    alone = scored(PartScore([3]), (logits(predicted, 3), labels[:, None]))
    assert scored(PartScore([3]), (outputs, targets.to(torch.int8))) == alone


def slow_parts(predicted: Tensor, labels: Tensor, count: int) -> float:
    """Return instance mIoU of one category by sets of points."""
    mious = []
    for guess, truth in zip(predicted, labels, strict=True):
        if (truth == VOID).all():
            continue
        known = truth != VOID
        ratios = []
        for part in range(count):
            mine, real = ((values == part) & known for values in (guess, truth))
            union = int((mine | real).sum())
            ratios.append(int((mine & real).sum()) / union if union else 1.0)
        mious.append(sum(ratios) / count)
    return sum(mious) / len(mious)


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_instance_miou_is_that_of_sets_of_points(seed: int, count: int) -> None:
    predicted, labels = (values.flatten(1) for values in draw(seed, classes=count))
    labels[0] = VOID
    labels[1, 0] = 0
    outputs, targets = logits(predicted, count)[..., None], labels[:, None, :, None]
    found = scored(PartScore([count]), *zip(outputs.split(2), targets.split(2), strict=True))
    assert found["instance_miou"] == pytest.approx(slow_parts(predicted, labels, count))


# --- over a data set


class Echo(nn.Module):
    """A network whose outputs are given as inputs, (B, 3 + 1 + 3, H, W)."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        return inputs.split([3, 1, 3], 1)


def scenes(count: int = 6) -> Batch:
    predicted, labels = draw(7, classes=3, count=count)
    depth = torch.rand(count, 1, 4, 3) + 0.1
    directions = nn.functional.normalize(torch.randn(count, 3, 4, 3), dim=1)
    inputs = torch.cat([logits(predicted, 3), torch.rand(count, 1, 4, 3), torch.randn(count, 3, 4, 3)], 1)
    return Batch(inputs, (labels[:, None], depth, directions))


def chunks(data: Batch, size: int) -> Iterator[Batch]:
    for start in range(0, len(data.inputs), size):
        part = slice(start, start + size)
        yield Batch(data.inputs[part], tuple(target[part] for target in data.targets))


def test_one_pass_measures_every_group_and_the_size_of_batches_does_not_matter() -> None:
    data = scenes()
    results = []
    for size in (1, 4, 6):
        made: list[Score] = [SegmentationScore(3), DepthScore(), NormalScore()]
        results.append(evaluate(Echo(), chunks(data, size), made))
    assert len(results[0]) == 4 + 2 + 5
    for other in results[1:]:
        assert other == pytest.approx(results[0], rel=1e-5)


def test_groups_without_a_score_are_not_measured() -> None:
    data = scenes()
    found = evaluate(Echo(), chunks(data, 4), [None, DepthScore()])
    assert found == pytest.approx(scored(DepthScore(), (data.inputs[:, 3:4], data.targets[1])), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "group"),
    [(lambda: SegmentationScore(3), 0), (DepthScore, 1), (NormalScore, 2), (lambda: PartScore([3]), 0)],
)
def test_memory_does_not_grow_with_the_batches(make: Callable[[], Score], group: int) -> None:
    score, data = make(), scenes()
    outputs, targets = list(Echo()(data.inputs))[group], data.targets[group]

    def held() -> int:
        found = [value for value in vars(score).values() if isinstance(value, Tensor)]
        metrics: list[Any] = [value for value in vars(score).values() if isinstance(value, Metric)]
        metrics += [m for value in vars(score).values() if isinstance(value, dict) for m in value.values()]
        found += [state for metric in metrics for state in metric.metric_state.values()]
        lists = [value for value in vars(score).values() if isinstance(value, list)]
        assert not lists
        return sum(tensor.numel() for tensor in found)

    score.update(outputs, targets)
    before = held()
    for _ in range(3):
        score.update(outputs, targets)
    assert held() == before
