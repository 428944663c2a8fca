"""Which data the committed runs were made with."""

import csv
from collections.abc import Iterable
from pathlib import Path

from benchmark.findings.runs import RESULTS, records_of
from benchmark.markdown import pipe_table
from benchmark.record import Record

FILE = Path("data.csv")
"""What lay on the machine, by the digest of its content."""

COMPLETE = "all of it"
"""Begins what is said of a complete release."""

GENERATED = "generated"
"""Begins the digests of data that a suite generates."""


def known(folder: Path = RESULTS) -> dict[str, dict[str, str]]:
    """Return what is known of data, by the digest of their content."""
    with (folder / FILE).open(newline="", encoding="utf-8") as file:
        return {row["content"]: row for row in csv.DictReader(file)}


def parts(records: Iterable[Record]) -> str:
    """Return in a sentence which data sets of runs were parts of a release; empty where all were complete."""
    about = known()
    told = [about[digest]["held"] for digest in sorted({each.spec.data for each in records} & about.keys())]
    found = [held for held in told if not held.startswith(COMPLETE)]
    return f" Data: {'; '.join(found)}." if found else ""


def data(folder: Path = RESULTS) -> str:
    """Return what the data of each suite with committed records held.

    Raises:
        KeyError: The file does not say what a digest is of.
    """
    about = known(folder)
    suites: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*/*/records.jsonl")):
        for digest in sorted({record.spec.data for record in records_of(path.parent)}):
            if not digest.startswith(GENERATED) and path.parent.name not in suites.setdefault(digest, []):
                suites[digest].append(path.parent.name)
    rows = [
        {
            "data": about[digest]["data set"],
            "content": f"`{digest}`",
            "what it held": about[digest]["held"],
            "suites": ", ".join(f"`{name}`" for name in sorted(names)),
        }
        for digest, names in suites.items()
    ]
    return pipe_table(sorted(rows, key=lambda row: (row["data"].lower(), row["content"])))
