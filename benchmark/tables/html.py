"""Sheets in HTML: static tables with captions and scopes, all text escaped."""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from benchmark.tables.sheet import LEGEND, Content, Sheet

MARKED = {"": "{}", "best": "<strong>{}</strong>", "tie": "<u>{}</u>"}
_LEGEND = LEGEND.format(best="Bold", tie="underlined")

STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}"
    "section{overflow-x:auto;margin-bottom:2.5rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "caption{caption-side:top;text-align:left;max-width:70rem;padding-bottom:.6rem}"
    "caption b{display:block;font-size:1.15em}"
    "th,td{padding:.25rem .7rem;text-align:right;white-space:nowrap}"
    "th[scope=row],thead th:first-child{text-align:left}"
    "th[scope=colgroup]{text-align:center;border-bottom:1px solid #999}"
    "thead{border-top:2px solid #333;border-bottom:1px solid #333}"
    "tbody{border-bottom:2px solid #333}"
    "tbody tr:hover{background:#f3f3f3}"
    "ol{font-size:.9em;max-width:70rem;overflow-wrap:anywhere}"
)


def page(title: str, sheets: Iterable[Sheet]) -> str:
    """Return a page of its own that holds sheets and nothing from elsewhere."""
    body = "\n".join(f"<section>\n{html(sheet, anchor=f't{number}')}</section>" for number, sheet in enumerate(sheets))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def html(sheet: Sheet, *, anchor: str) -> str:
    """Return a sheet as a table with caption, scopes and notes.

    Args:
        sheet: What to write.
        anchor: Start of the identifiers of its notes, one of its own on a page.
    """
    text = " ".join(filter(None, [sheet.caption, _LEGEND if sheet.ranked else ""]))
    rows = "\n".join(f"<tr>{_row(row, anchor)}</tr>" for row in sheet.rows)
    notes = "\n".join(
        f'<li id="{escape(anchor)}-{number}">{escape(note.text)}</li>'
        for number, note in enumerate(sheet.notes, start=1)
    )
    return (
        f"<table>\n<caption><b>{escape(sheet.title)}</b> {escape(text)}</caption>\n"
        f"<thead>\n{_head(sheet)}\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
        + (f"<ol>\n{notes}\n</ol>\n" if notes else "")
    )


def _head(sheet: Sheet) -> str:
    """Return one line of labels, below one of the groups where there are any."""
    labels = "".join(f'<th scope="col">{escape(label)}</th>' for _, label in sheet.heads)
    if not any(group for group, _ in sheet.heads):
        return f"<tr>{labels}</tr>"
    groups = "".join(
        f'<th scope="colgroup" colspan="{span}">{escape(group)}</th>' if group else "<td></td>" * span
        for group, span in _spans(sheet)
    )
    return f"<tr>{groups}</tr>\n<tr>{labels}</tr>"


def _spans(sheet: Sheet) -> Iterator[tuple[str, int]]:
    """Yield groups that stand beside each other and their numbers of columns."""
    for group, columns in groupby(head[0] for head in sheet.heads):
        yield group, len(list(columns))


def _row(row: Iterable[Content], anchor: str) -> str:
    first, *others = (cell(content, anchor) for content in row)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{text}</td>" for text in others)


def cell(content: Content, anchor: str) -> str:
    """Return a cell with links to its notes."""
    marks = "".join(f' <sup><a href="#{escape(anchor)}-{mark}">{mark}</a></sup>' for mark in content.marks)
    return MARKED[content.standing].format(escape(content.text)) + marks
