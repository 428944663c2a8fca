"""What there is of the paper's tables, in a screen: cells measured and missing, and where all of it is written."""

from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path

import pandas as pd

from benchmark.report.paper import PaperTable
from benchmark.tables.data import Results, State

NEAR = 2
"""Standard errors within which a measured number agrees with the published one."""

ROUNDING = 1e-9
"""Of differences, relative: two errors that are two on paper are two."""

STATES: tuple[State, ...] = ("measured", "partial", "missing", "failed", "declined")


def summary(table: PaperTable) -> pd.DataFrame:
    """Return a row a suite: numbers of cells in each state, and how many measured ones agree with the paper.

    A cell is a number that the paper published of a method that is in `baselines/`. A state that no cell is in has no
    column, but for "measured".
    """
    lines = [_line(table, each) for each in table.results]
    empty = [state for state in STATES[1:] if not any(line[state] for line in lines)]
    return pd.DataFrame(lines).drop(columns=empty)


def _line(table: PaperTable, results: Results) -> dict[str, object]:
    shown = [(row, cell) for row in results.rows for cell in row.cells if cell.published is not None]
    found = [cell.difference for row, cell in shown if row.state == "measured" and not isnan(cell.difference)]
    near = sum(abs(difference) <= NEAR * (1 + ROUNDING) for difference in found)
    counts = {state: sum(row.state == state for row, _ in shown) for state in STATES}
    agreeing = {} if table.sample else {f"≤ {NEAR} SE": f"{near} of {len(found)}" if found else "–"}
    return {"suite": results.suite, "cells": len(shown), **counts, **agreeing}


def closing_lines(
    tables: Sequence[PaperTable], files: Sequence[Path], figures: Iterable[tuple[Path, int]]
) -> list[str]:
    """Return what is said below the summaries: what to run next, and where tables and figures are.

    Args:
        tables: All of them.
        files: Of the tables, the one to read first.
        figures: Folders and how many files of figures each has.
    """
    notes = [note for table in tables for note in table.notes if note.command]
    lines = [
        "cells: numbers of the paper. partial, where there are any: some final runs are missing. "
        f"≤ {NEAR} SE: measured cells that differ from the paper by at most {NEAR} standard errors."
    ]
    if notes:
        lines.append(f"To go on, {notes[0].text.partition('; ')[2]}")
        lines.append(f"Each other missing cell has its command in a note of {files[0]}.")
    lines.append(f"All tables, numbers and notes: {', '.join(map(str, files))}.")
    drawn = [f"{folder} ({count} files)" for folder, count in figures]
    return [*lines, f"Figures: {', '.join(drawn)}."] if drawn else lines
