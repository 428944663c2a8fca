"""NYUv2 and Cityscapes: the paper's sets by their numbers, losses as masked means, learning on drawn scenes."""

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

import baselines
from auxilearn import task_means
from benchmark import published, suites
from benchmark.cache import Split
from benchmark.data import Data
from benchmark.places import Places
from benchmark.plan import Options, make_plan
from benchmark.suites._dense import RELEASED_WIDTHS, Dense, Sets, four_sets
from benchmark.suites.nyuv2 import held_out_scenes
from benchmark.tasks import Classification

NAMES = ("nyuv2", "cityscapes")
BOTH = pytest.mark.parametrize("name", NAMES)
PAPER = Path(published.FOLDER)


@cache
def suite(name: str) -> Dense:
    found = suites.load(name, Places(sample=True))
    assert isinstance(found, Dense)
    return found


@cache
def data(name: str, seed: int = 1) -> Data:
    return suite(name).data(suite(name).settings[0], seed)


def official_sets(name: str, train: int, test: int, seed: int = 0) -> Sets:
    """Return the four sets of a release with that many scenes, without any."""
    split = torch.tensor([int(Split.TRAIN)] * train + [int(Split.TEST)] * test, dtype=torch.uint8)
    given = suite(name)
    chosen = given.validation(torch.arange(train), sample=False)
    draw = torch.Generator().manual_seed(seed)
    return four_sets(split, chosen, auxiliary_share=given.auxiliary_share, generator=draw)


@BOTH
def test_metrics_say_whether_they_are_of_the_main_task(name: str) -> None:
    told = {metric.name: metric.main for metric in suite(name).metrics}
    main = {f"{kind}{form}" for kind in ("miou", "pixel_accuracy") for form in ("", "_per_image")}
    assert {name for name, of_main in told.items() if of_main} == main
    assert told.keys() - main, "the single task has no say in these"


@pytest.mark.parametrize(
    ("name", "scenes", "sizes"),
    [("nyuv2", (795, 654), (716 - 17, 17, 79, 654)), ("cityscapes", (2975, 500), (2677 - 66, 66, 298, 500))],
)
def test_the_four_sets_have_the_paper_s_sizes(name: str, scenes: tuple[int, int], sizes: tuple[int, ...]) -> None:
    sets = official_sets(name, *scenes)
    assert tuple(map(len, sets)) == sizes
    assert torch.cat(sets).sort().values.tolist() == list(range(sum(scenes))), "each scene is in one of them"
    assert sets.test.tolist() == list(range(scenes[0], sum(scenes)))
    other = official_sets(name, *scenes, seed=1)
    assert torch.equal(other.validation, sets.validation)
    assert not torch.equal(other.auxiliary, sets.auxiliary)


def test_validation_scenes_are_those_of_the_released_split() -> None:
    scenes = held_out_scenes()
    assert len(scenes) == len(set(scenes)) == 79
    assert scenes == sorted(scenes)
    assert (scenes[:3], scenes[-3:], sum(scenes)) == ([23, 30, 31], [776, 790, 791], 33291)
    assert official_sets("nyuv2", 795, 654).validation.tolist() == scenes


def test_the_cityscapes_validation_scenes_are_a_random_tenth() -> None:
    chosen = official_sets("cityscapes", 2975, 500).validation
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert 1300 < float(chosen.double().mean()) < 1670


@BOTH
def test_images_are_fed_as_fractions(name: str) -> None:
    given = data(name)
    for batch in (given.at(given.train[:3]), next(given.chunks(given.train[:3]))):
        torch.testing.assert_close(batch.inputs, given.samples.inputs[given.train[:3]].float() / 255)


def pixels(name: str, target: Tensor, output: Tensor, group: int) -> Tensor:
    """Return the loss of each known pixel, by the formula of its task."""
    if isinstance(suite(name).groups[group], Classification):
        known = target[:, 0] >= 0
        return -output.log_softmax(1).movedim(1, -1)[known].gather(1, target[:, 0][known][:, None].long())
    if target.shape[1] == 3:
        known = target.norm(dim=1) > 0
        predicted, true = (vectors.movedim(1, -1)[known] for vectors in (output, target))
        return 1 - (predicted * true).sum(1) / predicted.norm(dim=1) / true.norm(dim=1)
    return (output - target).abs()[target > 0]


