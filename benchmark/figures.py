"""Figures of a suite, written beside its table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.plan import Arm
from benchmark.record import Record
from benchmark.table import final_records

FORMATS = ("pdf", "png")


def write_figures(arms: Sequence[Arm], records: Mapping[str, Record], folder: Path) -> list[str]:
    """Draw the suite's own figures as PDF and PNG and return their file names."""
    finals = [record for arm in arms for record in final_records(arm, records) if record.status == "ok"]
    written = []
    for name, figure in arms[0].suite.figures(finals).items():
        for suffix in FORMATS:
            figure.savefig(folder / f"{name}.{suffix}", dpi=200)
            written.append(f"{name}.{suffix}")
    return written
