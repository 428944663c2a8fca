"""Sheets in LaTeX: booktabs, best in bold, ties underlined; needs no package but booktabs."""

from collections.abc import Iterator, Sequence

from benchmark.tables.sheet import LEGEND, Content, Sheet

PREAMBLE = "% Needs \\usepackage{booktabs}.\n"
"""What stands before tables: the only package that they need beyond LaTeX."""

MOST_COLUMNS = 8
"""Columns beside the first that a page is wide enough for; wider sheets are cut between groups into parts."""

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
    tabulars = "\n\n\\medskip\n".join(_tabular(sheet, columns) for columns in parts(sheet.heads))
    lines = [
        "\\begin{table}",
        "\\centering\\scriptsize\\setlength{\\tabcolsep}{3pt}",
        f"\\caption{{{escape(caption)}}}",
        tabulars,
        *_notes(sheet),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def parts(heads: Sequence[tuple[str, str]]) -> Iterator[list[int]]:
    """Yield the columns of each tabular: the first one and as many groups as a page is wide enough for.

    A group that is too wide alone is cut.
    """
    groups: list[list[int]] = []
    for number, (group, _) in enumerate(heads[1:], start=1):
        same = groups and heads[groups[-1][-1]][0] == group != ""
        if same and len(groups[-1]) < MOST_COLUMNS:
            groups[-1].append(number)
        else:
            groups.append([number])
    held: list[int] = []
    for group in groups:
        if held and len(held) + len(group) > MOST_COLUMNS:
            yield [0, *held]
            held = []
        held += group
    yield [0, *held]


def _tabular(sheet: Sheet, columns: Sequence[int]) -> str:
    heads = [sheet.heads[column] for column in columns]
    lines = [f"\\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}", "\\toprule"]
    if any(group for group, _ in heads):
        lines += _groups(heads)
    lines += [_line([escape(label) for _, label in heads]), "\\midrule"]
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
