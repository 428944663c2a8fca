"""Numbers that the paper published, kept apart from ours."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "results" / "paper"
COLUMNS = ["suite", "setting", "method", "metric", "mean", "sem", "runs"]


def published(suite: str, folder: Path = FOLDER) -> pd.DataFrame:
    """Return the published rows of a suite, in percent; where two tables give a cell, the first file by name counts."""
    frames = [pd.read_csv(path) for path in sorted(folder.glob("*.csv"))]
    rows = [frame[frame["suite"] == suite] for frame in frames if list(frame.columns) == COLUMNS]
    if not rows:
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    by_cell = pd.concat(rows).groupby(["suite", "setting", "method", "metric"], sort=False, as_index=False)
    return pd.DataFrame(by_cell.first())
