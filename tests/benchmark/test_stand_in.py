"""Stand-ins have the size and shape of the official data, little memory, and labels that suites can read."""

from dataclasses import replace

import pytest
import torch

from benchmark import stand_in, suites
from benchmark.cache import Split
from benchmark.dataset import Content, numbered
from benchmark.spec import is_sample
from benchmark.suites.mnist import MNIST

CONTENT = Content(
    splits={Split.TRAIN: 7, Split.TEST: 4, Split.VALIDATION: 2},
    arrays={
        "image": ("uint8", (3, 5, 4)),
        "label": ("int64", ()),
        "seen": ("uint8", (6,)),
        "part": ("int8", (9,)),
        "depth": ("float32", (1, 5, 4)),
    },
    names={"label": numbered(3), "seen": tuple("abcdef"), "part": ("leg", "seat")},
)


def test_shapes_types_and_length_are_the_announced_ones() -> None:
    made = stand_in.stand_in("some", CONTENT)
    assert {name: tuple(array.shape) for name, array in made.tensors.items()} == {
        "split": (13,), "image": (13, 3, 5, 4), "label": (13,), "seen": (13, 6), "part": (13, 9), "depth": (13, 1, 5, 4)
    }  # fmt: skip
    assert (made.tensors["image"].dtype, made.tensors["depth"].dtype) == (torch.uint8, torch.float32)
    assert CONTENT.nbytes == made.nbytes == 13 * (1 + 60 + 8 + 6 + 9 + 80)
    assert made.tensors["split"].bincount().tolist() == [7, 4, 2]
    assert made.tensors["image"].untyped_storage().nbytes() < 13 * 60, "one sample for all, not a copy of each"


def test_values_are_ones_that_names_stand_for() -> None:
    made = stand_in.stand_in("some", CONTENT).tensors
    assert made["label"].tolist() == sorted(made["label"].tolist())
    sizes = [made["label"][made["split"] == part].bincount(minlength=3).tolist() for part in CONTENT.splits]
    assert sizes == [[3, 2, 2], [2, 1, 1], [1, 1, 0]], "classes of equal size"
    assert set(made["seen"].unique().tolist()) <= {0, 1}, "names are of columns"
    assert set(made["part"].unique().tolist()) <= {0, 1}, "names are of values"
    assert made["image"].unique().numel() > 10
    assert (made["depth"] > 0).all()


def test_known_sizes_of_classes_are_kept() -> None:
    sizes = {Split.TRAIN: (1, 4, 2), Split.TEST: (0, 3, 1)}
    made = stand_in.stand_in("some", replace(CONTENT, class_sizes=sizes)).tensors
    for part, expected in sizes.items():
        assert tuple(made["label"][made["split"] == part].bincount(minlength=3).tolist()) == expected


def test_a_suite_counts_its_sets_on_it() -> None:
    suite = stand_in.full_size("mnist")
    assert isinstance(suite, MNIST)
    assert not is_sample(suite.fingerprint())
    found = suite.data("5%", 1)
    assert (len(found.train) + len(found.auxiliary), len(found.validation), len(found.test)) == (3000, 6000, 10000)


def test_a_suite_without_data_sets_is_itself_and_one_of_the_users_own_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = stand_in.full_size("digits")
    assert digits is not None
    assert digits.fingerprint() == suites.load("digits").fingerprint()
    monkeypatch.setattr("benchmark.datasets.mnist.MNIST.content", None)
    assert stand_in.full_size("mnist") is None
