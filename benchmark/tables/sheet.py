"""What a table shows, cell by cell, before any format: the same content for Markdown, LaTeX, HTML and the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import pandas as pd

from benchmark.tables.data import Cell, Note, Results, Row, Standing

ABSENT = "–"
MIB = 2**20
PUBLISHED, COMPARED = " published", " Δ/SE"
"""Ends of the labels of columns beside a metric's own."""

LEGEND = (
    "{best}: best mean of its column; {tie}: not significantly worse than it (two-sided paired t-test over the seeds, "
    "Holm's correction for all methods of the column, 0.05)."
)
"""What the marks of the best stand for; each format names its own."""

DIFFERENCE = (
    "Δ/SE: measured less published in standard errors, (ours - theirs) / sqrt(sem_ours² + sem_theirs²). Published "
    "numbers are the paper's and enter none of ours."
)


@dataclass(frozen=True)
class Content:
    """A cell: its text, where it stands in its column, and the numbers of its footnotes."""

    text: str
    standing: Standing = ""
    marks: tuple[int, ...] = ()

    @property
    def plain(self) -> str:
        """Text and marks as they are printed."""
        return " ".join([self.text, *(f"[{mark}]" for mark in self.marks)])


@dataclass(frozen=True)
class Sheet:
    """A table ready to be written in any format.

    Attributes:
        title: Its name.
        caption: How its numbers came about; empty where it belongs to a table before it.
        heads: Group and label of each column; the group is empty for a column of its own.
        rows: A content a column.
        notes: What the marks stand for, from 1 on.
        ranked: Whether the best of each column are marked.
    """

    title: str
    caption: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Content, ...], ...]
    notes: tuple[Note, ...] = ()
    ranked: bool = False


def results_sheet(results: Results) -> Sheet:
    """Return the sheet of a suite's results: a row a method; setting by setting its metrics and costs; trials last.

    Where a method has other numbers of trials in other settings, they stand setting by setting, too.
    """
    numbers = {note: number for number, note in enumerate(results.notes, start=1)}
    own = {row.method: [each for each in results.rows if each.method == row.method] for row in results.rows}
    together = all(len(set(map(trials_text, found))) == 1 for found in own.values())
    rows: dict[str, dict[tuple[str, str], Content]] = {}
    for row in results.rows:
        cells = rows.setdefault(row.method, {("", "method"): Content(row.method)})
        cells |= {(row.setting, label): content for label, content in contents(row, numbers).items()}
        cells[row.setting, "s/step"] = seconds(row, numbers)
        cells[row.setting, "MiB"] = memory(row)
        if not together:
            cells[row.setting, "trials"] = trials([row], numbers)
    if together:
        for method, cells in rows.items():
            cells["", "trials"] = trials(own[method], numbers)
    compared = any(cell.compared for row in results.rows for cell in row.cells)
    ranked = any(cell.standing for row in results.rows for cell in row.cells)
    text = f"{results.caption} {DIFFERENCE}" if compared else results.caption
    return of_rows(results.title, text, rows.values(), notes=results.notes, ranked=ranked)


def of_rows(
    title: str,
    caption: str,
    rows: Iterable[Mapping[tuple[str, str], Content]],
    *,
    notes: Sequence[Note] = (),
    ranked: bool = False,
) -> Sheet:
    """Return the sheet of rows that map group and label to contents; what a row does not have is a dash."""
    kept = list(rows)
    heads = tuple(dict.fromkeys(head for row in kept for head in row))
    dash = Content(ABSENT)
    filled = tuple(tuple(row.get(head, dash) for head in heads) for row in kept)
    return Sheet(title, caption, heads, filled, tuple(notes), ranked)


def of_frame(title: str, caption: str, frame: pd.DataFrame) -> Sheet:
    """Return the sheet of a frame of text, whose columns are labels or pairs of group and label."""
    heads = tuple(("", column) if isinstance(column, str) else (column[0], column[1]) for column in frame.columns)
    rows = tuple(tuple(Content(str(value)) for value in row) for row in frame.itertuples(index=False))
    return Sheet(title, caption, heads, rows)


def frame_of_sheet(sheet: Sheet) -> pd.DataFrame:
    """Return a sheet as a frame of plain text with columns (group, label)."""
    rows = [[content.plain for content in row] for row in sheet.rows]
    return pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(sheet.heads))


def contents(row: Row, numbers: Mapping[Note, int]) -> dict[str, Content]:
    """Return the contents of a row's metrics by label: measured, published, and, but for samples, the difference."""
    found = {}
    for cell in row.cells:
        found[cell.metric.name] = measured(row, cell, numbers)
        if cell.in_table:
            found[f"{cell.metric.name}{PUBLISHED}"] = Content(published_text(cell))
        if cell.compared:
            found[f"{cell.metric.name}{COMPARED}"] = Content(difference_text(cell))
    return found


def metric_of(label: str) -> str:
    """Return the metric that a column of `contents` is of, or another column's own label."""
    return label.removesuffix(PUBLISHED).removesuffix(COMPARED)


def measured(row: Row, cell: Cell, numbers: Mapping[Note, int]) -> Content:
    """Return `mean ± sem`, a dash for a method that declines, or a word; with the marks of the row's notes."""
    marks = tuple(numbers[note] for note in row.notes)
    text = mean_text(cell.summary.mean, cell.summary.sem, percent=cell.metric.percent)
    if isnan(cell.summary.mean):
        text = ABSENT if row.state == "declined" else row.state
    return Content(text, cell.standing, marks)


def published_text(cell: Cell) -> str:
    """Return what the paper published in a cell's place, with the two decimals of its tables."""
    if cell.published is None:
        return ABSENT
    return mean_text(cell.published.mean, cell.published.sem, percent=cell.metric.percent)


def difference_text(cell: Cell) -> str:
    """Return measured less published in standard errors."""
    return ABSENT if isnan(cell.difference) else f"{cell.difference:+z.1f}"


def mean_text(mean: float, sem: float, *, percent: bool) -> str:
    """Return a mean and its standard error, if it has one, in percent or as it is."""
    scale, digits = (100, 2) if percent else (1, 3)
    if isnan(mean):
        return ABSENT
    text = f"{scale * mean:.{digits}f}"
    return text if isnan(sem) else f"{text} ± {scale * sem:.{digits}f}"


def seconds(row: Row, numbers: Mapping[Note, int]) -> Content:
    """Return seconds a training step."""
    marks = () if row.cost_note is None else (numbers[row.cost_note],)
    return Content(ABSENT if isnan(row.step_sec) else f"{row.step_sec:.5f}", marks=marks)


def memory(row: Row) -> Content:
    """Return peak memory in MiB."""
    return Content(ABSENT if isnan(row.peak_bytes) else f"{row.peak_bytes / MIB:.0f}")


def trials(rows: Sequence[Row], numbers: Mapping[Note, int]) -> Content:
    """Return the number of trials that rows share, with the marks of trials that gave no result."""
    marks = [numbers[row.trials_note] for row in rows if row.trials_note is not None]
    return Content(trials_text(rows[0]), marks=tuple(dict.fromkeys(marks)))


def trials_text(row: Row) -> str:
    """Return the number of trials that were made, of those planned where some are missing, and who proposed them."""
    if row.trials is None:
        return ABSENT
    made = str(row.trials) if row.planned in (None, row.trials) else f"{row.trials} of {row.planned}"
    return f"{made} {row.sampler}".rstrip()
