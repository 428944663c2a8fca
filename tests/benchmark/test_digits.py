"""The digits suite: sizes, shots and labels worked out by hand."""

import gzip
import hashlib
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from benchmark import suites
from benchmark.data import Data
from benchmark.metrics import top_k
from benchmark.suites.digits import Digits

BY_HAND = {  # digit: parity, at least five, prime, closed loop
    0: (0, 0, 0, 1),
    1: (1, 0, 0, 0),
    2: (0, 0, 1, 0),
    3: (1, 0, 1, 0),
    4: (0, 0, 0, 0),
    5: (1, 1, 1, 0),
    6: (0, 1, 0, 1),
    7: (1, 1, 1, 0),
    8: (0, 1, 0, 1),
    9: (1, 1, 0, 1),
}
SHOTS = pytest.mark.parametrize("shots", [5, 10])


@cache
def suite() -> Digits:
    found = suites.load("digits")
    assert isinstance(found, Digits)
    return found


@cache
def data(shots: int, seed: int = 1) -> Data:
    return suite().data(f"{shots}-shot", seed)


@cache
def raw() -> tuple[np.ndarray, np.ndarray]:
    """Return images and digits as scikit-learn reads them."""
    images, digits = load_digits(return_X_y=True)
    return np.asarray(images), np.asarray(digits)


@cache
def truth() -> Tensor:
    return torch.from_numpy(raw()[1])


def targets(given: Data) -> Tensor:
    return given.samples.targets[0]


def per_class(index: Tensor) -> list[int]:
    return truth()[index].bincount(minlength=10).tolist()


@SHOTS
def test_sizes_are_exact_and_sets_are_stratified(shots: int) -> None:
    given = data(shots)
    assert per_class(given.test) == [60] * 10
    assert per_class(given.validation) == [30] * 10
    assert per_class(given.auxiliary) == [shots // 5] * 10
    assert sum(len(part) for part in (given.train, given.auxiliary, given.validation, given.test)) == 1797


@SHOTS
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_main_labels_of_exactly_so_many_images_a_class_and_right_ones(shots: int, seed: int) -> None:
    given = data(shots, seed)
    training = torch.cat([given.train, given.auxiliary])
    main = targets(given)[training, 0]
    known = main >= 0
    assert per_class(training[known]) == [shots] * 10
    assert torch.equal(main[known], truth()[training[known]])
    judged = torch.cat([given.validation, given.test])
    assert torch.equal(targets(given)[judged, 0], truth()[judged])


def test_seeds_label_other_images() -> None:
    first, second = (targets(data(5, seed))[:, 0] for seed in (1, 2))
    assert not torch.equal(first, second)


@SHOTS
def test_useful_labels_of_all_images_are_those_of_the_digit(shots: int) -> None:
    expected = torch.tensor([BY_HAND[digit] for digit in truth().tolist()])
    assert torch.equal(targets(data(shots))[:, 1:5], expected)
    assert suite().groups[0].names[1:5] == ("parity", "at least five", "prime", "loop")


def chi_squared(labels: Tensor) -> float:
    """Return the statistic of independence of 10 labels and 10 digits; 81 degrees of freedom."""
    table = torch.zeros(10, 10).index_put_((truth(), labels), torch.ones(len(labels)), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0, keepdim=True) / table.sum()
    return float(((table - expected).square() / expected).sum())


@pytest.mark.parametrize("column", [5, 6])
def test_harmful_labels_do_not_depend_on_the_digit_nor_on_setting_and_seed(column: int) -> None:
    labels = targets(data(5))[:, column]
    assert chi_squared(labels) < 126  # the 99.9th percentile
    assert chi_squared(truth()) > 1e4
    for shots, seed in ((5, 2), (10, 1)):
        assert torch.equal(labels, targets(data(shots, seed))[:, column])


def test_shuffled_labels_are_a_permutation_of_the_digits_and_random_ones_are_not() -> None:
    random, shuffled = targets(data(5))[:, 5:].unbind(1)
    assert torch.equal(shuffled.bincount(), truth().bincount())
    assert not torch.equal(random.bincount(), truth().bincount())
    assert (shuffled == truth()).float().mean() < 0.2
    assert sorted(random.unique().tolist()) == list(range(10))


def test_inputs_are_the_images_in_scikit_learns_order() -> None:
    inputs = data(5).samples.inputs
    assert torch.equal(inputs * 8 + 8, torch.from_numpy(raw()[0]).float())
    assert (inputs.min(), inputs.max()) == (-1, 1)


def test_the_file_that_is_fingerprinted_is_the_one_that_load_digits_reads() -> None:
    path = Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    content = path.read_bytes()
    assert suite().fingerprint() == hashlib.sha256(content).hexdigest()[:16]
    table = np.loadtxt(io.BytesIO(gzip.decompress(content)), delimiter=",")
    assert np.array_equal(table, np.column_stack(raw()))


def test_metrics_judge_the_digit_and_nothing_else() -> None:
    given = data(5)
    batch = given.at(given.test)
    model = suite().problem("5-shot", 0).model
    logits = model(batch.inputs)[0][:, :10]
    found = suite().measure("5-shot", model, given.chunks(given.test))
    counts = top_k(logits, truth()[given.test], (1, 3)).tolist()
    assert found == {"top1": pytest.approx(counts[0] / 600), "top3": pytest.approx(counts[1] / 600)}
