"""Which data the committed runs were made with."""

import csv
from pathlib import Path

from benchmark.findings.runs import RESULTS, records_of
from benchmark.markdown import pipe_table

FILE = Path("data.csv")
"""What lay on the machine, by the digest of its content."""

GENERATED = "generated"
"""Begins the digests of data that a suite generates."""


def data(folder: Path = RESULTS) -> str:
    """Return what the data of each suite with committed records held.

    Raises:
        KeyError: The file does not say what a digest is of.
    """
    with (folder / FILE).open(newline="", encoding="utf-8") as file:
        known = {row["content"]: row for row in csv.DictReader(file)}
    suites: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*/*/records.jsonl")):
        for digest in {record.spec.data for record in records_of(path.parent)}:
            if not digest.startswith(GENERATED) and path.parent.name not in suites.setdefault(digest, []):
                suites[digest].append(path.parent.name)
    rows = [
        {
            "data": known[digest]["data set"],
            "content": f"`{digest}`",
            "what it held": known[digest]["held"],
            "suites": ", ".join(f"`{name}`" for name in sorted(names)),
        }
        for digest, names in suites.items()
    ]
    return pipe_table(sorted(rows, key=lambda row: row["data"].lower()))
