"""Curves of final runs as the page draws them: each run's series over epochs, in five digits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.record import Record
from benchmark.tables.gather import MOST_TASKS_SHOWN

POINTS = 200
"""Epochs of a curve, at most: more than a figure can show."""

DIGITS = 5

Series = dict[str, list[float | None]]


def curve(record: Record) -> dict[str, Any]:
    """Return a run's seed, digest, epochs and series by name: `validation top1`, `loss digit`, `weight digit`, ...

    Runs of more than `MOST_TASKS_SHOWN` tasks have the main task and the mean of all others.
    """
    rows = [record.epochs[index] for index in _thinned(len(record.epochs))]
    series: Series = {}
    for place, row in enumerate(rows):
        for name, value in _named(row, record.tasks):
            series.setdefault(name, [None] * len(rows))[place] = _rounded(value)
    epochs = [row["epoch"] for row in rows]
    return {"seed": record.spec.seed, "digest": record.spec.digest, "epoch": epochs, "series": series}


def series_names(curves: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of all series, those of one kind together, validation first."""
    kinds = ("validation", "loss", "weight", "lr")
    names = dict.fromkeys(name for found in curves for name in found["series"])

    def rank(name: str) -> int:
        kind = name.partition(" ")[0]
        return kinds.index(kind) if kind in kinds else len(kinds)

    return sorted(names, key=rank)


def _thinned(count: int) -> list[int]:
    """Return at most `POINTS` indices of `count` epochs, the first and the last among them."""
    if count <= POINTS:
        return list(range(count))
    return np.linspace(0, count - 1, POINTS).round().astype(int).tolist()


def _named(row: Mapping[str, Any], tasks: Sequence[str]) -> Iterator[tuple[str, float | None]]:
    for name, value in row["validation"].items():
        yield f"validation {name}", value
    for kind in ("loss", "weight"):
        values = row[kind]
        if len(tasks) <= MOST_TASKS_SHOWN:
            yield from ((f"{kind} {task}", value) for task, value in zip(tasks, values, strict=True))
        else:
            others = [value for value in values[1:] if value is not None]
            yield f"{kind} {tasks[0]}", values[0]
            yield f"{kind} (mean of {len(tasks) - 1} auxiliary tasks)", np.mean(others).item() if others else None
    yield "lr", row["lr"]
    for name, value in row["diagnostics"].items():
        yield f"diagnostics {name}", value


def _rounded(value: float | None) -> float | None:
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")
