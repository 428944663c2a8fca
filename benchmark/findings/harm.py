"""The README's table of what each method does to harmful auxiliaries, from the committed runs on digits."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.commands import DEFAULT_RESULTS
from benchmark.figures.weights import mean_share
from benchmark.findings.runs import final_runs, succeeded
from benchmark.markdown import ABSENT, markdown

REFERENCE = Path(__file__).resolve().parents[2] / DEFAULT_RESULTS / "reference/digits"
HARMFUL = ("random", "shuffled")
BARS = ("stl", "rlw")
"""The methods that any other has to beat."""

VERDICTS = {"better": "better", "worse": "worse", "no significant difference": "≈"}

Rows = Sequence[dict[str, str]]


def harm(folder: Path = REFERENCE) -> str:
    """Return the table and which methods beat the bars, or nothing where there are no committed runs.

    Args:
        folder: Holds `table.csv`, `comparison.csv` and the records that they are of.
    """
    if not folder.is_dir():
        return ""
    scores = [row for row in _read(folder / "table.csv") if row["metric"] == "top1"]
    finals = succeeded(final_runs(folder))
    comparisons = _read(folder / "comparison.csv")
    cells: dict[str, dict[str, str]] = {}
    for score in scores:
        setting, method = score["setting"], score["method"]
        share = mean_share(succeeded(finals, method, setting), HARMFUL.__contains__)
        row = cells.setdefault(method, {"method": f"`{method}`"})
        row[f"{setting} top1"] = f"{100 * float(score['mean']):.2f} ± {100 * float(score['sem']):.2f}"
        row[f"{setting} harmful share"] = ABSENT if share is None else f"{100 * share:.1f} %"
        for bar in BARS:
            verdict = [found["verdict"] for found in _of(comparisons, setting, method) if found["reference"] == bar]
            row[f"{setting} vs {bar}"] = VERDICTS[verdict[0]] if verdict else ABSENT
    settings = dict.fromkeys(score["setting"] for score in scores)
    table = markdown(pd.DataFrame(list(cells.values())))
    return "\n\n".join([table, *(_sentence(comparisons, setting) for setting in settings)])


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _of(rows: Rows, setting: str, method: str) -> Rows:
    return [row for row in rows if (row["setting"], row["method"]) == (setting, method)]


def _sentence(comparisons: Rows, setting: str) -> str:
    """Return which methods beat each bar in a setting."""
    parts = []
    for bar in BARS:
        found = [row for row in comparisons if (row["setting"], row["reference"]) == (setting, bar)]
        better = [f"`{row['method']}`" for row in found if row["verdict"] == "better"]
        names = f" ({', '.join(better)})" if 0 < len(better) < len(found) else ""
        parts.append(f"{len(better)} of {len(found)} methods beat `{bar}` significantly{names}")
    return f"{setting}: {', '.join(parts)}."
