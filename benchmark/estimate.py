"""How long a plan takes on this machine: from records, else from a few timed steps of each method."""

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence

import torch

from benchmark.cell import own_device
from benchmark.plan import Arm
from benchmark.plugins import blaming
from benchmark.record import Record
from benchmark.train import Training

STEPS = 10


def seconds_per_run(arms: Sequence[Arm], records: Iterable[Record], device: str) -> Mapping[str, float]:
    """Return the seconds that one run of each method takes; what is timed here is on this machine's own devices."""
    here = own_device(device) if torch.cuda.is_available() else "cpu"
    known: dict[str, list[float]] = {}
    for record in records:
        same = record.spec.data == arms[0].data and record.spec.epochs == arms[0].epochs
        if record.status == "ok" and same:
            known.setdefault(record.spec.method, []).append(record.timing["total_sec"])
    first = {arm.method: arm for arm in reversed(arms) if not arm.declined}
    return {
        method: statistics.median(known[method]) if method in known else _time(arm, here)
        for method, arm in first.items()
    }


def _time(arm: Arm, device: str) -> float:
    """Time some steps and an evaluation of one method, and scale to a whole run."""
    torch.set_num_threads(arm.suite.threads)
    with blaming("method", arm.method):
        training = Training(arm.suite, arm.spec(arm.points()[0]), torch.device(device))
        steps = arm.suite.steps_per_epoch or len(training.batches)
        training.advance(2)
        step_sec = _step_sec(training)
        started = time.perf_counter()
        training.measure(training.data.validation)
        measured_sec = time.perf_counter() - started
    return arm.epochs * (step_sec * steps + measured_sec)


def _step_sec(training: Training) -> float:
    """Return the seconds of a step, its share of an outer step included, however seldom those are."""
    every = training.method.outer_every

    def seconds(first: int, number: int) -> float:
        training.step = first
        started = time.perf_counter()
        training.advance(number)
        return (time.perf_counter() - started) / number

    if not every:
        return seconds(0, STEPS)
    others = every - 1
    return (seconds(0, 1) + (others * seconds(1, min(STEPS, others)) if others else 0.0)) / every
