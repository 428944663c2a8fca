"""The suites on CIFAR for machines without a GPU: sizes, labels hidden, nothing of the paper beside them."""

import pytest
import torch
from torch import Tensor

from benchmark.data import Data
from benchmark.published import published
from benchmark.stand_in import full_size
from benchmark.suite import Suite
from benchmark.tasks import UNLABELLED

SMALL = pytest.mark.parametrize(("small", "full"), [("cifar10-convnet", "cifar10"), ("cifar100-convnet", "cifar100")])


@pytest.fixture(scope="module")
def coarse() -> Suite:
    found = full_size("cifar100-coarse")
    assert found is not None
    return found


def labels(data: Data) -> tuple[Tensor, Tensor]:
    """Return the labels of classes and of coarse classes."""
    (targets,) = data.samples.targets
    return targets[:, 0], targets[:, 1]


@pytest.mark.parametrize(("setting", "shots"), [("5-shot", 5), ("10-shot", 10)])
@pytest.mark.parametrize("seed", [0, 1])
def test_few_labels_of_each_class_and_coarse_ones_of_all(coarse: Suite, setting: str, shots: int, seed: int) -> None:
    data = coarse.data(setting, seed)
    training = torch.cat([data.train, data.auxiliary])
    assert (len(training), len(data.validation), len(data.test)) == (45_000, 5_000, 10_000)
    fine, given = labels(data)
    shown = fine[training]
    assert (shown[shown != UNLABELLED].bincount(minlength=100) == shots).all()
    tensors = coarse.prepared("cifar100").tensors
    truth = tensors["label"].long()
    assert torch.equal(given, tensors["coarse"].long()), "every image has its coarse label"
    assert torch.equal(fine[data.validation], truth[data.validation])
    assert torch.equal(fine[data.test], truth[data.test])
    assert (truth[data.validation].bincount() == 50).all()


def test_the_auxiliary_set_is_that_of_table_1(coarse: Suite) -> None:
    data = coarse.data("5-shot", 3)
    fine, _ = labels(data)
    assert len(data.auxiliary) == len(fine[data.auxiliary].unique()) == 20
    assert (fine[data.auxiliary] != UNLABELLED).all()


def test_labels_follow_from_the_seed_and_validation_from_the_suite(coarse: Suite) -> None:
    first, other, more = coarse.data("5-shot", 1), coarse.data("5-shot", 2), coarse.data("10-shot", 2)
    assert not torch.equal(labels(first)[0], labels(other)[0])
    assert torch.equal(first.validation, other.validation)
    assert torch.equal(first.validation, more.validation)


@SMALL
def test_the_small_suite_has_the_sizes_of_the_full_one(small: str, full: str) -> None:
    one, other = full_size(small), full_size(full)
    assert one is not None
    assert other is not None
    assert one.settings == other.settings
    for setting in one.settings:
        mine, theirs = one.data(setting, 1), other.data(setting, 1)
        for part in ("train", "auxiliary", "validation", "test"):
            assert len(getattr(mine, part)) == len(getattr(theirs, part))


@SMALL
def test_its_network_is_small_and_no_published_number_stands_beside_it(small: str, full: str) -> None:
    one, other = full_size(small), full_size(full)
    assert one is not None
    assert other is not None
    sizes = [sum(p.numel() for p in suite.model("5%").parameters()) for suite in (one, other)]
    assert 20 * sizes[0] < sizes[1]
    assert one.epochs < other.epochs
    assert len(published(full))
    assert not len(published(small))
