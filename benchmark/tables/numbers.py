"""The numbers behind tables, a row a setting, method and metric, for programs to read."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from benchmark.statistics import summarize
from benchmark.tables.data import Results, Row

KEYS = ("suite", "setting", "method", "metric")
SPREAD = ("count", "mean", "sem", "std", "min", "median", "max")
ABOUT = ("trials", "peak_bytes", "standing", "published_mean", "published_sem", "published_runs", "difference_se")
COLUMNS = (*KEYS, *SPREAD, *ABOUT, "table")


def numbers(results: Sequence[Results]) -> pd.DataFrame:
    """Return what final runs measured, in the units of records, then published numbers, which enter none of ours.

    Cost is the metric `step_sec`, in seconds. Nothing stands there for methods without a final run.
    """
    rows = [line for each in results for row in each.rows for line in _lines(each, row)]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _lines(results: Results, row: Row) -> list[dict[str, object]]:
    if row.state not in ("measured", "partial"):
        return []
    keys = {"suite": results.suite, "setting": row.setting, "method": row.method}
    shared = {"trials": row.trials, "peak_bytes": row.peak_bytes, "table": results.title}
    lines: list[dict[str, object]] = []
    for cell in row.cells:
        theirs = {f"published_{key}": value for key, value in asdict(cell.published).items()} if cell.published else {}
        about = {"standing": cell.standing, "difference_se": cell.difference, **theirs}
        lines.append({**keys, "metric": cell.metric.name, **spread(list(cell.values.values())), **shared, **about})
    return [*lines, {**keys, "metric": "step_sec", **spread(row.steps), **shared, "standing": ""}]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return number, mean, standard error and standard deviation (ddof 1), least, middle and greatest value."""
    found = summarize(values)
    array = np.asarray(values, float)
    std = found.sem * found.n**0.5
    ends = {"min": array.min().item(), "median": np.median(array).item(), "max": array.max().item()}
    return {"count": found.n, "mean": found.mean, "sem": found.sem, "std": std, **ends}
