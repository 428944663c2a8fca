"""Formats: what stands in a cell stands in each of them, escaped, with its marks and its standing."""

import re
import xml.etree.ElementTree as ET

import pytest

from benchmark.tables import html, latex, markdown
from benchmark.tables.data import Note
from benchmark.tables.sheet import Content, Sheet, of_rows

NASTY = '<script>a & b | c_d 5% "e"</script>'
NOTE = Note("missing", f"run: {NASTY}", "command")


@pytest.fixture
def sheet() -> Sheet:
    rows = [
        {
            ("", "method"): Content(NASTY),
            (NASTY, "top1"): Content("1.00", "best"),
            (NASTY, "top3"): Content("2.00", "tie"),
        },
        {("", "method"): Content("b"), (NASTY, "top1"): Content("missing", marks=(1,))},
    ]
    return of_rows(NASTY, "caption", rows, notes=[NOTE], ranked=True)


def test_html_is_well_formed_escaped_and_has_scopes_and_a_caption(sheet: Sheet) -> None:
    page = html.page("page", [sheet])
    assert "<script>" not in page
    root = ET.fromstring(re.sub(r"<!doctype html>|<meta[^>]*>", "", page))
    assert [cell.get("scope") for cell in root.iter("th")] == ["colgroup", "col", "col", "col", "row", "row"]
    assert next(root.iter("th")).text == NASTY
    assert next(root.iter("strong")).text == "1.00"
    assert next(root.iter("u")).text == "2.00"
    (link,) = root.iter("a")
    assert [item.get("id") for item in root.iter("li")] == [str(link.get("href")).removeprefix("#")]
    assert "Bold: best mean of its column; underlined" in "".join(next(root.iter("caption")).itertext())


def test_markdown_has_as_many_cells_as_columns(sheet: Sheet) -> None:
    text = markdown.markdown(sheet)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {5}
    assert "**1.00**" in text
    assert "_2.00_" in text
    assert "missing [1]" in text
    assert "<script>" not in text.replace("\\<", "")
    assert "- [1] run:" in text


def test_latex_marks_the_best_and_ties_and_escapes(sheet: Sheet) -> None:
    text = latex.latex(sheet)
    assert r"\textbf{1.00} & \underline{2.00}" in text
    assert r"c\_d 5\%" in text
    assert not re.search(r"(?<!\\)[%_]", re.sub(r"\$\^\{?\w+\}?\$", "", text))


def test_wide_sheets_are_cut_between_groups() -> None:
    groups = [(f"group {n}", f"metric{m}") for n in range(5) for m in range(3)]
    row = {("", "method"): Content("a"), **{head: Content("12.34 ± 0.56") for head in groups}}
    found = list(latex.parts(of_rows("", "", [row])))
    assert [column for part in found for column in part if column] == list(range(1, 16))
    assert all(part[0] == 0 and len(part) % 3 == 1 for part in found), "no group is torn"
    assert len(found) > 1