@BOTH
def test_losses_are_means_over_the_pixels_that_are_known(name: str) -> None:
    setting, given = suite(name).settings[0], data(name)
    problem, batch = suite(name).problem(setting, 1), given.at(given.train[:4])
    losses = problem.losses(batch)
    assert losses.shape == (4, len(suite(name).groups), *given.samples.inputs.shape[2:]), "loss images"
    outputs = problem.model(batch.inputs)
    for task, (target, output) in enumerate(zip(batch.targets, outputs, strict=True)):
        known = pixels(name, target, output, task)
        assert known.numel() < losses[:, task].numel()
        torch.testing.assert_close(task_means(losses)[task], known.mean(), rtol=1e-4, atol=1e-5)


@BOTH
def test_the_paper_s_miou_selects_and_errors_are_better_low(name: str) -> None:
    metrics = suite(name).metrics
    assert suite(name).selection.name == "miou_per_image"
    downwards = {metric.name for metric in metrics if not metric.higher_is_better}
    assert downwards == {m.name for m in metrics if m.name.endswith(("error", "angle"))} != set()
    assert {metric.name for metric in metrics if not metric.percent} == downwards


def test_the_network_is_the_released_one_but_for_drawn_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[int], tuple[int, ...]]] = []
    monkeypatch.setattr("benchmark.suites._dense.segnet", lambda outputs, *, widths: asked.append((outputs, widths)))
    given = suites.load("nyuv2", Places(sample=True))
    prepared = given.prepared("nyuv2")
    given.model("13-class")
    given._prepared["nyuv2"] = dataclasses.replace(prepared, sample=False)
    given.model("13-class")
    assert [outputs for outputs, _ in asked] == [[13, 1, 3]] * 2
    assert asked[0][1] != asked[1][1] == RELEASED_WIDTHS == (64, 128, 256, 512, 1024)


@pytest.mark.parametrize(("name", "epochs"), [("nyuv2", 200), ("cityscapes", 150)])
def test_the_rate_is_halved_at_epoch_100(name: str, epochs: int) -> None:
    optimizer = suite(name).optimizer(torch.nn.Linear(1, 1), lr=1e-4, weight_decay=0.0)
    assert type(optimizer) is torch.optim.Adam
    schedule = suite(name).schedule(optimizer, epochs=epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == [1e-4] * 100 + [5e-5] * (epochs - 100)
    assert (suite(name).epochs, suite(name).batch_size) == (epochs, 8)


def test_settings_of_the_released_trainers_reach_the_methods() -> None:
    arms = {arm.method: arm for arm in make_plan(Options(suite="nyuv2", places=Places(sample=True)))}
    learnt = {"outer_every": 50, "auxiliary_lr": 1e-3, "auxiliary_weight_decay": 1e-4, "clip_norm": 25.0, "skip": True}
    own = {"auxiliary_lr": 1e-4, "auxiliary_weight_decay": 1e-5, "clip_norm": 100.0}
    expected = {
        "uncertainty": {"learning_rate": 1e-4},
        "dwa": {"temperature": 2.0},
        "gradnorm": {"alpha": 1.5, "learning_rate": 0.025},
        "auxilearn-linear": {**learnt, "skip": False},
        "auxilearn-deep-linear": learnt,
        "auxilearn-nonlinear": {**learnt, "depth": 1, "width": 3},
        "auxilearn-convnet": {**learnt, **own},
    }
    for method, values in expected.items():
        assert values.items() <= dict(arms[method].fixed).items(), method
        assert arms[method].declined is None


def rows() -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(PAPER.glob("*.csv")):
        table = pd.read_csv(path)
        if list(table.columns) == published.COLUMNS:
            yield from table[["suite", "setting", "method", "metric"]].itertuples(index=False, name=None)


def test_published_rows_name_what_there_is() -> None:
    known = [row for row in rows() if row[0] == "nyuv2"]
    assert known
    names = {metric.name for metric in suite("nyuv2").metrics}
    assert {setting for _, setting, _, _ in known} == {"13-class"}
    assert {method for _, _, method, _ in known} == set(suite("nyuv2").default_methods) <= set(baselines.names())
    assert {metric for _, _, _, metric in known} == {"miou_per_image", "pixel_accuracy_per_image"} <= names


@BOTH
def test_equal_weighting_learns_drawn_scenes(name: str) -> None:
    problem, given = suite(name).problem(suite(name).settings[0], 1), data(name)
    batch, optimizer = given.at(given.train[:4]), torch.optim.Adam(problem.model.parameters(), lr=3e-3)
    found = []
    for _ in range(15):
        means = task_means(problem.losses(batch))
        found.append(means.detach())
        optimizer.zero_grad()
        means.sum().backward()
        optimizer.step()
    assert (found[-1] < 0.8 * found[0]).all(), "every task"
