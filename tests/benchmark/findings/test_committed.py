"""The tables that are committed beside records are those of the records."""

import re
from pathlib import Path

import pandas as pd
import pytest

from benchmark.figures.weights import final_weights
from benchmark.findings.runs import RESULTS, final_runs, records_of, succeeded
from benchmark.planned import PLANS, read_plans
from benchmark.report.suites import suite_results
from benchmark.tables.write import write
from benchmark.text import spreadsheet

FOLDERS = sorted(path.parent for path in RESULTS.glob("reference/*/table.md"))
RUN = ["table", "suite", "setting", "metric", "reference", "method", "task"]
"""Columns that say what the numbers of a row are of."""


def printed(path: Path) -> set[str]:
    """Return the rows with a number of the tables of a page, without the numbers of notes and the widths of columns."""
    lines = (re.sub(r" \[\d+\]|\s*(?=\|)|(?<=\|)\s*", "", line) for line in path.read_text("utf-8").splitlines())
    return {line for line in lines if re.match(r"\|.*\d", line)}


def numbers(path: Path) -> pd.DataFrame:
    """Return the rows of a file by what their numbers are of."""
    found = pd.read_csv(path)
    return found.set_index([name for name in RUN if name in found])


def agree(folder: Path, made: Path, name: str) -> None:
    """Check the committed numbers of a file, row by row in any order."""
    committed, again = numbers(folder / name), numbers(made / name)
    pd.testing.assert_frame_equal(committed, again, rtol=1e-9, check_dtype=False, check_like=True)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(RESULTS).as_posix())
def test_committed_tables_are_those_of_the_records(folder: Path, tmp_path: Path) -> None:
    records = {record.spec.digest: record for record in records_of(folder)}
    write(suite_results(folder.name, records, planned=read_plans(folder / PLANS), results_dir=folder.parent), tmp_path)
    assert printed(folder / "table.md") == printed(tmp_path / "table.md")
    agree(folder, tmp_path, "table.csv")
    agree(folder, tmp_path, "comparison.csv")
    if (folder / "weights.csv").exists():
        shares = final_weights(succeeded(final_runs(folder)))
        shares.map(spreadsheet).to_csv(tmp_path / "weights.csv", index=False)
        agree(folder, tmp_path, "weights.csv")


def test_another_number_is_seen(tmp_path: Path) -> None:
    for name in ("committed", "made"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.csv").write_text("table,method,mean\nx,stl,0.9697\n")
    agree(tmp_path / "committed", tmp_path / "made", "table.csv")
    (tmp_path / "committed" / "table.csv").write_text("table,method,mean\nx,stl,0.9997\n")
    with pytest.raises(AssertionError):
        agree(tmp_path / "committed", tmp_path / "made", "table.csv")
