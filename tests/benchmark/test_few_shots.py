"""Table 3: the paper's sizes, 30 images a class, networks as in the released code, published numbers."""

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark import suites
from benchmark.cache import Split
from benchmark.data import Data
from benchmark.places import Places
from benchmark.published import published
from benchmark.suite import Suite
from benchmark.train import Training
from tests.benchmark.helpers import a_spec
from tests.benchmark.official import labels_of, official

NAMES = ("cub-30shot", "pet", "cars")

CASES = {  # labels of the official training and test set; images to draw from, of validation and test; auxiliary ones
    "cub-30shot": (((5_994, 200, 29, 30), (5_794, 200, 11, 30)), (5_994, 2_897, 2_897), 50),
    "pet": (((3_680, 37, 93, 100), (3_669, 37, 88, 100)), (2_576, 1_104, 3_669), 9),
    "cars": (((8_144, 196, 24, 68), (8_041, 196, 24, 68)), (5_700, 2_444, 8_041), None),
}


@pytest.fixture(params=NAMES)
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Suite:
    train, test = CASES[request.param][0]
    parts = {Split.TRAIN: labels_of(*train), Split.TEST: labels_of(*test)}
    return official(request.param, parts, monkeypatch, tmp_path)


def labels(suite: Suite) -> torch.Tensor:
    return suite.prepared(suite.datasets[0]).tensors["label"]


def training(data: Data) -> torch.Tensor:
    return torch.cat([data.train, data.auxiliary])


def test_sets_have_the_papers_sizes(suite: Suite) -> None:
    _, sizes, auxiliary = CASES[suite.name]
    split = suite.prepared(suite.datasets[0]).tensors["split"]
    pool, validation, test = suite.pools(labels(suite), split)  # type: ignore[attr-defined]
    assert (len(pool), len(validation), len(test)) == sizes
    data = suite.data("30-shot", 0)
    assert torch.equal(data.validation, validation)
    assert torch.equal(data.test, test)
    assert torch.isin(training(data), pool).all()
    assert auxiliary in (None, len(data.auxiliary))


def test_validation_is_stratified_and_the_same_for_every_seed(suite: Suite) -> None:
    first = suite.data("30-shot", 0)
    split = suite.prepared(suite.datasets[0]).tensors["split"]
    whole = labels(suite)[split == (Split.TEST if suite.name == "cub-30shot" else Split.TRAIN)].bincount()
    share = len(first.validation) / whole.sum()
    assert ((labels(suite)[first.validation].bincount() - share * whole).abs() < 1).all()
    for seed in range(1, 4):
        other = suite.data("30-shot", seed)
        assert torch.equal(other.validation, first.validation)
        assert torch.equal(other.test, first.test)


def test_thirty_images_a_class_or_all_there_are(suite: Suite) -> None:
    split = suite.prepared(suite.datasets[0]).tensors["split"]
    pool, _, _ = suite.pools(labels(suite), split)  # type: ignore[attr-defined]
    data = suite.data("30-shot", 0)
    assert torch.equal(labels(suite)[training(data)].bincount(), labels(suite)[pool].bincount().clamp(max=30))
    auxiliary = labels(suite)[data.auxiliary]
    assert len(auxiliary.unique()) == len(auxiliary), "auxiliary images are of different classes"


def test_cub_is_judged_by_the_images_of_table_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = {Split.TRAIN: labels_of(5_994, 200, 29, 30), Split.TEST: labels_of(5_794, 200, 11, 30)}
    first, second = (official(name, parts, monkeypatch, tmp_path) for name in ("cub", "cub-30shot"))
    ours, theirs = first.data("5-shot", 0), second.data("30-shot", 1)
    assert torch.equal(ours.test, theirs.test)
    assert torch.equal(ours.validation, theirs.validation)


def linear_maps(network: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]


def test_networks_are_those_of_the_released_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = {Split.TRAIN: labels_of(3_680, 37, 93, 100), Split.TEST: labels_of(3_669, 37, 88, 100)}
    pet = official("pet", parts, monkeypatch, tmp_path)
    problem = pet.problem("30-shot", 0)
    kept, hidden = (512, 1000), (1000, 512)
    assert linear_maps(problem.model) == [kept, hidden, (512, 37), hidden, (512, 5 * 37)]
    assert linear_maps(problem.make_generator()) == [kept, hidden, (512, 5 * 37)]  # type: ignore[attr-defined]
    optimizer = pet.optimizer(problem.model, lr=1e-3, weight_decay=5e-3)
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    schedule = pet.schedule(optimizer, epochs=2)
    assert schedule is not None
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([1e-3, 5e-4, 0])


@pytest.mark.parametrize("name", [*NAMES, "svhn"])
def test_published_numbers_have_a_column_each(name: str) -> None:
    rows, suite = published(name), suites.load(name)
    assert tuple(dict.fromkeys(rows["setting"])) == suite.settings
    assert tuple(rows["method"]) == suite.default_methods
    assert set(rows["metric"]) == {metric.name for metric in suite.metrics}


def test_svhn_takes_five_percent_and_a_tenth_validates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = {Split.TRAIN: labels_of(73_257, 10, 4_659, 13_861), Split.TEST: labels_of(26_032, 10, 1_595, 5_099)}
    svhn = official("svhn", parts, monkeypatch, tmp_path)
    data = svhn.data("5%", 0)
    assert len(training(data)) == pytest.approx(0.05 * 73_257, abs=10)
    assert len(data.validation) == pytest.approx(0.1 * 73_257, abs=10)
    assert len(data.test) == 26_032


@pytest.mark.parametrize(("name", "setting", "steps"), [("pet", "30-shot", 40), ("svhn", "5%", 10)])
def test_samples_can_be_learnt(name: str, setting: str, steps: int) -> None:
    suite = suites.load(name, Places(sample=True))
    rates = (("lr", suite.grid["lr"][0]), ("weight_decay", 5e-4))
    run = Training(suite, a_spec(suite=name, setting=setting, hyper=rates), torch.device("cpu"))
    run.advance(steps)
    classes = len(suite.prepared(name).names["label"])
    assert run.measure(run.data.test)["top1"] > 2 / classes, "twice chance"
