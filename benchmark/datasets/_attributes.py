"""A table of the user's own in CSV: for each picture, columns of categories or of numbers."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, NoReturn

import numpy as np

from benchmark.cache import Arrays
from benchmark.errors import UserError

Kind = Literal["category", "number"]

MOST_WHOLE_NUMBERS = 20
"""A column of numbers is one of categories if they are whole and no more than these are different."""
GREATEST = 1e30
"""Absolute value up to which a cell is a number; the square of a greater one is beyond float32's range, or nearly."""
MAIN = "main"
"""Name of the main task, which no column can have."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: Its name, without the kind.
        categories: What its values stand for; none for a column of numbers.
        values: Of each picture, (N,): indices of categories, -1 where unknown, or numbers, NaN where unknown.
    """

    name: str
    categories: tuple[str, ...]
    values: np.ndarray


def read_attributes(content: bytes, where: str, pictures: Sequence[str]) -> list[Column]:
    """Return the columns of a table whose first column names pictures by file name or by the end of their path.

    A column is one of numbers if all of its filled cells are numbers, unless they are whole and at most
    `MOST_WHOLE_NUMBERS` different ones; any other one is of categories. `name:number` and `name:category` in the
    header decide it otherwise. An empty cell is unknown.

    Args:
        content: The file.
        where: What messages call it.
        pictures: Path of each picture.

    Raises:
        UserError: It is no such table; the line says where and why.
    """
    header, *lines = _lines(content, where)
    rows = _rows(lines, pictures, where)
    columns = []
    for position, title in enumerate(header[1:], start=1):
        cells = [""] * len(pictures)
        for row, line in rows.items():
            cells[row] = line[position].strip()
        columns.append(_column(title.strip(), cells, where))
    names = [column.name for column in columns]
    for name, count in Counter([MAIN, *names]).items():
        if count > 1:
            _refuse(where, f"its header has {name!r} " + ("for the class" if name == MAIN else "twice"))
    return columns


def _lines(content: bytes, where: str) -> list[list[str]]:
    """Return header and lines, all of the same length."""
    if b"\0" in content:
        _refuse(where, "it is no text; save it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [(reader.line_num, line) for line in reader if any(map(str.strip, line))]
    except UnicodeDecodeError:
        _refuse(where, "it is not in UTF-8; save it as CSV in UTF-8")
    except csv.Error as error:
        _refuse(where, f"it is no CSV table ({error})")
    header = lines[0][1] if lines else []
    if len(header) < 2:
        _refuse(where, "its header must be a column of file names and at least one more, with commas between them")
    for number, line in lines:
        if len(line) != len(header):
            _refuse(where, f"its line {number} has {len(line)} cells, its header {len(header)}")
    return [line for _, line in lines]


def _rows(lines: Sequence[Sequence[str]], pictures: Sequence[str], where: str) -> dict[int, Sequence[str]]:
    """Return the line of each picture that has one."""
    named = {name: [row] for row, name in enumerate(pictures)}
    for row, name in enumerate(pictures):
        for end in _ends(name):
            named.setdefault(end, []).append(row)
    rows: dict[int, Sequence[str]] = {}
    for line in lines:
        found = named.get(str(PurePosixPath(line[0].strip().replace("\\", "/"))), [])
        if len(found) != 1:
            several = f"two or more pictures, such as {' and '.join(pictures[row] for row in found[:2])}"
            _refuse(where, f"{line[0]!r} is the name of {several if found else 'no picture'}")
        if found[0] in rows:
            _refuse(where, f"it has two lines for {pictures[found[0]]}")
        rows[found[0]] = line
    return rows


def _ends(path: str) -> Iterator[str]:
    """Yield the ends of a path, whole names, without the path itself."""
    parts = PurePosixPath(path).parts
    return ("/".join(parts[start:]) for start in range(1, len(parts)))


def _column(title: str, cells: Sequence[str], where: str) -> Column:
    stem, _, asked = map(str.strip, title.rpartition(":"))
    kind: Kind | None = "number" if asked == "number" else "category" if asked == "category" else None
    name = stem if kind else title
    if not name.isprintable() or not name or "=" in name:
        _refuse(
            where, f"its header has {title!r}, which is no name: one is printable, not empty and has no equals sign"
        )
    filled = [cell for cell in cells if cell]
    odd = [cell for cell in filled if not is_number(cell)]
    if len(set(filled)) < 2:
        _refuse(
            where, f"its column {name!r} has {f'the one value {filled[0]!r}' if filled else 'no values'}; delete it"
        )
    if kind == "number" and odd:
        _refuse(where, f"its column {name!r} has {odd[0]!r}, which is no number; leave a cell empty that is unknown")
    if kind is None and 0 < len(odd) < len(filled):
        _refuse(
            where,
            f"its column {name!r} has numbers and {odd[0]!r}; leave unknown cells empty, or call it {name}:category",
        )
    whole = not odd and all(float(cell).is_integer() for cell in filled)
    if kind is None and whole and len({float(cell) for cell in filled}) <= MOST_WHOLE_NUMBERS:
        return _of_categories(name, [str(int(float(cell))) if cell else "" for cell in cells], where, key=int)
    if kind == "category" or odd:
        return _of_categories(name, cells, where, key=str)
    return Column(name, (), np.array([float(cell or "nan") for cell in cells]))


def is_number(cell: str) -> bool:
    """Return whether a cell is a number: decimal, with a point, and not too large to compute with."""
    return _NUMBER.fullmatch(cell) is not None and abs(float(cell)) <= GREATEST


def _of_categories(name: str, cells: Sequence[str], where: str, *, key: Callable[[str], int | str]) -> Column:
    """Return a column of categories in the order of `key`."""
    counts = Counter(filter(None, cells))
    if len(counts) < 2:
        _refuse(where, f"its column {name!r} has the one value {next(iter(counts))!r}; delete it")
    if max(counts.values()) == 1:
        _refuse(where, f"its column {name!r} has another category in each line; delete it, or call it {name}:number")
    categories = sorted(counts, key=key)
    index = {"": -1, **{category: number for number, category in enumerate(categories)}}
    return Column(name, tuple(categories), np.array([index[cell] for cell in cells]))


def _refuse(where: str, why: str) -> NoReturn:
    raise UserError(f"{where}: {why}")


def add_attributes(arrays: Arrays, columns: Sequence[Column]) -> None:
    """Write `category` (N, columns), indices into the list of all `column=category`, -1 unknown, and `number`.

    `number` is (N, columns), NaN where unknown. Where there are no columns of a kind there is no such array.
    """
    of_categories = [column for column in columns if column.categories]
    of_numbers = [column for column in columns if not column.categories]
    if of_categories:
        starts = np.cumsum([0, *(len(column.categories) for column in of_categories[:-1])])
        values = np.stack([column.values for column in of_categories], axis=1)
        arrays.add("category", np.where(values < 0, -1, values + starts), np.int64)
        arrays.name("category", [f"{column.name}={name}" for column in of_categories for name in column.categories])
    if of_numbers:
        arrays.add("number", np.stack([column.values for column in of_numbers], axis=1), np.float64)
        arrays.name("number", [column.name for column in of_numbers])


def categories_of(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the categories of each column from the names of `category`."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        column, _, category = name.partition("=")
        found[column] = (*found.get(column, ()), category)
    return found
