"""Every suite found keeps the rules of the protocol."""

from functools import cache

import pytest
import torch
from torch import Tensor

import baselines
from auxilearn import LabelSource
from benchmark import suites
from benchmark.data import Batch, Data
from benchmark.places import Places
from benchmark.suite import Suite

SETS = ("train", "auxiliary", "validation", "test")
CASES = [(name, setting) for name in suites.names() for setting in suites.load(name).settings]
EVERY_SUITE = pytest.mark.parametrize("name", suites.names())
EVERY_SETTING = pytest.mark.parametrize(("name", "setting"), CASES)


@cache
def suite(name: str) -> Suite:
    return suites.load(name, Places(sample=True))


@cache
def data(name: str, setting: str, seed: int) -> Data:
    return suite(name).data(setting, seed)


def tensors(given: Data) -> list[Tensor]:
    """Return all that a run reads: the samples and the four sets."""
    return [given.samples.inputs, *given.samples.targets, *(getattr(given, name) for name in SETS)]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a.nan_to_num(7e7), b.nan_to_num(7e7)) for a, b in zip(first, second, strict=True))


def labelled(name: str, setting: str, batch: Batch) -> Tensor:
    """Return which samples have a label of which task, in any of their pixels, (B, T)."""
    groups = suite(name).groups_of(setting)
    known = [group.labelled(target) for group, target in zip(groups, batch.targets, strict=True)]
    return torch.cat([found.unsqueeze(-1).flatten(2).any(2) for found in known], dim=1)


@EVERY_SETTING
@pytest.mark.parametrize("seed", [0, 1])
def test_four_disjoint_sets(name: str, setting: str, seed: int) -> None:
    given = data(name, setting, seed)
    everything = torch.cat([getattr(given, part) for part in SETS])
    assert all(len(getattr(given, part)) for part in SETS)
    assert len(everything.unique()) == len(everything)
    assert everything.min() >= 0
    assert everything.max() < len(given.samples.inputs)


@EVERY_SETTING
def test_data_follow_from_setting_and_seed(name: str, setting: str) -> None:
    torch.manual_seed(99)  # the global generator must have no say
    again = suites.load(name, Places(sample=True)).data(setting, 1)
    assert same(tensors(data(name, setting, 1)), tensors(again))
    assert not same(tensors(data(name, setting, 1)), tensors(data(name, setting, 2))), "seeds must differ"


@EVERY_SETTING
@pytest.mark.parametrize("part", ["validation", "test"])
def test_validation_and_test_samples_are_the_same_for_every_seed(name: str, setting: str, part: str) -> None:
    first, *others = (data(name, setting, seed) for seed in range(4))
    (expected,) = first.chunks(getattr(first, part))
    for other in others:
        assert torch.equal(getattr(first, part), getattr(other, part))
        (found,) = other.chunks(getattr(other, part))
        assert same([expected.inputs, *expected.targets], [found.inputs, *found.targets])


@EVERY_SETTING
def test_main_labels_are_where_the_protocol_reads_them(name: str, setting: str) -> None:
    given = data(name, setting, 1)
    for part in ("auxiliary", "validation", "test"):
        assert labelled(name, setting, given.at(getattr(given, part)))[:, 0].all(), f"main labels are missing in {part}"
    assert labelled(name, setting, given.at(given.train)).any(0).all(), "a task has no label in train"


@EVERY_SETTING
def test_outputs_match_the_groups_and_losses_are_finite(name: str, setting: str) -> None:
    given, problem = data(name, setting, 1), suite(name).problem(setting, 1)
    batch = given.at(given.train[:8])
    outputs = [output.shape[:2] for output in problem.model(batch.inputs)]
    known = [(8, group.outputs) for group in suite(name).groups_of(setting)]
    generated = [(8, sum(problem.subclasses))] if isinstance(problem, LabelSource) else []
    assert outputs == known + generated
    losses = problem.losses(batch)
    assert losses.shape[:2] == (8, problem.n_tasks)
    assert losses.isfinite().all()
    assert problem.n_tasks == sum(len(group.names) for group in suite(name).groups_of(setting)) + len(generated) >= 2
    assert len(set(problem.task_names)) == len(problem.task_groups) == problem.n_tasks


@EVERY_SETTING
def test_initialisation_follows_from_the_seed_alone(name: str, setting: str) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    first, again = (suite(name).problem(setting, 1).model.state_dict() for _ in range(2))
    assert torch.equal(before, torch.get_rng_state()), "the global generator moved"
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


@EVERY_SETTING
def test_measure_returns_the_declared_metrics(name: str, setting: str) -> None:
    given, model = data(name, setting, 1), suite(name).problem(setting, 1).model.eval()
    with torch.no_grad():
        found = suite(name).measure(setting, model, given.chunks(given.validation))
        parts = suite(name).measure(setting, model, given.chunks(given.validation, size=7))
    metrics = suite(name).metrics
    assert list(found) == [metric.name for metric in metrics]
    assert len({metric.name for metric in metrics}) == len(metrics) >= 1
    assert all(isinstance(value, float) for value in found.values())
    assert parts == pytest.approx(found, rel=1e-5), "the size of a batch of evaluation must not matter"
    assert all(0 <= found[metric.name] <= 1 for metric in metrics if metric.percent)


@EVERY_SETTING
def test_default_methods_exist_and_are_served(name: str, setting: str) -> None:
    assert suite(name).methods_of(setting)
    assert set(suite(name).methods_of(setting)) <= set(suite(name).default_methods) <= set(baselines.names())
    problem = suite(name).problem(setting, 0)
    for method in suite(name).methods_of(setting):
        assert baselines.load(method).declines(problem) is None


@EVERY_SETTING
def test_the_optimiser_takes_every_point_of_the_grid(name: str, setting: str) -> None:
    grid = suite(name).grid
    assert set(grid) == {"lr", "weight_decay"}
    model = suite(name).problem(setting, 0).model
    for lr in grid["lr"]:
        for weight_decay in grid["weight_decay"]:
            assert isinstance(lr, float)
            assert isinstance(weight_decay, float)
            optimizer = suite(name).optimizer(model, lr=lr, weight_decay=weight_decay)
            (group,) = optimizer.param_groups
            assert (group["lr"], group["weight_decay"]) == (lr, weight_decay)
            assert {id(p) for p in group["params"]} == {id(p) for p in model.parameters()}


@EVERY_SUITE
def test_fingerprint_is_short_and_stable(name: str) -> None:
    fingerprint = suite(name).fingerprint()
    assert fingerprint == suites.load(name, Places(sample=True)).fingerprint()
    assert 0 < len(fingerprint) <= 64
    assert fingerprint.isprintable()


@EVERY_SUITE
def test_a_suite_says_what_it_is(name: str) -> None:
    given = suite(name)
    assert given.name == name
    assert (type(given).__doc__ or "").strip()
    for text in (given.citation, given.main_task, given.auxiliary_tasks):
        assert text.strip()
        assert "\n" not in text
    assert len(set(given.settings)) == len(given.settings) >= 1
    assert min(given.epochs, given.final_seeds, given.threads) >= 1
