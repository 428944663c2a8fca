"""Tables as files: Markdown, LaTeX, HTML, and CSV of the numbers and of the comparisons."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from benchmark.files import write_whole
from benchmark.tables import html, latex, markdown
from benchmark.tables.data import Results
from benchmark.tables.numbers import numbers
from benchmark.tables.sheet import Sheet, of_frame, results_sheet
from benchmark.text import spreadsheet


def write(results: Sequence[Results], folder: Path) -> list[str]:
    """Write tables of one suite into a folder and return the names of the files.

    Args:
        results: One for each plan that was run, the suite's own first.
        folder: Holds the files afterwards; one that is there is replaced.
    """
    sheets = [results_sheet(each) for each in results]
    texts = {
        "table.md": "\n\n".join(_markdown(*pair) for pair in zip(results, sheets, strict=True)) + "\n",
        "table.tex": latex.document(sheets),
        "table.html": html.page(results[0].title, _all_sheets(results, sheets)),
        "table.csv": numbers(results).map(spreadsheet).to_csv(index=False),
        "comparison.csv": comparisons(results).map(spreadsheet).to_csv(index=False),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return list(texts)


def comparisons(results: Sequence[Results]) -> pd.DataFrame:
    """Return the numbers of all comparisons, and of which table each is."""
    frames = [each.comparison.numbers.assign(table=each.title) for each in results]
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled) if filled else frames[0]


def _markdown(results: Results, sheet: Sheet) -> str:
    return "\n\n".join([markdown.markdown(sheet), *(markdown.markdown(each, level=2) for each in further(results))])


def _all_sheets(results: Sequence[Results], sheets: Sequence[Sheet]) -> Iterator[Sheet]:
    for each, sheet in zip(results, sheets, strict=True):
        yield from (sheet, *further(each))


def further(results: Results) -> Iterator[Sheet]:
    """Yield task weights and comparisons, a sheet a setting."""
    if results.weights is not None:
        for setting, frame in by_setting(results.weights):
            yield of_frame(f"Weight of each task at the end of training, {setting}", "", frame)
    caption = results.comparison.caption
    for setting, frame in results.comparison.by_setting():
        yield of_frame(f"Differences from the reference methods, {setting}", caption, frame)
        caption = ""


def by_setting(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each setting with its own columns and those that belong to no setting."""
    for setting in dict.fromkeys(name for name, _ in frame.columns if name):
        yield setting, frame.loc[:, [name in ("", setting) for name, _ in frame.columns]].droplevel(0, axis=1)
