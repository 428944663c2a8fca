"""What is printed: tables in parts that a terminal can show, prose broken between words, whole numbers."""

import re
import sys
from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path
from unicodedata import east_asian_width

import pandas as pd
import pytest

from benchmark import display
from benchmark.comparison import Comparison
from benchmark.display import Display
from benchmark.engine import Resources
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.statistics import Summary
from benchmark.suite import Metric
from benchmark.tables.data import Cell, Note, Provenance, Results, Row
from benchmark.tables.sheet import of_frame
from benchmark.tables.table import Table
from benchmark.terminal import (
    FRAME,
    LEAST,
    WIDTH_IN_PIPE,
    console,
    cut,
    parts,
    print_entry,
    print_plan,
    print_sheets,
    print_table,
)
from tests.benchmark.helpers import Toy, a_record

CAPTION = "Words of a caption that is longer than a narrow terminal is wide, and so is broken between them."
METRICS = tuple(f"metric{number}" for number in range(25))
TASKS = ("main", "a task of a long name", "another task", "task")

Terminal = Callable[[int], None]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Return what makes the captured output a terminal of a width."""

    def made(width: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        for name, value in {"COLUMNS": str(width), "LINES": "50", "TERM": "xterm"}.items():
            monkeypatch.setenv(name, value)

    return made


def a_table(*notes: Note, method: str = "stl") -> Table:
    """Return a table of one method and many columns, with weights of a few tasks."""
    metrics = [Metric(name) for name in METRICS]
    cells = tuple(Cell(each, {1: 0.5}, Summary(1, 0.5, nan)) for each in metrics)
    comparison = Comparison(metrics[0], pd.DataFrame(columns=["setting"]))
    columns = pd.MultiIndex.from_tuples([("", "method"), *(("few", task) for task in TASKS)])
    weights = pd.DataFrame([[method, *["12345.678"] * len(TASKS)]], columns=columns)
    row = Row("toy", "few", method, "measured", cells, notes)
    return Table(Results("toy", "title", CAPTION, [row], comparison, weights, Provenance(2)))


def plain(text: str) -> list[str]:
    """Return lines without the terminal's commands and spaces at their ends."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")
    return [line.rstrip() for line in text.splitlines()]


def words(line: str) -> list[str]:
    return [word.strip() for word in re.split("[│┃]", line)]


