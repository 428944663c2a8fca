"""MNIST's single task with narrower networks, as `benchmark.explanations.widths` measured it, and the preprint's."""

from pathlib import Path

from benchmark.explanations.widths import FILE, SETTING
from benchmark.findings.runs import RESULTS
from benchmark.markdown import pipe_table
from benchmark.published import FOLDER
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import newest, origins, read


def mnist_widths(folder: Path = RESULTS) -> str:
    """Return accuracies by width, the best first, and the preprint's."""
    found = sorted(newest(read(folder / FILE, Measurement)), key=lambda row: -row.value)
    rows = [
        {
            "channels": row.what.rpartition("channels ")[2],
            "test top1": f"{row.value:.2f}",
            "lowest and highest run": f"{row.lowest:.2f} to {row.highest:.2f}",
        }
        for row in found
    ]
    return (
        f"{pipe_table(rows)}\n\nSingle task, {SETTING}, percent, mean of {found[0].turns} final runs; the preprint: "
        f"{_published():.1f}. {origins(found)}."
    )


def _published(folder: Path = FOLDER) -> float:
    """Return the preprint's accuracy of the single task, in percent."""
    import pandas as pd

    printed = pd.read_csv(folder / "table3_preprint_v1.csv")
    own = printed[(printed.suite == "mnist") & (printed.setting == SETTING) & (printed.method == "stl")]
    return float(own["mean"].item())
