"""A recorded run trained once more, for figures that need its network and its method and not only its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from auxilearn.precision import without_tf32
from benchmark import environment, suites
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.record import Record
from benchmark.train import Diverged, Row, Training

EachEpoch = Callable[[Training], None]
"""Called after every epoch; must leave the training as it is."""


@dataclass(frozen=True)
class Retrained:
    """A run that was trained again.

    Attributes:
        record: What was recorded of it.
        training: Network and method as they were after the epoch up to which it was trained.
        note: One line that says whether the recorded numbers came out again.
        same: Whether they did, bit for bit.
    """

    record: Record
    training: Training
    note: str
    same: bool


def retrained(
    record: Record,
    places: Places | None = None,
    *,
    device: str = "cpu",
    whole: bool = False,
    each_epoch: EachEpoch | None = None,
) -> Retrained:
    """Train a recorded run again, to its selected epoch or to the end, and compare it with its record.

    Nothing is evaluated on the test set and nothing is recorded. On the CPU that made the record all numbers are the
    same; another machine or release of torch may round otherwise.

    Args:
        record: A successful run.
        places: Where the suite's data are.
        device: A torch device.
        whole: Whether to go on to the last epoch.
        each_epoch: Called after every epoch.

    Raises:
        UserError: The data here are not those of the record, or training does not come through.
    """
    suite = suites.load(record.spec.suite, places)
    if (found := suite.fingerprint()) != record.spec.data:
        raise UserError(
            f"the data here are {found}, those of the record {record.spec.data}; get the data it was run on"
        )
    torch.set_num_threads(suite.threads)
    until = record.spec.epochs if whole else record.selected["epoch"]
    with without_tf32():
        training = Training(suite, record.spec, torch.device(device))
        try:
            for epoch in range(1, until + 1):
                training.rows.append(training.epoch(epoch))
                if each_epoch is not None:
                    each_epoch(training)
        except Diverged as error:
            raise UserError(f"run {record.spec.digest} does not come through here: {error}") from None
    return Retrained(record, training, _note(record, training, until), differs(record, training) is None)


def differs(record: Record, training: Training) -> int | None:
    """Return the first epoch whose validation metrics, losses or weights are not bit for bit the recorded ones."""
    for here, there in zip(training.rows, record.epochs, strict=False):
        if _differing(here, there):
            return there["epoch"]
    return None


def _differing(here: Row, there: Row) -> list[str]:
    """Return what of an epoch is not the same."""
    return [part for part in ("validation", "loss", "weight") if here[part] != there[part]]


def _note(record: Record, training: Training, until: int) -> str:
    epoch = differs(record, training)
    if epoch is None:
        return f"trained again for {until} epochs: validation, losses and weights are the recorded ones, bit by bit"
    here, there = (rows[epoch - 1] for rows in (training.rows, record.epochs))
    part = _differing(here, there)[0]
    apart = max(_relative(here[part], there[part]))
    then, now = (str(about["device"]) for about in (record.environment, environment.describe(training.device)))
    machines = f", on {now} and not on {then}" if now != then else ""
    return (
        f"trained again for {until} epochs{machines}: NOT the recorded numbers from epoch {epoch} on "
        f"({part} apart by {apart:.1g} of its size there)"
    )


def _relative(here: Any, there: Any) -> list[float]:
    """Return the differences of numbers, in a list or by name, as fractions of the recorded ones."""
    names = there if isinstance(there, Mapping) else range(len(there))
    pairs = [(here[name], there[name]) for name in names]
    return [abs(one - other) / (abs(other) or 1.0) for one, other in pairs]


def chosen_record(
    records: "list[Record]", *, setting: str, method: str, seed: int | None, where: str, hint: str
) -> Record:
    """Return the final run to draw: of the first setting and lowest seed if none are given, of the best validation.

    Args:
        records: All of a suite.
        setting: Name of the setting; empty for the first one with such a run.
        method: Name of the method.
        seed: Of the run; None for the lowest.
        where: Where the records are from, for errors.
        hint: What makes such a run.

    Raises:
        UserError: There is no such run.
    """
    found = [r for r in records if r.status == "ok" and r.spec.phase == "final" and r.spec.method == method]
    found = [r for r in found if setting in ("", r.spec.setting) and seed in (None, r.spec.seed)]
    if not found:
        asked = f"{f' in setting {setting!r}' if setting else ''}{f' of seed {seed}' if seed is not None else ''}"
        raise UserError(f"no final run of {method!r}{asked} in {where}; {hint}")
    found = [r for r in found if r.spec.setting == (setting or found[0].spec.setting)]
    lowest = min(r.spec.seed for r in found)
    found = [r for r in found if r.spec.seed == lowest]
    metric = suites.load(found[0].spec.suite).selection
    return max(found, key=lambda r: (1 if metric.higher_is_better else -1) * r.selected["validation"][metric.name])


def evaluated_losses(training: Training, index: torch.Tensor, *, size: int = 256) -> torch.Tensor:
    """Return the losses of samples as evaluation sees them, (N, T) or (N, T, H, W), on the CPU; nothing moves.

    Args:
        training: A run between two epochs.
        index: Samples, (N,), whose labels are known.
        size: Samples at a time.
    """
    problem, method = training.problem, training.method
    modules = [module for module in (*problem.model.modules(), *method.modules()) if module.training]
    for module in modules:
        module.training = False
    with torch.no_grad():
        batches = training.data.chunks(index, size)
        parts = [problem.losses(batch, targets=method.targets(batch)).float().cpu() for batch in batches]
    for module in modules:
        module.training = True
    return torch.cat(parts)
