import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets._attributes import GREATEST, MOST_WHOLE_NUMBERS, categories_of, is_number, read_attributes
from benchmark.errors import UserError

PICTURES = [f"images/{folder}/{number}.png" for folder in ("cat", "dog") for number in range(3)]
WHOLE = st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=6, max_size=6)
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=5).map(str.strip)


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def columns(*lines: str, pictures: list[str] = PICTURES) -> dict[str, list[object]]:
    """Return what each picture has in each column: a category, a number, or None."""
    found = {}
    for column in read_attributes(table(*lines), "a.csv", pictures):
        values, names = column.values.tolist(), column.categories
        found[column.name] = [
            (names[value] if value >= 0 else None) if names else (None if math.isnan(value) else value)
            for value in values
        ]
    return found


def of(header: str, *cells: str) -> list[object]:
    """Return a column of these cells."""
    lines = [f"{name},{cell}" for name, cell in zip(PICTURES, cells, strict=True)]
    (values,) = columns(f"file,{header}", *lines).values()
    return values


def test_names_are_ends_of_paths_and_lines_may_be_missing_and_in_any_order() -> None:
    found = columns(
        *('"file", colour,weight', "dog/2.png,red,1.5", "images/cat/0.png,blue,2.5", ""),
        *("./cat/1.png,red,", r"dog\1.png, blue ,-3e1"),
    )
    assert found == {
        "colour": ["blue", "red", None, None, "blue", "red"],
        "weight": [2.5, None, None, None, -30.0, 1.5],
    }


def test_a_file_name_alone_is_enough_where_only_one_picture_has_it() -> None:
    assert columns("file,a", "x.png,r", "y.png,s", "z.png,s", pictures=["c/x.png", "d/y.png", "d/z.png"]) == {
        "a": ["r", "s", "s"]
    }


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("a", ["1", "2", "", "2.0", "10", "2"], ["1", "2", None, "2", "10", "2"]),
        ("a", ["1.5", "2", "", "2", "2", "2"], [1.5, 2, None, 2, 2, 2]),
        ("a:number", ["1", "2", "", "2", "2", "2"], [1, 2, None, 2, 2, 2]),
        ("a : category", ["1.5", "2", "", "2", "1.5", "2"], ["1.5", "2", None, "2", "1.5", "2"]),
        ("a:category", ["1", "NA", "", "NA", "1", "2"], ["1", "NA", None, "NA", "1", "2"]),
        ("a: b", ["x", "y", "", "y", "y", "y"], ["x", "y", None, "y", "y", "y"]),
    ],
)
def test_what_a_column_is(header: str, cells: list[str], expected: list[object]) -> None:
    assert of(header, *cells) == expected


@pytest.mark.parametrize("different", [MOST_WHOLE_NUMBERS, MOST_WHOLE_NUMBERS + 1])
def test_many_whole_numbers_are_numbers(different: int) -> None:
    pictures = [f"{number}.png" for number in range(2 * different)]
    lines = [f"{name},{number % different}" for number, name in enumerate(pictures)]
    (column,) = read_attributes(table("file,a", *lines), "a.csv", pictures)
    assert bool(column.categories) == (different <= MOST_WHOLE_NUMBERS)
    assert column.categories in ((), tuple(map(str, range(different)))), "in the order of the numbers"
    assert column.values.tolist() == [number % different for number in range(2 * different)]


@given(WHOLE, st.lists(st.one_of(st.just(""), TEXT), min_size=6, max_size=6))
def test_any_table_is_read_back(numbers: list[int | None], texts: list[str]) -> None:
    file = io.StringIO()
    rows = zip(PICTURES, ["" if n is None else n for n in numbers], texts, strict=True)
    csv.writer(file).writerows([("file", "a:number", "b:category"), *rows])
    enough = len({n for n in numbers if n is not None}) > 1 and 2 <= len({*texts} - {""}) < len([t for t in texts if t])
    if not enough:
        with pytest.raises(UserError, match=r"^a\.csv: its column"):
            read_attributes(file.getvalue().encode(), "a.csv", PICTURES)
        return
    first, second = read_attributes(file.getvalue().encode("utf-8-sig"), "a.csv", PICTURES)
    assert [None if math.isnan(value) else int(value) for value in first.values] == numbers
    assert ["" if value < 0 else second.categories[value] for value in second.values] == texts


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False).map(repr), st.integers().map(str)))
def test_every_number_is_one(text: str) -> None:
    assert is_number(text) == (abs(float(text)) <= GREATEST)


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1_000", "1,5", "0x10", "1 2", "٣", "e5", "."])
def test_what_is_no_number(text: str) -> None:
    assert not is_number(text)


def test_categories_of_names() -> None:
    assert categories_of(["a=1", "a=x=y", "b=1"]) == {"a": ("1", "x=y"), "b": ("1",)}


LINES = [f"{name},{'xy'[row % 2]}" for row, name in enumerate(PICTURES)]
BROKEN = {
    "unknown file": (table("file,a", *LINES, "cat/9.png,x"), "'cat/9.png' is the name of no picture"),
    "double file": (table("file,a", *LINES, "dog/0.png,x"), "two lines for images/dog/0.png"),
    "ambiguous": (
        table("file,a", "0.png,x"),
        "'0.png' is the name of two or more pictures, such as images/cat/0.png",
    ),
    "nothing": (b"", "its header must be a column of file names and at least one more"),
    "no columns": (table("file", "0.png"), "with commas between them"),
    "semicolons": (table("file;a", "0.png;x"), "with commas between them"),
    "long line": (table("file,a", *LINES[:2], "dog/0.png,x,y"), "its line 4 has 3 cells, its header 2"),
    "short line": (table("file,a,b", "dog/0.png,x"), "its line 2 has 2 cells, its header 3"),
    "binary": (b"\x89PNG\r\n\0\0", "it is no text"),
    "UTF-16": ("file,a\n".encode("utf-16"), "it is no text"),
    "Latin 1": ("file,größe\n".encode("latin1"), "it is not in UTF-8"),
    "open quote": (table("file,a", '"dog/0.png,x'), "it is no CSV table"),
    "empty name": (table("file,", *LINES), "its header has '', which is no name"),
    "escape code": (table("file,\x1b[31mx", *LINES), "which is no name"),
    "equals sign": (table("file,a=b", *LINES), "its header has 'a=b', which is no name"),
    "twice": (table("file,a,a:category", *(f"{line},{line[-1]}" for line in LINES)), "its header has 'a' twice"),
    "main": (table("file,main", *LINES), "its header has 'main' for the class"),
    "no values": (table("file,a", "dog/0.png,"), "its column 'a' has no values; delete it"),
    "one value": (table("file,a", "dog/0.png,x", "dog/1.png,x"), "its column 'a' has the one value 'x'"),
    "one number": (table("file,a", "dog/0.png,1", "dog/1.png,1.0", "dog/2.png,1"), "has the one value '1'"),
    "all differ": (table("file,a", "dog/0.png,x", "dog/1.png,y"), "has another category in each line"),
    "mixed": (
        table("file,a", "dog/0.png,1", "dog/1.png,NA"),
        "has numbers and 'NA'; leave unknown cells empty",
    ),
    "no number": (table("file,a:number", "dog/0.png,1", "dog/1.png,NA"), "has 'NA', which is no number"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_told_in_one_line(case: str) -> None:
    content, message = BROKEN[case]
    with pytest.raises(UserError) as error:
        read_attributes(content, "a.csv", PICTURES)
    assert str(error.value).startswith("a.csv: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
