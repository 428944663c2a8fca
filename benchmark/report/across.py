"""Aggregates over suites: mean ranks, interquartile means, probabilities of improvement, Delta_m."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from benchmark.aggregates import (
    Estimate,
    friedman_p,
    interquartile_mean,
    mean_ranks,
    nemenyi_critical_difference,
    probability_of_improvement,
    relative_drop,
    relative_improvement,
)
from benchmark.errors import UserError
from benchmark.statistics import ALPHA
from benchmark.tables.data import Results, Row, State

DEFAULT_REFERENCE = "stl"
FEWEST_METHODS = 2

LACKS: Mapping[State, str] = {"failed": "runs failed or diverged, none gave a result", "declined": "it declines"}
"""What is said of a method without the result of a final run, by the state of its row."""


@dataclass(frozen=True)
class Across:
    """Methods compared over suites.

    Attributes:
        suites: Names of the suites as results bear them.
        parts: The settings of suites of which others have no records at all, by name of the suite.
        reference: What gains are relative to.
        methods: A row a method; columns method, mean_rank, iqm, iqm_low, iqm_high, improvement, improvement_low,
            improvement_high, delta_m_mean_over_tasks, delta_m_mean_over_metrics, fewest_runs and most_runs (final runs
            in a setting that gave a result).
        critical_difference: Of mean ranks, by Nemenyi's test at 0.05.
        friedman: p-value of Friedman's test that all rank alike; NaN for fewer than three methods or two
            suites, and on drawn data.
        left_out: Methods without the result of a final run somewhere: what lacks, and where.
        protocols: Numbers of the protocols of the suites' runs.
        runs: Fewest and most final runs of a method in a setting that gave a result.
        sample: Whether data were drawn: then it is no result.
    """

    suites: tuple[str, ...]
    parts: Mapping[str, Sequence[str]]
    reference: str
    methods: pd.DataFrame
    critical_difference: float
    friedman: float
    left_out: Mapping[str, str]
    protocols: tuple[int, ...]
    runs: tuple[int, int]
    sample: bool

    @property
    def tells_apart(self) -> bool:
        """Whether Friedman's test says that methods differ at all, without which Nemenyi's is not read."""
        return self.friedman < ALPHA


def aggregate(
    results: Sequence[Results],
    *,
    reference: str = DEFAULT_REFERENCE,
    seed: int,
    planned: Mapping[str, Sequence[str]] | None = None,
) -> Across:
    """Return the aggregates of methods that have final runs in every setting of every suite that has records at all.

    A suite counts once for ranks: its score is the mean over its settings, which share data, of the main metric's mean.
    In interquartile means and probabilities each setting has the same weight, and in their intervals it is a stratum.

    Args:
        results: One for each suite.
        reference: What gains are relative to: a run's gain is (score - mean of the reference) / that mean, in percent,
            with the sign turned for errors.
        seed: Of the bootstrap.
        planned: All settings that suites have, by name as results bear it; where a suite has none here, those with
            records are taken for all.

    Raises:
        UserError: Fewer than two methods, or not the reference, have runs everywhere.
    """
    names = list(dict.fromkeys(method for each in results for method in each.methods))
    left_out = {name: lack for name in names if (lack := _lacks(results, name))}
    kept = [name for name in names if name not in left_out]
    if reference not in kept or len(kept) < FEWEST_METHODS:
        raise UserError(_too_few(results, reference, kept, left_out))
    ranks = mean_ranks(scores := [[_score(each, name) for name in kept] for each in results])
    base = _gains(results, reference, reference)
    rows = []
    for name, rank in zip(kept, ranks.tolist(), strict=True):
        gains = _gains(results, name, reference)
        middle = interquartile_mean(gains, seed=seed)
        better = probability_of_improvement(gains, base, seed=seed)
        rows.append(
            {
                "method": name,
                "mean_rank": rank,
                **_parts("iqm", middle),
                **_parts("improvement", better),
                "delta_m_mean_over_tasks": _delta_m(results, name, reference)[0],
                "delta_m_mean_over_metrics": _delta_m(results, name, reference)[1],
                **dict(zip(("fewest_runs", "most_runs"), _runs(results, [name]), strict=True)),
            }
        )
    sample = any(each.sample for each in results)
    return Across(
        suites=tuple(each.suite for each in results),
        parts={
            each.suite: each.settings for each in results if {*(planned or {}).get(each.suite, ())} - {*each.settings}
        },
        reference=reference,
        methods=pd.DataFrame(rows).sort_values("mean_rank", kind="stable", ignore_index=True),
        critical_difference=nemenyi_critical_difference(len(kept), len(results)),
        friedman=nan if sample else friedman_p(scores),
        left_out=left_out,
        protocols=tuple(sorted({each.provenance.protocol for each in results})),
        runs=_runs(results, kept),
        sample=sample,
    )


def _lacks(results: Sequence[Results], method: str) -> str:
    """Return what a method lacks where it has no result of a final run; empty where it has one everywhere."""
    for each in results:
        for setting in each.settings:
            row = each.row(setting, method)
            if row is None or not row.cells[0].values:
                state = "missing" if row is None else row.state
                return f"{LACKS.get(state, 'no final run')} in {each.suite} {setting}"
    return ""


def _runs(results: Sequence[Results], methods: Sequence[str]) -> tuple[int, int]:
    counts = [len(row.cells[0].values) for name in methods for row in _rows(results, name)]
    return min(counts), max(counts)


def _too_few(results: Sequence[Results], reference: str, kept: Sequence[str], left_out: Mapping[str, str]) -> str:
    names = ", ".join(each.suite for each in results)
    if reference in left_out:
        return (
            f"the reference method {reference!r} cannot be compared with ({left_out[reference]}); run it, or give "
            "--reference"
        )
    if reference not in kept:
        return f"the reference method {reference!r} has no run in {names}; run it, or give --reference"
    lacks = ", ".join(f"{name} ({what})" for name, what in left_out.items())
    return f"only {reference!r} has final runs in all of {names}; others: {lacks or 'none'}; name fewer suites"


def _rows(results: Sequence[Results], method: str) -> list[Row]:
    return [row for each in results for setting in each.settings if (row := each.row(setting, method))]


def _score(results: Results, method: str) -> float:
    """Return the mean over settings of the main metric's mean, higher is better."""
    cells = [row.cells[0] for row in _rows([results], method)]
    return np.mean([cell.summary.mean if cell.metric.higher_is_better else -cell.summary.mean for cell in cells]).item()


