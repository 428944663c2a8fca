"""Sheets in Markdown: pipe tables, best in bold, ties in italics."""

from benchmark.markdown import literal
from benchmark.markdown import markdown as pipe
from benchmark.tables.sheet import LEGEND, Content, Sheet, frame_of_sheet

MARKED = {"": "{}", "best": "**{}**", "tie": "_{}_"}
_LEGEND = LEGEND.format(best="Bold", tie="italic")


def markdown(sheet: Sheet, *, level: int = 1) -> str:
    """Return a sheet with its title as a heading of that level, caption, table and notes."""
    frame = frame_of_sheet(sheet)
    for number, row in enumerate(sheet.rows):
        frame.iloc[number] = [cell(content) for content in row]
    frame.columns = [" ".join(filter(None, (literal(part) for part in head))) for head in sheet.heads]
    caption = " ".join(filter(None, [literal(sheet.caption), _LEGEND if sheet.ranked else ""]))
    notes = "\n".join(f"- [{number}] {literal(note.text)}" for number, note in enumerate(sheet.notes, start=1))
    heading = f"{'#' * level} {literal(sheet.title)}" if sheet.title else ""
    return "\n\n".join(filter(None, [heading, caption, pipe(frame), notes]))


def cell(content: Content) -> str:
    """Return a cell as Markdown shows it."""
    text = MARKED[content.standing].format(literal(content.text))
    return " ".join([text, *(f"[{mark}]" for mark in content.marks)])
