"""Markdown that is generated: tables without padding, and text that shows as it is."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

ABSENT = "–"

_MARKUP = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]) | [|`*~$] | <(?=[A-Za-z/!?]) | &(?=\#?\w+;) | (?<=\])[(\[:] | (?<!\w)_ | _(?!\w)""",
    re.VERBOSE,
)


def pipe_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a table without padding, so that a change of one row is a change of one line."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, within a table too; what stands between backticks is code."""
    parts = text.split("`")
    return "`".join(part if number % 2 else re.sub(r"([|<*])", r"\\\1", part) for number, part in enumerate(parts))


def literal(text: str) -> str:
    """Return text of which Markdown shows every character, within a table too, whatever names are in it."""
    return _MARKUP.sub(r"\\\g<0>", text)


def fact_table(rows: Mapping[str, str]) -> str:
    """Return a table without a head, a row a key."""
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())])


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame of Markdown as a padded pipe table; a column's group stands before its label."""
    flat = frame.set_axis(
        [column if isinstance(column, str) else " ".join(filter(None, column)) for column in frame], axis=1
    )
    return flat.to_markdown(index=False, disable_numparse=True)
