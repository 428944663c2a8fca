"""The label generator and the loss on its labels."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from auxilearn.generators import LabelGenerator, LabelSource, masked_softmax, soft_target_loss
from tests.problems import TinyProblem


@pytest.mark.parametrize("subclasses", [(5, 5, 5), (1, 4, 2)])
def test_the_mass_lies_on_the_own_classs_subclasses(subclasses: tuple[int, ...]) -> None:
    generator = LabelGenerator(nn.Linear(4, sum(subclasses)), subclasses)
    labels = torch.tensor([0, 1, 2, 1])
    soft = generator(torch.randn(4, 4), labels)
    blocks = soft.split(list(subclasses), 1)
    for row, label in enumerate(labels.tolist()):
        for owner, block in enumerate(blocks):
            assert float(block[row].sum().detach()) == pytest.approx(float(owner == label))
            assert bool((block[row] == 0).all()) == (owner != label)


def test_the_masked_softmax_is_the_softmax_of_what_is_kept() -> None:
    logits, mask = torch.randn(3, 6), torch.tensor([True, False, True, True, False, False]).expand(3, -1)
    torch.testing.assert_close(masked_softmax(logits, mask)[:, [0, 2, 3]], logits[:, [0, 2, 3]].softmax(1))


@pytest.mark.parametrize("size", [(4,), (2, 3)])
def test_the_labels_of_points_are_those_of_as_many_samples(size: tuple[int, ...]) -> None:
    inputs, labels = torch.randn(5, 4, *size), torch.randint(3, (5, *size))
    kernel = (1,) * len(size)
    layer = (nn.Conv1d if len(size) == 1 else nn.Conv2d)(4, 7, kernel)  # type: ignore[arg-type]
    found = LabelGenerator(layer, (2, 4, 1))(inputs, labels)
    logits = layer(inputs)
    assert found.shape == (5, 7, *size)
    for sample, *place in torch.cartesian_prod(*map(torch.arange, (5, *size))).tolist():
        start, end = ((0, 2), (2, 6), (6, 7))[int(labels[(sample, *place)])]
        expected = torch.zeros(7)
        expected[start:end] = logits[(sample, slice(start, end), *place)].exp()
        torch.testing.assert_close(found[(sample, slice(None), *place)], expected / expected.sum())


def test_the_losses_of_points_are_those_of_as_many_samples() -> None:
    logits, targets = torch.randn(5, 3, 2, 4), torch.rand(5, 3, 2, 4)
    found = soft_target_loss(logits, targets)
    rows = (values.movedim(1, -1).reshape(-1, 3) for values in (logits, targets))
    torch.testing.assert_close(found.flatten(), soft_target_loss(*rows))
    assert found.shape == (5, 2, 4)


def test_without_focus_it_is_cross_entropy() -> None:
    logits, labels = torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2])
    found = soft_target_loss(logits, F.one_hot(labels, 4).float(), focus=0, scale=0.5)
    torch.testing.assert_close(found, 0.5 * F.cross_entropy(logits, labels, reduction="none"))


@pytest.mark.parametrize("focus", [0.5, 1.0, 2.0])
def test_the_focal_loss_is_its_formula(focus: float) -> None:
    logits, targets = torch.randn(5, 4).double(), torch.rand(5, 4).double()
    p = logits.softmax(1)
    expected = -0.25 * (targets * (1 - p) ** focus * p.log()).sum(1)
    torch.testing.assert_close(soft_target_loss(logits, targets, focus=focus, scale=0.25), expected)


@pytest.mark.parametrize("focus", [0.0, 0.5, 2.0])
def test_sure_predictions_have_finite_gradients(focus: float) -> None:
    logits = torch.tensor([[200.0, 0.0, -200.0], [0.0, 90.0, 0.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    soft_target_loss(logits, targets, focus=focus).sum().backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_a_problem_says_by_its_parts_that_labels_can_be_generated() -> None:
    assert isinstance(TinyProblem(subclasses=(2, 2)), LabelSource)
    assert not isinstance(nn.Linear(1, 1), LabelSource)
