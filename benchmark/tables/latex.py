"""Sheets in LaTeX: booktabs, best in bold, ties underlined, as wide as a page of text; long ones go on overleaf."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from benchmark.tables.sheet import LEGEND, Content, Sheet, metric_of

PREAMBLE = (
    "% Needs \\usepackage{booktabs,longtable}. A longtable needs a single column of text: in a paper with two,\n"
    "% write \\onecolumn before it and \\twocolumn after it.\n"
)
"""What stands before tables: the only packages that they need beyond LaTeX."""

WIDTH = 345
"""Points of a line of text of LaTeX's own article, which is narrower than those of ICLR and NeurIPS."""

LETTER = 4.1
"""Points of a letter of the tables' size, in bold, on average."""

GAP = 6
"""Points between two columns."""

LINES = 50
"""Of the tables' size, the most that stand on one page: of 68 that article has room for."""

HEAD = 14
"""Letters of a word above a column that is not broken."""

MARKED = {"": "{}", "best": "\\textbf{{{}}}", "tie": "\\underline{{{}}}"}
_LETTERS = "\\scriptsize\\sloppy\\setlength{\\tabcolsep}{3pt}"
_LEGEND = LEGEND.format(best="Bold", tie="underlined")

DASHES = {"-", "–"}

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
    """Return `text` with LaTeX's special characters escaped; hyphens and dashes stay so beside each other."""
    pairs = zip_longest(text, text[1:], fillvalue="")
    return "".join(_SPECIAL.get(char, char) + "{}" * ({char, after} <= DASHES) for char, after in pairs)


def document(sheets: Iterable[Sheet]) -> str:
    """Return sheets with what they need; longtables all where one has to be, as floats would stand out of turn."""
    found = list(sheets)
    long = any(_lines(sheet, list(parts(sheet))) > LINES for sheet in found)
    return PREAMBLE + "\n".join(latex(sheet, long=long) for sheet in found)


def latex(sheet: Sheet, *, long: bool | None = None) -> str:
    """Return a sheet with caption, one table or several below each other, and notes.

    Args:
        sheet: The content.
        long: Whether it is broken between rows where a page ends, its heads repeated, and does not float; by default
            just where it may not fit on a page.
    """
    blocks = list(parts(sheet))
    long = _lines(sheet, blocks) > LINES if long is None else long
    return "\n".join(_broken(sheet, blocks) if long else _floating(sheet, blocks)) + "\n"


def _floating(sheet: Sheet, blocks: Sequence[Sequence[int]]) -> Iterator[str]:
    yield "\\begin{table}"
    yield f"\\centering{_LETTERS}"
    yield f"\\caption{_caption(sheet)}"
    yield "\n\n\\medskip\n".join(_tabular(sheet, columns) for columns in blocks)
    yield from _notes(sheet)
    yield "\\end{table}"


