"""Images a second: both loops train the same network, operations are counted right; no time is asserted."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.data import Batch
from benchmark.models.resnet import resnet18
from benchmark.plan import Options
from benchmark.spec import AskedPrecision
from benchmark.speed import limit, pictures, pipelines
from benchmark.speed.images import FILE, Turns, measurements
from benchmark.speed.limit import Product, step_flop
from benchmark.speed.measurement import Measurement, measurement
from benchmark.speed.overhead import check_same_result
from benchmark.speed.rows import read
from benchmark.suites import _photographs, cub
from tests.benchmark.speed.conftest import Cli

CPU = torch.device("cpu")
BATCH = 10  # with two of them, CUB's 20 auxiliary pictures and no others are trained on


def small_trunk(**_asked: Any) -> tuple[nn.Module, int]:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 4


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SIDE": 16, "HEIGHT": 20, "WIDTH": 30}.items():
        monkeypatch.setattr(pipelines, name, value)
    monkeypatch.setattr(_photographs, "CROP", 14)
    monkeypatch.setattr(cub, "resnet18", small_trunk)
    monkeypatch.setattr(limit, "SIDES", {"cpu": 32})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_bare_loop_trains_the_network_that_the_harness_trains(
    precision: AskedPrecision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "Options", partial(Options, precision=precision))
    prepared = pictures.drawn(pictures.BATCHES * BATCH + 5)
    harness = pictures.training(prepared, BATCH, CPU)
    bare = pictures.BareLoop(pictures.training(prepared, BATCH, CPU))
    assert harness.precision == precision
    before = [value.clone() for value in bare.model.parameters()]
    harness.advance(pictures.BATCHES)
    bare.steps(pictures.BATCHES)
    assert not any(torch.equal(old, new) for old, new in zip(before, bare.model.parameters(), strict=True))
    for ours, theirs in zip(harness.problem.model.parameters(), bare.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    check_same_result(harness.problem.model, bare.model)


def test_pictures_are_decoded_ones_and_a_batch_is_as_long_as_asked() -> None:
    prepared = pictures.drawn(30)
    images = prepared.tensors["image"]
    assert (images.shape, images.dtype) == ((30 + pictures.JUDGED, 3, 16, 16), torch.uint8)
    assert not torch.equal(images[0], images[1])
    run = pictures.training(prepared, BATCH, CPU)
    assert (run.batches.batch_size, len(run.batches), run.suite.name, run.precision) == (10, 3, "cub", "float32")
    assert cub.CUB.batch_size == 64
    inputs, (labels, attributes) = pictures.BareLoop(run).ready[0]
    assert (inputs.shape, labels.shape, attributes.shape) == ((10, 3, 14, 14), (10, 1), (10, 312))
    assert (labels >= 0).all()


# the limit


def a_batch(size: int, side: int) -> Batch:
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(size, 3, side, side, generator=draws)
    return Batch(images, (torch.zeros(size, 1, dtype=torch.long), torch.zeros(size, 5)))


def losses(model: nn.Module, batch: Batch) -> torch.Tensor:
    kinds, attributes = model(batch.inputs).split([4, 5], dim=1)
    return pictures.summed_losses(lambda _: (kinds, attributes), batch)  # type: ignore[arg-type]


def test_operations_by_hand_and_as_counted_in_a_real_step() -> None:
    model = nn.Sequential(nn.Conv2d(3, 7, 3), nn.ReLU(), nn.Flatten(), nn.Linear(7 * 6 * 6, 9))
    batch = a_batch(2, 8)
    convolution, linear = 2 * (7 * 36) * (3 * 9), 2 * 9 * (7 * 36)
    by_hand = 2 * (2 * convolution + 3 * linear)  # the first layer needs no gradient for its inputs
    assert step_flop(model, losses, batch) == by_hand
    with FlopCounterMode(display=False) as counter:
        losses(model, batch).backward()
    assert counter.get_total_flops() == by_hand
    assert all(value.grad is not None and value.device == CPU for value in model.parameters())


def test_the_network_at_full_size_needs_what_is_known_of_it() -> None:
    with torch.device("meta"):
        trunk, features = resnet18()
        model = nn.Sequential(trunk, nn.Linear(features, 9))
    batch = Batch(torch.empty(2, 3, 224, 224, device="meta"), a_batch(2, 8).targets)
    assert step_flop(model, losses, batch) / 2 / 1e9 == pytest.approx(3 * 3.63 - 0.24, abs=0.05)


def test_a_product_is_as_much_work_as_it_says() -> None:
    product = Product(CPU, "bfloat16")
    with FlopCounterMode(display=False) as counter:
        product()
    assert counter.get_total_flops() == product.flop == limit.PRODUCTS["cpu"] * 2 * 32**3


# what is written


def test_rates_and_shares_are_of_the_same_turn() -> None:
    seconds = {"harness": [2.0, 4.0, 2.0], "bare loop": [1.0, 4.0, 1.6], "product": [1.0, 2.0, 1.0]}
    turns = Turns(images=128, flop=128 * 50, product_flop=128 * 100, seconds=seconds)
    made = measurements(turns, partial(measurement, load=0.0), batch="batch 64, float32", steps=2, side=32)
    found = {row.what.removesuffix(", batch 64, float32"): row for row in made}
    assert found["images/s, harness"].value == 64
    assert found["images/s, bare loop"].value == 80
    assert found["images/s, limit"].value == 256
    ratio = found["ratio of harness to bare loop"]
    assert (ratio.lowest, ratio.value, ratio.highest) == (0.5, 0.8, 1.0)
    assert found["share of the limit, harness"].value == 0.25
    assert found["share of the limit, bare loop"].value == pytest.approx(0.3125, abs=1e-4)
    assert found["images/s, limit"].detail.startswith("5e-08 GFLOP an image at 1.28e-08 TFLOP/s")


def test_one_command_measures_writes_and_prints(cli: Cli, tmp_path: Path) -> None:
    words = ("images", "--batch", "10,12", "--steps", "2", "--repeats", "2", "--results-dir", tmp_path)
    ended = cli(*words)
    assert ended.status == 0, ended.err
    found = read(tmp_path / FILE, Measurement)
    assert len(found) == 2 * 6
    for row in found:
        assert math.isfinite(row.value)
        assert 0 < row.lowest <= row.value <= row.highest
        assert row.turns == 2
        assert f"| {row.what} " in ended.out
    assert {row.what for row in found if row.what.startswith("images/s, harness")} == {
        "images/s, harness, batch 10, float32",
        "images/s, harness, batch 12, float32",
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--batch", "64,x"), "give positive whole numbers, not '64,x'"), (("--device", "tpu"), "unknown device 'tpu'")],
)
def test_mistakes_are_one_line(words: tuple[str, ...], told: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli("images", *words, "--results-dir", tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {told}")
    assert ended.err.count("\n") == 1
