"""How long a plan takes on this machine: from records, else from a few timed steps of each method."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch

from benchmark.cell import own_device
from benchmark.order import Durations
from benchmark.plan import Arm
from benchmark.plugins import blaming
from benchmark.record import Record
from benchmark.train import Training

STEPS = 10


class Pace(NamedTuple):
    """What a method takes, in any setting.

    Attributes:
        step_sec: Seconds a training step, its share of an outer step included, however seldom those are.
        evaluation_sec: Seconds an evaluation on the validation set.
    """

    step_sec: float
    evaluation_sec: float


def seconds_per_run(arms: Sequence[Arm], records: Iterable[Record], device: str) -> Mapping[tuple[str, str], float]:
    """Return the seconds that one run of each arm takes, by setting and method.

    That is the median of the arm's recorded runs. Where there is none, the method is timed in one setting, on this
    machine's own devices, and has in each as many steps as that has.
    """
    here = own_device(device) if torch.cuda.is_available() else "cpu"
    known, paces = Durations(arms, records), dict[str, Pace]()
    found: dict[tuple[str, str], float] = {}
    for arm in arms:
        if arm.declined:
            continue
        seconds = known.recorded(arm)
        found[arm.setting, arm.method] = _time(arm, here, paces) if seconds is None else seconds
    return found


def _time(arm: Arm, device: str, paces: dict[str, Pace]) -> float:
    """Return the seconds of a run by the pace of its method, which is taken unless it is known."""
    torch.set_num_threads(arm.suite.threads)
    with blaming("method", arm.method):
        training = Training(arm.suite, arm.spec(arm.points()[0]), torch.device(device))
        steps = training.steps_per_epoch
        if arm.method not in paces:
            paces[arm.method] = _pace(training)
    step_sec, evaluation_sec = paces[arm.method]
    return arm.epochs * (step_sec * steps + evaluation_sec)


def _pace(training: Training) -> Pace:
    """Time some steps and an evaluation."""
    training.advance(2)
    step_sec = _step_sec(training)
    started = time.perf_counter()
    training.measure(training.data.validation)
    return Pace(step_sec, time.perf_counter() - started)


def _step_sec(training: Training) -> float:
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
