"""Sheets in LaTeX: booktabs, best in bold, ties underlined; needs no package but booktabs."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from benchmark.tables.sheet import LEGEND, Content, Sheet

PREAMBLE = "% Needs \\usepackage{booktabs}.\n"
"""What stands before tables: the only package that they need beyond LaTeX."""

MOST_CHARACTERS = 105
"""Of a line of a table that a page is wide enough for; wider sheets are cut into parts, between groups if possible."""

GAP = 2
"""Characters that the space between two columns is as wide as."""

MARKED = {"": "{}", "best": "\\textbf{{{}}}", "tie": "\\underline{{{}}}"}
_LEGEND = LEGEND.format(best="Bold", tie="underlined")

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "²": r"$^2$",
    "Δ": r"$\Delta$",
    "–": "--",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{char: f"\\{char}" for char in "%_&#${}"},
}


def escape(text: str) -> str:
    """Return `text` with LaTeX's special characters escaped; two hyphens stay two."""
    return "".join(_SPECIAL.get(char, char) for char in text).replace("--", "-{}-") if text != "–" else "--"


def latex(sheet: Sheet) -> str:
    """Return a sheet as a table environment with caption, one tabular or several below each other, and notes."""
    caption = " ".join(filter(None, [f"{sheet.title}.", sheet.caption, _LEGEND if sheet.ranked else ""]))
    tabulars = "\n\n\\medskip\n".join(_tabular(sheet, columns) for columns in parts(sheet))
    lines = [
        "\\begin{table}",
        "\\centering\\scriptsize\\setlength{\\tabcolsep}{3pt}",
        f"\\caption{{{escape(caption)}}}",
        tabulars,
        *_notes(sheet),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def parts(sheet: Sheet) -> Iterator[list[int]]:
    """Yield the columns of each tabular: the first one and as many groups as a page is wide enough for.

    A group that is too wide alone is cut.
    """
    widths = [GAP + max(map(len, _texts(sheet, column))) for column in range(len(sheet.heads))]
    groups = [list(columns) for _, columns in groupby(range(1, len(widths)), key=lambda column: sheet.heads[column][0])]
    room = MOST_CHARACTERS - widths[0]
    held: list[int] = []
    for group in groups:
        pieces = [group] if sum(widths[column] for column in group) <= room else [[column] for column in group]
        for piece in pieces:
            if held and sum(widths[column] for column in (*held, *piece)) > room:
                yield [0, *held]
                held = []
            held += piece
    yield [0, *held]


def _texts(sheet: Sheet, column: int) -> Iterator[str]:
    yield from sheet.heads[column][1].split(" ")
    yield from (row[column].plain for row in sheet.rows)


def _tabular(sheet: Sheet, columns: Sequence[int]) -> str:
    heads = [sheet.heads[column] for column in columns]
    lines = [f"\\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}", "\\toprule"]
    if any(group for group, _ in heads):
        lines += _groups(heads)
    lines += [_line([_label(label) for _, label in heads]), "\\midrule"]
    lines += [_line([cell(row[column]) for column in columns]) for row in sheet.rows]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _groups(heads: Sequence[tuple[str, str]]) -> list[str]:
    """Return the line of the groups above their labels, and rules below them."""
    cells, rules, start = [], [], 0
    while start < len(heads):
        group, end = heads[start][0], start + 1
        while group and end < len(heads) and heads[end][0] == group:
            end += 1
        cells.append(f"\\multicolumn{{{end - start}}}{{c}}{{{escape(group)}}}" if group else "")
        rules += [f"\\cmidrule(lr){{{start + 1}-{end}}}"] if group else []
        start = end
    return [_line(cells), " ".join(rules)]


def _label(label: str) -> str:
    """Return a label, its words below each other."""
    words = [escape(word) for word in label.split(" ")]
    stack = r" \\ ".join(words)
    return words[0] if len(words) == 1 else f"\\shortstack[r]{{{stack}}}"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def cell(content: Content) -> str:
    """Return a cell with its marks raised."""
    text = MARKED[content.standing].format(escape(content.text))
    marks = ",".join(map(str, content.marks))
    return f"{text}$^{{{marks}}}$" if marks else text


def _notes(sheet: Sheet) -> Iterator[str]:
    """Yield a paragraph a note below the tabular."""
    for number, note in enumerate(sheet.notes, start=1):
        yield f"\n\\noindent\\parbox{{\\linewidth}}{{\\raggedright $^{{{number}}}$ {escape(note.text)}}}"
