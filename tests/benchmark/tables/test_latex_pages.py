"""Tables in LaTeX as pdflatex sets them: nothing is wider than a line or longer than a page."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from benchmark.report.paper import paper_tables, sheets
from benchmark.tables import latex
from benchmark.tables.data import Note
from benchmark.tables.sheet import Content, Sheet, of_rows
from tests.benchmark.helpers import ROOT

COMMITTED = ROOT / "results" / "reference" / "digits" / "table.tex"
METRICS = ("pixel_accuracy_per_image", "miou_per_image")


def log_of(tables: str, folder: Path) -> str:
    """Return what LaTeX says of tables in an article; widths of long ones are known the second time."""
    engine = shutil.which("pdflatex")
    if engine is None:
        pytest.skip("there is no pdflatex: apt-get install texlive-latex-base texlive-latex-recommended")
    head = "\\documentclass{article}\n\\usepackage{booktabs,longtable}\n\\begin{document}\n"
    (folder / "page.tex").write_text(f"{head}{tables}\\end{{document}}\n")
    for _ in range(2):
        words = [engine, "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stdout[-2000:]
    return (folder / "page.log").read_text(errors="replace")


def complaints(log: str) -> list[str]:
    return [line for line in log.splitlines() if "too large" in line or "Overfull" in line]


def a_sheet(*, methods: int, metrics: tuple[str, ...] = METRICS) -> Sheet:
    """Return a table as the paper's second one, of a setting of several metrics beside published numbers."""
    cells: Iterator[Mapping[tuple[str, str], Content]] = (
        {("", "method"): Content(f"auxilearn-deep-linear-{number}")}
        | {
            ("13-class", f"{metric}{end}"): Content(text, "best", marks=(1,))
            for metric in metrics
            for end, text in (("", "54.74 ± 0.94"), (" published", "55.37 ± 1.00"), (" Δ/SE", "+1.2"))
        }
        for number in range(methods)
    )
    command = f"run: python -m benchmark.run --methods {','.join(['auxilearn-nonlinear'] * 20)} --seeds 3"
    return of_rows("Title", "caption " * 50, cells, notes=[Note("missing", command, command)], ranked=True)


def test_the_committed_table_fits_its_pages(tmp_path: Path) -> None:
    assert complaints(log_of(COMMITTED.read_text(), tmp_path)) == []


def test_the_papers_tables_fit_their_pages(tmp_path: Path) -> None:
    tables = paper_tables({}, seed=0, results_dir=tmp_path, sample=False)
    written = latex.document(sheet for table in tables for sheet in sheets(table))
    assert complaints(log_of(written, tmp_path)) == []


@pytest.mark.parametrize("methods", [1, 12, 90])
def test_long_and_short_tables_fit_their_pages(tmp_path: Path, methods: int) -> None:
    written = latex.document([a_sheet(methods=methods), a_sheet(methods=1)])
    assert written.count("\\begin{longtable}") == (0 if methods == 1 else 4)
    assert complaints(log_of(written, tmp_path)) == []


def test_a_table_that_is_too_long_or_wide_would_be_seen(tmp_path: Path) -> None:
    assert complaints(log_of(latex.latex(a_sheet(methods=90), long=False), tmp_path))
    wide = of_rows("Title", "", [{("", "method"): Content("wide" * 50)}])
    assert complaints(log_of(latex.latex(wide), tmp_path))


def test_columns_of_a_metric_stand_together() -> None:
    sheet = a_sheet(methods=1, metrics=tuple("abcdefgh"))
    blocks = [[sheet.heads[column][1] for column in columns[1:]] for columns in latex.parts(sheet)]
    assert len(blocks) > 1
    assert [label for block in blocks for label in block] == [label for _, label in sheet.heads[1:]]
    for block in blocks:
        assert block == [f"{each[0]}{end}" for each in block[::3] for end in ("", " published", " Δ/SE")]


def test_each_row_and_note_is_written_once_in_each_block_and_heads_on_every_page() -> None:
    sheet = a_sheet(methods=90)
    written = latex.latex(sheet)
    blocks = len(list(latex.parts(sheet)))
    assert written.count("auxilearn-deep-linear-7 &") == blocks
    assert written.count("\\endhead") == written.count("\\endfirsthead") == blocks
    assert written.count("\\caption[") == 1
    assert written.count("\\addtocounter{table}{-1}") == blocks - 1, "all of one number"
    assert written.count("python -m benchmark.run") == 1