def _gains(results: Sequence[Results], method: str, reference: str) -> list[list[float]]:
    """Return the gain of each run over the reference's mean in percent, a list for each setting."""
    gains = []
    for row, base in zip(_rows(results, method), _rows(results, reference), strict=True):
        cell, mean = row.cells[0], base.cells[0].summary.mean
        sign = 1 if cell.metric.higher_is_better else -1
        scale = 100 * sign / mean if mean > 0 else nan
        gains.append([scale * (value - mean) for value in cell.values.values()])
    return gains


def _delta_m(results: Sequence[Results], method: str, reference: str) -> tuple[float, float]:
    """Return Delta_m in both conventions; a setting of a suite is a task with the metrics of its main task.

    The metrics of auxiliary tasks have no part in it: a single task leaves their heads as they were.
    """
    ours, theirs = _rows(results, method), _rows(results, reference)
    cells = [(cell, f"{row.suite} {row.setting}") for row in ours for cell in row.cells if cell.metric.main]
    values = [cell.summary.mean for cell, _ in cells]
    base = [cell.summary.mean for row in theirs for cell in row.cells if cell.metric.main]
    higher = [cell.metric.higher_is_better for cell, _ in cells]
    tasks = [task for _, task in cells]
    return (
        relative_improvement(values, base, higher_is_better=higher, tasks=tasks),
        relative_drop(values, base, higher_is_better=higher),
    )


def _parts(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
