"""The suite of Table 1: the paper's sizes, labels hidden, attributes for all, groups of tasks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark import suites
from benchmark.cache import Split
from benchmark.controls import extend
from benchmark.data import Data
from benchmark.places import Places
from benchmark.published import published
from benchmark.spec import CONTROLS
from benchmark.suite import Suite
from benchmark.tasks import UNLABELLED, Binary
from benchmark.train import Training
from tests.benchmark.helpers import a_spec
from tests.benchmark.official import labels_of, official

SIZES = (5_994, 2_897, 2_897)


@pytest.fixture
def cub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Suite:
    parts = {Split.TRAIN: labels_of(5_994, 200, 29, 30), Split.TEST: labels_of(5_794, 200, 11, 30)}
    suite = official("cub", parts, monkeypatch, tmp_path)
    suite.places = replace(suite.places, weights="none")
    return suite


def species(data: Data) -> Tensor:
    """Return the main labels, -1 where they are hidden."""
    return data.samples.targets[0][:, 0]


def training(data: Data) -> Tensor:
    return torch.cat([data.train, data.auxiliary])


@pytest.mark.parametrize("setting", ["5-shot", "10-shot", "full"])
@pytest.mark.parametrize("seed", [0, 1])
def test_sets_have_the_papers_sizes(cub: Suite, setting: str, seed: int) -> None:
    data = cub.data(setting, seed)
    assert (len(training(data)), len(data.validation), len(data.test)) == SIZES
    assert len(data.auxiliary) == 20
    assert len(species(data)[data.auxiliary].unique()) == 20
    assert (species(data)[data.auxiliary] >= 0).all()


def test_validation_and_test_halve_every_class_and_never_change(cub: Suite) -> None:
    first = cub.data("5-shot", 0)
    halves = (species(first)[part].bincount(minlength=200) for part in (first.validation, first.test))
    validation, test = halves
    assert (validation - test).abs().max() <= 1
    for setting, seed in (("5-shot", 1), ("10-shot", 0), ("full", 7)):
        other = cub.data(setting, seed)
        assert torch.equal(other.validation, first.validation)
        assert torch.equal(other.test, first.test)


@pytest.mark.parametrize(("setting", "shots"), [("5-shot", 5), ("10-shot", 10)])
def test_training_sees_that_many_labels_of_each_class(cub: Suite, setting: str, shots: int) -> None:
    data = cub.data(setting, 3)
    seen = species(data)[training(data)]
    assert (seen[seen != UNLABELLED].bincount() == shots).all()
    assert not torch.equal(species(data), species(cub.data(setting, 4))), "which ones follows from the seed"


def test_with_all_labels_none_is_hidden(cub: Suite) -> None:
    data = cub.data("full", 0)
    assert torch.equal(species(data), cub.prepared("cub").tensors["label"])


@pytest.mark.parametrize("setting", ["5-shot", "full"])
def test_attributes_are_there_for_every_training_image(cub: Suite, setting: str) -> None:
    data = cub.data(setting, 0)
    _, attributes = cub.groups_of(setting)
    assert attributes.labelled(data.samples.targets[1]).all()
    assert torch.equal(data.samples.targets[1], cub.prepared("cub").tensors["attribute"].float())


def test_an_attributes_loss_is_a_tenth_of_cross_entropy(cub: Suite) -> None:
    _, attributes = cub.groups_of("full")
    assert isinstance(attributes, Binary)
    losses = attributes.losses(torch.zeros(2, 312), torch.ones(2, 312))
    torch.testing.assert_close(losses, torch.full((2, 312), 0.1 * torch.log(torch.tensor(2.0)).item()))


def test_attributes_are_in_28_groups_and_each_control_in_its_own(cub: Suite) -> None:
    numbers = list(cub.task_groups_of("full") or ())
    assert numbers[0] == 0
    assert sorted(set(numbers)) == list(range(29))
    names = [name.partition("::")[0] for name in cub.prepared("cub").names["attribute"]]
    assert len(set(zip(names, numbers[1:], strict=True))) == 28, "a group of names is one of numbers"
    problem = extend(cub, CONTROLS).problem("full", 0)
    assert list(problem.task_groups) == [*numbers, 29, 30]
    assert problem.n_tasks == 1 + 312 + 2
    assert [output.shape[1] for output in problem.model(torch.zeros(2, 3, 32, 32))] == [200, 312, 200, 200]


def test_inputs_are_crops_of_the_official_size(cub: Suite) -> None:
    data = cub.data("full", 0)
    assert data.at(data.train[:2]).inputs.shape == (2, 3, 224, 224)
    (batch,) = data.chunks(data.test[:2])
    assert batch.inputs.shape == (2, 3, 224, 224)


def test_published_numbers_have_a_column_each(cub: Suite) -> None:
    rows = published("cub")
    assert set(rows["setting"]) == {"5-shot", "10-shot"}
    assert set(rows["setting"]) < set(cub.settings)
    assert list(dict.fromkeys(rows["method"])) == list(cub.default_methods)
    assert set(rows["metric"]) == {metric.name for metric in cub.metrics}


def test_the_sample_can_be_learnt() -> None:
    suite = suites.load("cub", Places(sample=True))
    spec = a_spec(suite="cub", setting="full", method="equal", hyper=(("lr", 1e-3), ("weight_decay", 5e-4)))
    run = Training(suite, spec, torch.device("cpu"))
    run.advance(15)
    found = run.measure(torch.cat([run.data.validation, run.data.test]))
    assert run.data.at(run.data.train[:1]).inputs.shape == (1, 3, 28, 28)
    assert found["top1"] > 4 / 16, "four times chance"


def test_a_sample_joins_groups(tmp_path: Path) -> None:
    numbers = suites.load("cub", Places(cache_dir=tmp_path, sample=True)).task_groups_of("full") or ()
    assert sorted(set(numbers)) == list(range(8))
    assert len(numbers) == 1 + 312
