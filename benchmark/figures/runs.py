"""What figures draw: the runs of each method in a setting, and means with standard errors over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmark.arm import Arm
from benchmark.campaign import choose, search_records
from benchmark.record import Record
from benchmark.space import Point
from benchmark.spec import called
from benchmark.suite import Metric
from benchmark.tables.notes import final_records

Array = np.ndarray


@dataclass(frozen=True)
class Runs:
    """The runs of one method in one setting.

    Attributes:
        arm: What was planned.
        finals: Successful final runs.
        searches: Search runs in order of grid or trials, None for one that is missing.
        point: The chosen point; None while there is none.
        plan: What tells the plan from others of its suite; empty where nothing needs to.
    """

    arm: Arm
    finals: tuple[Record, ...]
    searches: tuple[Record | None, ...]
    point: Point | None
    plan: str = ""

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.arm.method


class Mean(NamedTuple):
    """Mean over runs and its standard error (ddof 1), NaN where there is none."""

    mean: Array
    sem: Array


def collect(arms: Sequence[Arm], records: Mapping[str, Record], *, plan: str = "") -> dict[str, list[Runs]]:
    """Return the runs of each arm that has any, by setting."""
    found: dict[str, list[Runs]] = {}
    for arm in arms:
        if arm.declined:
            continue
        finals = tuple(record for record in final_records(arm, records) if record.status == "ok")
        searches = tuple(search_records(arm, records))
        if finals or any(searches):
            found.setdefault(arm.setting, []).append(Runs(arm, finals, searches, choose(arm, records), plan))
    return found


def over_runs(rows: Iterable[object]) -> Mean:
    """Return mean and standard error over runs, from an array of numbers a run, all of one shape; None counts as NaN.

    NaN is left out; where a single run is left there is no standard error.
    """
    values = np.array(list(rows), dtype=float)
    known = np.isfinite(values)
    count = known.sum(0)
    some = np.maximum(count, 1)
    mean = np.where(known, values, 0).sum(0) / some
    squares = np.where(known, values - mean, 0) ** 2
    sem = np.sqrt(squares.sum(0) / np.maximum(count - 1, 1) / some)
    return Mean(np.where(count > 0, mean, np.nan), np.where(count > 1, sem, np.nan))


def validation(record: Record, metric: Metric) -> list[float]:
    """Return the validation score of each epoch, fractions as percentages."""
    return [row["validation"][metric.name] * scale(metric) for row in record.epochs]


def scale(metric: Metric) -> float:
    """Return what a metric is multiplied by to be shown."""
    return 100 if metric.percent else 1


def label(metric: Metric) -> str:
    """Return a metric with its unit."""
    return f"{metric.name} (%)" if metric.percent else metric.name


def source(runs: Sequence[Runs], *, search: bool = False) -> str:
    """Return in words where the numbers of a figure of one setting come from.

    Args:
        runs: Of one setting.
        search: Whether the figure shows the runs of the searches, and not the final ones.
    """
    arm = runs[0].arm
    protocols = sorted({record.spec.protocol for each in runs for record in (*each.finals, *each.searches) if record})
    budget = f"; equal budget of trials by {arm.search.proposer}" if arm.search else ""
    return (
        f"{named(runs[0].plan)}Suite {called(arm.suite.name, arm.data)}, setting {arm.setting}, {arm.epochs} "
        f"epochs{budget}; protocol {', '.join(map(str, protocols))}; {_searched(runs) if search else _repeated(runs)}."
    )


def named(plan: str) -> str:
    """Return the sentence that names a plan, with a blank behind it; empty for none."""
    return f"Plan: {plan}. " if plan else ""


def _repeated(runs: Sequence[Runs]) -> str:
    sizes = sorted({len(each.finals) for each in runs if each.finals})
    counts = "no final run" if not sizes else " to ".join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))
    return f"n = {counts} final runs a method"


def _searched(runs: Sequence[Runs]) -> str:
    count = sum(record is not None for each in runs for record in each.searches)
    return f"n = {count} search runs, one a trial, all of one seed"


def title(text: str, runs: Sequence[Runs]) -> str:
    """Return the title of a figure of one setting."""
    arm = runs[0].arm
    return f"{called(arm.suite.name, arm.data)}, {arm.setting}: {text}"
