"""Draws of samples: sizes exact, shares of classes kept, every class reached."""

from collections import Counter
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.splits import spread, stratified

LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=80).map(torch.tensor)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(labels=LABELS, share=st.fractions(0, 1), seed=st.integers(0, 3))
def test_a_stratified_draw_has_exactly_its_size_and_each_class_its_share(
    labels: torch.Tensor, share: Fraction, seed: int
) -> None:
    size = int(share * len(labels))
    taken = stratified(labels, size, seeded(seed))
    assert taken.dtype == torch.bool
    assert taken.sum() == size
    for label, count in Counter(labels.tolist()).items():
        exact = Fraction(count * size, len(labels))
        assert exact - 1 < Counter(labels[taken].tolist())[label] < exact + 1


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    labels = torch.arange(3).repeat_interleave(torch.tensor([10, 7, 3]))
    taken = stratified(labels, 5, seeded())  # shares of 2.5, 1.75 and 0.75
    assert labels[taken].bincount().tolist() == [2, 2, 1]


def test_a_stratified_draw_is_random_within_classes() -> None:
    labels = torch.arange(2).repeat_interleave(50)
    chosen = torch.stack([stratified(labels, 50, seeded(seed)) for seed in range(200)]).float().mean(0)
    assert chosen.min() > 0.3
    assert chosen.max() < 0.7


@given(labels=LABELS, seed=st.integers(0, 3), data=st.data())
def test_a_spread_draw_reaches_as_many_classes_as_can_be(labels: torch.Tensor, seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(labels)))
    index = spread(labels, size, seeded(seed))
    assert len(index) == len(index.unique()) == size
    assert len(labels[index].unique()) == min(size, len(labels.unique()))


@pytest.mark.parametrize("size", [1, 3])
def test_a_spread_draw_prefers_no_class_and_no_sample(size: int) -> None:
    labels = torch.arange(4).repeat_interleave(torch.tensor([5, 5, 5, 5]))
    counts = torch.zeros(20)
    for seed in range(1000):
        counts[spread(labels, size, seeded(seed))] += 1
    assert (counts / 1000 - size / 20).abs().max() < 0.05
