"""Images a second of training steps: the harness against a bare loop and against the device's own limit."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from auxilearn.precision import without_tf32
from benchmark.cache import Prepared
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.limit import Product, step_flop
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement
from benchmark.speed.pictures import BATCHES, BareLoop, drawn, summed_losses, training
from benchmark.speed.timing import seconds_in_turns

FILE = Path("speed") / "images.csv"
"""Where in the folder of results the measurements are."""

BATCH_SIZES = {"cpu": (64,), "cuda": (64, 256)}
STEPS = {"cpu": 1, "cuda": 20}
"""Pictures a batch, and steps that are timed at once, by type of device."""


@dataclass(frozen=True)
class Turns:
    """What was timed of one length of batches.

    Attributes:
        images: Pictures that pass in one turn of a way.
        flop: Operations that they need.
        product_flop: Operations of a turn of the matrix product.
        seconds: Of each turn, by what was timed: `harness`, `bare loop`, `product`.
    """

    images: int
    flop: int
    product_flop: int
    seconds: Mapping[str, Sequence[float]]

    def rates(self, way: str) -> list[float]:
        """Return the images a second of each turn."""
        return [self.images / taken for taken in self.seconds[way]]

    @property
    def peaks(self) -> list[float]:
        """Operations a second of the matrix product in each turn."""
        return [self.product_flop / taken for taken in self.seconds["product"]]

    @property
    def limits(self) -> list[float]:
        """Images a second of each turn if steps had the rate of the matrix product."""
        return [peak * self.images / self.flop for peak in self.peaks]


def report(*, batches: Sequence[int], steps: int | None, repeats: int, device: str, path: Path) -> None:
    """Measure, put the rates into a file and print them.

    Args:
        batches: Pictures a batch; none for the default of the device.
        steps: Steps that are timed at once; None for the default of the device.
        repeats: Turns.
        device: A device as of the command line.
        path: The file; measurements of other machines and batches stay in it.
    """
    where = torch.device(check_device(device))
    rows.read(path, Measurement)  # a file of something else is refused before the work
    sizes = batches or BATCH_SIZES[where.type]
    load = load_average()
    prepared = drawn(BATCHES * max(sizes))
    found: list[Measurement] = []
    for batch in sizes:
        found += measure(prepared, batch, steps=steps or STEPS[where.type], repeats=repeats, device=where, load=load)
    conclude(found, path, device=where)


def measure(
    prepared: Prepared, batch: int, *, steps: int, repeats: int, device: torch.device, load: float
) -> list[Measurement]:
    """Return the rates with batches of one length, all timed in turns.

    Args:
        prepared: CUB's arrays with drawn pictures.
        batch: Pictures a batch.
        steps: Steps that are timed at once.
        repeats: Turns.
        device: Where to measure.
        load: The machine's load average before it.
    """
    with without_tf32():
        harness, bare = training(prepared, batch, device), BareLoop(training(prepared, batch, device))
        product = Product(device, harness.precision)
        work = {"harness": lambda: harness.advance(steps), "bare loop": lambda: bare.steps(steps), "product": product}
        seconds = seconds_in_turns(work, repeats=repeats, device=device)
    flop = step_flop(bare.model, summed_losses, bare.ready[0])
    turns = Turns(steps * batch, steps * flop, product.flop, seconds)
    found = partial(measurement, load=load, device=device)
    return measurements(turns, found, batch=f"batch {batch}, {harness.precision}", steps=steps, side=product.side)


def measurements(
    turns: Turns, found: "partial[Measurement]", *, batch: str, steps: int, side: int
) -> list[Measurement]:
    """Return the rates of both ways and the limit, and their ratios in the same turn."""
    rates = {way: turns.rates(way) for way in ("harness", "bare loop")}
    ratios = [ours / plain for ours, plain in zip(rates["harness"], rates["bare loop"], strict=True)]
    peak = statistics.median(turns.peaks)
    limit = (
        f"{turns.flop / turns.images / 1e9:.4g} GFLOP an image at {peak / 1e12:.4g} TFLOP/s, "
        f"the rate of a product of {side} x {side} matrices"
    )
    ways = {
        "harness": f"suite cub, equal: pictures cropped on the way, ResNet-18 at 224 px, Adam; {steps} steps a turn",
        "bare loop": f"the same steps on ready inputs; {steps} steps a turn",
    }
    kept = [found(f"images/s, {way}, {batch}", rates[way], detail) for way, detail in ways.items()]
    kept.append(found(f"images/s, limit, {batch}", turns.limits, limit))
    kept.append(found(f"ratio of harness to bare loop, {batch}", ratios, "of images/s in the same turn"))
    for way in ways:
        shares = [rate / most for rate, most in zip(rates[way], turns.limits, strict=True)]
        kept.append(found(f"share of the limit, {way}, {batch}", shares, "of images/s in the same turn"))
    return kept
