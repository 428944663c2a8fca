"""Sheets as files of every format."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.files import write_whole
from benchmark.tables import html, latex, markdown
from benchmark.tables.sheet import Sheet
from benchmark.text import spreadsheet


def write_sheets(name: str, title: str, sheets: Sequence[Sheet], numbers: pd.DataFrame, folder: Path) -> list[Path]:
    """Write sheets as Markdown, LaTeX and HTML and the numbers behind them as CSV; return the files.

    Args:
        name: Of the files, without ending.
        title: Of the page.
        sheets: In order.
        numbers: Behind the sheets.
        folder: Is made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "md": "\n\n".join(markdown.markdown(sheet, level=2) for sheet in sheets) + "\n",
        "tex": latex.document(sheets),
        "html": html.page(title, sheets),
        "csv": numbers.map(spreadsheet).to_csv(index=False),
    }
    paths = [folder / f"{name}.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_whole(path, text)
    return paths
