"""The ShapeNet suite: its sets, its network and that it learns."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import suites
from benchmark.cache import Arrays, Split, open_or_decode
from benchmark.datasets._shapenet_categories import PARTS
from benchmark.models.pointnet import JOINT_WIDTHS, POINT_WIDTHS
from benchmark.places import Places
from benchmark.spec import Spec
from benchmark.suite import Suite
from benchmark.train import Training

SIZES = {Split.TRAIN: 50, Split.VALIDATION: 4, Split.TEST: 5}
SETS = ("train", "auxiliary", "validation", "test")


@pytest.fixture
def full(tmp_path: Path) -> Suite:
    """Return the suite on decoded data that are not a sample: two categories, the place of a point its number."""
    splits = [split for split, size in SIZES.items() for _ in range(size)]

    def decode(arrays: Arrays) -> None:
        rows = 2 * len(splits)
        order = np.random.default_rng(0).permutation(len(splits))
        arrays.add("points", np.arange(rows * 6, dtype=np.float32).reshape(rows, 3, 2))
        arrays.add("part", np.tile([[0, 1]], (rows, 1)), np.int8)
        arrays.add("category", np.repeat([1, 2], len(splits)), np.uint8)
        arrays.add("split", np.tile(np.array(splits)[order], 2), np.uint8)
        arrays.name("category", list(PARTS))

    suite = suites.load("shapenet")
    suite._prepared["shapenet"] = open_or_decode(tmp_path / "cache", decode, "shapenet")
    return suite


@cache
def sample() -> Suite:
    return suites.load("shapenet", Places(sample=True))


def test_sets_are_the_official_ones_of_the_category(full: Suite) -> None:
    tensors = full.prepared("shapenet").tensors
    for number, setting in ((1, "bag"), (2, "cap")):
        own = tensors["category"] == number
        data = full.data(setting, 1)
        assert [len(getattr(data, name)) for name in SETS] == [27, 3, 4, 5]
        assert torch.equal(data.samples.inputs, tensors["points"][own])
        for name, split in zip(SETS, (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST), strict=True):
            assert set(tensors["split"][own][getattr(data, name)].tolist()) == {split}


def test_shapes_that_are_labelled_follow_the_seed(full: Suite) -> None:
    first, second = ({*full.data("cap", s).train.tolist(), *full.data("cap", s).auxiliary.tolist()} for s in (1, 2))
    assert len(first) == len(second) == 30
    assert first != second


def test_the_network_on_real_data_is_the_whole_pointnet(full: Suite) -> None:
    trunk, features = full.trunk("cap")  # type: ignore[attr-defined]
    assert features == JOINT_WIDTHS[-1]
    assert [layer[0].out_channels for layer in trunk.local] == list(POINT_WIDTHS)


def test_settings_are_the_categories() -> None:
    assert sample().settings == tuple(PARTS)
    assert sample().prepared("shapenet").names["category"] == sample().settings
    for setting, parts in PARTS.items():
        data = sample().data(setting, 1)
        assert data.samples.targets[0].shape == (len(data.samples.inputs), 1, data.samples.inputs.shape[2], 1)
        assert int(data.samples.targets[0].max()) == parts - 1


@pytest.mark.parametrize(("method", "hyper"), [("stl", ()), ("auxilearn", (("outer_every", 10),))])
def test_it_learns_on_the_sample(method: str, hyper: tuple[tuple[str, int], ...]) -> None:
    given = (("lr", 1e-3), ("weight_decay", 5e-4), *hyper)
    spec = Spec("shapenet", "mug", method, given, 1, "final", epochs=3, data=sample().fingerprint())
    training = Training(sample(), spec, torch.device("cpu"))
    before = training.measure(training.data.test)
    labels = training.data.samples.targets[0][training.data.test]
    commonest = float(labels.flatten().bincount().max() / labels.numel())
    after = training.finish()["test"]
    assert after["instance_miou"] > before["instance_miou"] + 0.2
    assert after["point_accuracy"] > commonest + 0.1