def cells(line: str) -> int:
    """Return how wide a line is on a terminal."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


def grids(text: str) -> list[str]:
    """Return the lines of all tables that hold text."""
    return [line for line in plain(text) if line.startswith(("┃", "│"))]


@pytest.mark.parametrize("width", [22, 30, 45, 80, WIDTH_IN_PIPE])
@pytest.mark.parametrize("method", ["stl", "a-method-with-a-name-that-is-much-too-long", "方法方法方法"])
def test_a_table_is_printed_in_parts_with_all_of_its_columns_and_numbers(
    width: int, method: str, capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    if width != WIDTH_IN_PIPE:
        terminal(width)
    print_table(a_table(method=method), Path("folder"), ["table.md"])
    lines = grids(capsys.readouterr().out)
    heads = [words(line) for line in lines if line.startswith("┃")]
    assert len(heads) > 1
    assert {head[1] for head in heads} <= {"method", "met…"}
    found = [word for head in heads for word in head[2:-1]]
    assert [word for word in found if word in METRICS] == list(METRICS)
    assert [word for word in found if word in TASKS] == list(TASKS)
    numbers = [word for line in lines if line.startswith("│") for word in words(line)[2:-1]]
    assert numbers.count("50.00") == len(METRICS)
    assert numbers.count("12345.678") == len(TASKS)
    least = 1 + LEAST + FRAME + len(max(TASKS, key=len)) + FRAME
    assert max(map(cells, lines)) <= max(width, least)
    assert cells(method) > width // 3 or sum(method in line for line in lines) == len(heads)


@pytest.mark.parametrize("forced", [False, True])
def test_pipes_are_never_broken_whatever_colours_are_asked_for(
    forced: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if forced:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "40")
    files = [f"file-{number}.md" for number in range(40)]
    print_table(a_table(), Path("folder"), files)
    text = capsys.readouterr().out
    assert {CAPTION, f"Written to folder: {', '.join(files)}."} <= set(text.splitlines())
    tables = grids(text)
    assert max(map(len, tables)) > WIDTH_IN_PIPE - len(METRICS[-1]) - FRAME
    assert len(tables) == 2 * 3, "heads and rows of two parts of results and one of weights"


def test_prose_is_broken_between_words_on_a_terminal_and_commands_never(
    capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    terminal(45)
    declined = Note("declined", "it declines for a reason that is longer than this terminal is wide")
    missing = Note("missing", "a cell is missing; python -m benchmark.run --suite toy --settings few --methods stl")
    table = a_table(declined, missing)
    first, second = table.notes
    names = ["one-file.md", "another-file.md", "the-third-file.md", "the-last-file.md"]
    print_table(table, Path("folder"), names)
    lines = plain(capsys.readouterr().out)
    prose = lines[lines.index(next(line for line in lines if line and CAPTION.startswith(line))) :]
    assert " ".join(prose) == f"{CAPTION} {first} {second} Written to folder: {', '.join(names)}."
    assert [line for line in prose if len(line) > 45] == [second]


def test_sheets_have_their_captions_broken_too(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal(45)
    frame = pd.DataFrame([["stl", "1"]], columns=pd.MultiIndex.from_tuples([("", "method"), ("few", "rank")]))
    print_sheets([of_frame("ranks", CAPTION, frame)], [Path("ranks.md")])
    lines = plain(capsys.readouterr().out)
    assert max(map(len, lines)) <= 45
    assert CAPTION in " ".join(lines)


def test_entries_are_indented_in_every_line(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal(45)
    print_entry(console(), "toy", "what it is", {"source": CAPTION, "none": ""})
    first, *others, last = plain(capsys.readouterr().out)
    assert (first, last) == ("  toy: what it is", "")
    assert len(others) > 1
    assert all(line.startswith("      ") and line[6] != " " for line in others)
    assert " ".join(map(str.strip, others)) == f"source: {CAPTION}"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_closed_streams_are_no_terminal(stream: str, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, stream, None)
    print_table(a_table(), Path("folder"), [])
    with Display(make_plan(Options("toy")), {}) as shown:
        shown.say("a line")


def test_the_plan_keeps_setting_and_method_in_every_part(
    toy: Toy, capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    terminal(40)
    print_plan(make_plan(Options("toy")), {}, Resources())
    heads = [words(line)[1:-1] for line in grids(capsys.readouterr().out) if line.startswith("┃")]
    assert len(heads) > 1
    assert {tuple(head[:2]) for head in heads} == {("setting", "method")}
    assert [word for head in heads for word in head[2:]] == ["trials", "final runs", "left to run", "s/run"]


def test_the_plan_says_what_is_searched_and_what_suite_or_user_fixed_otherwise_than_the_method(
    capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    terminal(200)
    methods = ("stl", "gradnorm", "auxilearn-linear")
    fixed = {"gradnorm.alpha": "0.8", "auxilearn-linear.auxiliary_lr": "0.01", "weight_decay": "0"}
    print_plan(make_plan(Options("digits", ("5-shot",), methods, fixed=fixed)), {}, Resources())
    told = [line for line in plain(capsys.readouterr().out) if line.startswith(methods)]
    rates = "searches lr 0.01, 0.003, 0.001"
    assert told == [
        f"stl {rates}, has weight_decay=0.0",
        f"gradnorm {rates}, has alpha=0.8, weight_decay=0.0",
        f"auxilearn-linear {rates}, "
        "has auxiliary_lr=0.01, auxiliary_weight_decay=1e-05, outer_every=5, weight_decay=0.0",
    ]
    again = {"outer_every": "20"}  # the method's own, where the suite has another one
    print_plan(make_plan(Options("digits", ("5-shot",), ("auxilearn-linear",), fixed=again)), {}, Resources())
    assert "outer_every=20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("widths", "keys", "room", "found"),
    [
        ((3, 4, 5), 1, 100, [[0, 1, 2]]),
        ((3, 4, 5), 1, 1 + 3 + 4 + 5 + 3 * FRAME, [[0, 1, 2]]),
        ((3, 4, 5), 1, 3 + 4 + 5 + 3 * FRAME, [[0, 1], [0, 2]]),
        ((3, 4, 5, 2), 2, 3 + 4 + 5 + 3 * FRAME, [[0, 1, 2], [0, 1, 3]]),
        ((3, 90, 5), 1, 20, [[0, 1], [0, 2]]),
        ((3,), 1, 1, [[0]]),
    ],
)
def test_parts_are_as_wide_as_the_room_lets_them(
    widths: Sequence[int], keys: int, room: int, found: list[list[int]]
) -> None:
    assert parts(widths, keys, room) == found


@pytest.mark.parametrize(
    ("widths", "room", "found"),
    [((10, 20), 30, [10, 20]), ((10, 20), 22, [10, 12]), ((10, 20), 16, [8, 8]), ((3, 20), 0, [3, LEAST])],
)
def test_the_widest_key_is_cut_first(widths: Sequence[int], room: int, found: list[int]) -> None:
    assert cut(widths, room) == found


def test_the_time_left_is_told_once_a_worker_has_finished_its_second_run(
    toy: Toy, capsys: pytest.CaptureFixture[str], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",), seeds=10))
    said = []
    terminal(100)
    with Display([arm], {}) as shown:
        shown.slots = 2
        for second, spec in zip((30, 31, 41, 51), arm.finals({"lr": 1.0, "weight_decay": 0.0}), strict=False):
            now[0] = float(second)
            shown.done(a_record(spec))
            said.append(shown._left_text())
    left = arm.runs - 4
    assert said[:2] == ["", ""], "the first run of each worker waited for it to start"
    assert said[2] == f"{10 * (left + 1) // 60}:{10 * (left + 1) % 60:02} left"
    assert said[3] == f"{10 * left // 60}:{10 * left % 60:02} left"
    shown.slots = 1  # a worker is gone: what was made since counts as before
    assert shown._left_text() == said[3]


@pytest.mark.parametrize(("width", "bar", "all_words"), [(30, False, False), (60, True, False), (120, True, True)])
def test_bars_keep_their_numbers_whole_and_cut_the_words(
    width: int, bar: bool, all_words: bool, toy: Toy, capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    arms = make_plan(Options("toy", settings=("few",), methods=("stl",)))
    (spec, *_) = arms[0].finals({"lr": 1.0, "weight_decay": 0.0})
    record: Record = a_record(spec)
    terminal(width)
    with Display(arms * 400, {}) as shown:
        shown.done(record)
    last = [line for line in plain(capsys.readouterr().err) if "few" in line][-1]
    value = record.selected["validation"][toy.selection.name]
    number = f"{100 * value:.1f}" if toy.selection.percent else f"{value:.3g}"
    assert f"1/{400 * arms[0].runs} " in last
    assert f" best {number} " in last
    assert bool(re.search(r" 0:00:\d\d ", last)) == ("━" in last) == bar
    assert last.endswith(f" (stl, validation {toy.selection.name})") == all_words
    assert last.endswith("…") != all_words
    assert " (stl" in last  # the method before the other words
    assert len(last) <= width
