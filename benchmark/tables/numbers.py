"""The numbers behind tables, a row a setting, method and metric, for programs to read."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import nan

import numpy as np
import pandas as pd

from benchmark.statistics import summarize
from benchmark.tables.data import Results, Row

KEYS = ("suite", "setting", "method", "metric")
SPREAD = ("count", "mean", "sem", "std", "min", "median", "max")
ABOUT = ("trials", "peak_bytes", "standing", "published_mean", "published_sem", "published_runs", "difference_se")
COLUMNS = (*KEYS, *SPREAD, *ABOUT, "state", "command", "table")


def numbers(results: Sequence[Results], *, absent: bool = False) -> pd.DataFrame:
    """Return what final runs measured, in the units of records, and published numbers, which enter none of ours.

    Cost is the metric `step_sec`, in seconds. `command` fills what is missing.

    Args:
        results: Of one or several tables.
        absent: Whether methods without a final run stand there too, without numbers of ours.
    """
    rows = [line for each in results for row in each.rows if row.steps or absent for line in _lines(each, row)]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _lines(results: Results, row: Row) -> Iterator[dict[str, object]]:
    command = next((note.command for note in row.notes if note.command), "")
    keys = {"suite": results.suite, "setting": row.setting, "method": row.method}
    shared = {"trials": row.trials, "peak_bytes": row.peak_bytes, "state": row.state}
    shared |= {"command": command, "table": results.title}
    for cell in row.cells:
        theirs = {f"published_{key}": value for key, value in asdict(cell.published).items()} if cell.published else {}
        about = {"standing": cell.standing, "difference_se": cell.difference, **theirs}
        yield {**keys, "metric": cell.metric.name, **spread(list(cell.values.values())), **shared, **about}
    yield {**keys, "metric": "step_sec", **spread(row.steps), **shared, "standing": ""}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return number, mean, standard error and standard deviation (ddof 1), least, middle and greatest value."""
    found = summarize(values)
    array = np.asarray(values, float)
    std = found.sem * found.n**0.5
    least, middle, most = np.quantile(array, [0, 0.5, 1]).tolist() if found.n else (nan, nan, nan)
    ends = {"min": least, "median": middle, "max": most}
    return {"count": found.n, "mean": found.mean, "sem": found.sem, "std": std, **ends}