def _tabular(sheet: Sheet, columns: Sequence[int]) -> str:
    lines = [f"\\begin{{tabular}}{{{_alignment(columns)}}}", _heads(sheet, columns), _body(sheet, columns)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _broken(sheet: Sheet, blocks: Sequence[Sequence[int]]) -> Iterator[str]:
    """Yield a longtable a block, all of one number, and the notes as text below the last."""
    again = "\\caption*{\\tablename~\\thetable, continued} \\\\"
    yield f"\\begingroup{_LETTERS}\\setlength{{\\LTcapwidth}}{{\\linewidth}}"
    for number, columns in enumerate(blocks):
        if number:
            yield "\\addtocounter{table}{-1}"
        yield f"\\begin{{longtable}}{{{_alignment(columns)}}}"
        yield again if number else f"\\caption{_caption(sheet)} \\\\"
        yield f"{_heads(sheet, columns)}\n\\endfirsthead"
        yield f"{again}\n{_heads(sheet, columns)}\n\\endhead"
        yield "\\bottomrule\n\\endfoot"
        yield f"{_body(sheet, columns)}\n\\end{{longtable}}"
    yield from _notes(sheet)
    yield "\n\\endgroup"


def _lines(sheet: Sheet, blocks: Sequence[Sequence[int]]) -> int:
    """Return about how many lines a sheet takes."""
    notes = sum(math.ceil(len(note.text) * LETTER / WIDTH) for note in sheet.notes)
    caption = 2 * math.ceil(len(_words(sheet)) * 1.4 * LETTER / WIDTH)  # a float's is of the text's own size
    return caption + len(blocks) * (len(sheet.rows) + 5) + notes


def parts(sheet: Sheet) -> Iterator[list[int]]:
    """Yield the columns of each block: the first one and as many groups as a page is wide enough for.

    A group that is too wide alone is cut, but never between what was measured, what was published and their difference.
    """
    held: list[int] = []
    for _, columns in groupby(range(1, len(sheet.heads)), key=lambda column: sheet.heads[column][0]):
        group = list(columns)
        pieces = [group] if _width(sheet, [0, *group]) <= WIDTH else _metrics(sheet, group)
        for piece in pieces:
            if held and _width(sheet, [0, *held, *piece]) > WIDTH:
                yield [0, *held]
                held = []
            held += piece
    yield [0, *held]


def _metrics(sheet: Sheet, group: Iterable[int]) -> list[list[int]]:
    """Return the columns of a group, those of a metric together."""
    found = groupby(group, key=lambda column: metric_of(sheet.heads[column][1]))
    return [list(columns) for _, columns in found]


def _width(sheet: Sheet, columns: Sequence[int]) -> float:
    """Return about how many points columns take, with the names of groups above them."""
    total = 0.0
    for name, members in groupby(columns, key=lambda column: sheet.heads[column][0]):
        own = sum(LETTER * max(map(len, _texts(sheet, column))) + GAP for column in members)
        total += max(own, LETTER * len(name) + GAP)
    return total


def _texts(sheet: Sheet, column: int) -> Iterator[str]:
    yield from _stacked(sheet.heads[column][1])
    yield from (row[column].plain for row in sheet.rows)


def _words(sheet: Sheet) -> str:
    return " ".join(filter(None, [f"{sheet.title}.", sheet.caption, _LEGEND if sheet.ranked else ""]))


def _caption(sheet: Sheet) -> str:
    """Return the arguments of a caption: for a list of tables, and for the table."""
    return f"[{{{escape(sheet.title)}}}]{{{running(_words(sheet))}}}"


def running(text: str) -> str:
    """Return text for a paragraph, in which commands may be broken behind a comma, a slash or an equals sign."""
    return re.sub(r"(?<=[,/=])(?=\S)", r"\\allowbreak{}", escape(text))


def _alignment(columns: Sequence[int]) -> str:
    return f"l{'r' * (len(columns) - 1)}"


def _heads(sheet: Sheet, columns: Sequence[int]) -> str:
    heads = [sheet.heads[column] for column in columns]
    groups = _groups(heads) if any(group for group, _ in heads) else []
    return "\n".join(["\\toprule", *groups, _line([_label(label) for _, label in heads]), "\\midrule"])


def _body(sheet: Sheet, columns: Sequence[int]) -> str:
    return "\n".join(_line([cell(row[column]) for column in columns]) for row in sheet.rows)


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
    words = [escape(word) for word in _stacked(label)]
    stack = r" \\ ".join(words)
    return words[0] if len(words) == 1 else f"\\shortstack[r]{{{stack}}}"


def _stacked(label: str) -> list[str]:
    """Return the lines of a label, a word each; long words are broken behind underscores."""
    lines = []
    for word in label.split(" "):
        pieces = re.findall(r"[^_]*_|[^_]+$", word) if len(word) > HEAD else [word]
        lines.append(pieces[0])
        for piece in pieces[1:]:
            if len(lines[-1] + piece) <= HEAD:
                lines[-1] += piece
            else:
                lines.append(piece)
    return lines


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def cell(content: Content) -> str:
    """Return a cell with its marks raised."""
    text = MARKED[content.standing].format(escape(content.text))
    marks = ",".join(map(str, content.marks))
    return f"{text}$^{{{marks}}}$" if marks else text


def _notes(sheet: Sheet) -> Iterator[str]:
    """Yield a paragraph a note below the table."""
    for number, note in enumerate(sheet.notes, start=1):
        yield f"\n\\noindent\\parbox{{\\linewidth}}{{\\raggedright $^{{{number}}}$ {running(note.text)}}}"
