"""What is printed: wide tables in parts that a terminal can show, numbers whole at every width."""

import os
import re
from collections.abc import Sequence
from math import nan
from pathlib import Path

import pandas as pd
import pytest

from benchmark import display, terminal
from benchmark.comparison import Comparison
from benchmark.plan import Options, make_plan
from benchmark.statistics import Summary
from benchmark.suite import Metric
from benchmark.table import Table
from benchmark.tables.data import Cell, Note, Provenance, Results, Row
from benchmark.terminal import FRAME, WIDTH_IN_PIPE, parts, print_table
from tests.benchmark.helpers import Toy

CAPTION = "Words of a caption that is longer than a narrow terminal is wide, and so is broken between them."
METRICS = tuple(f"metric{number}" for number in range(25))


def a_table(*notes: Note) -> Table:
    """Return a table of one method and many columns."""
    metrics = [Metric(name) for name in METRICS]
    row = Row(
        "toy", "few", "stl", "measured", tuple(Cell(each, {1: 0.5}, Summary(1, 0.5, nan)) for each in metrics), notes
    )
    comparison = Comparison(metrics[0], pd.DataFrame(columns=["setting"]))
    return Table(Results("toy", "title", CAPTION, [row], comparison, None, Provenance(2)))


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, module: object, width: int) -> None:
    """Have the consoles of a module take the output for a terminal of this width."""
    looks = {**display.PLAIN, "force_terminal": True, "width": width, "color_system": None, "legacy_windows": False}
    monkeypatch.setattr(module, "PLAIN", looks)


def words(line: str) -> list[str]:
    return line.replace("│", " ").replace("┃", " ").split()


@pytest.mark.parametrize("width", [45, 80, WIDTH_IN_PIPE])
def test_a_wide_table_is_printed_in_parts_with_all_of_its_columns(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if width != WIDTH_IN_PIPE:
        on_a_terminal(monkeypatch, terminal, width)
    print_table(a_table(), Path("folder"), ["table.md"])
    lines = capsys.readouterr().out.splitlines()
    grid = [line for line in lines if line.startswith(("┃", "│"))]
    assert max(map(len, grid)) <= width
    assert sum("method" in line for line in grid) == sum("stl" in line for line in grid) > 1
    for name in METRICS:
        assert sum(name in words(line) for line in grid) == 1, name
    assert sum(words(line).count("50.00") for line in grid) == len(METRICS)


def test_prose_is_broken_between_words_on_a_terminal_and_commands_and_pipes_never(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = a_table(
        Note("missing", "a cell is missing; python -m benchmark.run --suite toy --settings few --methods stl")
    )
    (note,) = table.notes
    files = "Written to folder: one-file.md, another-file.md, the-third-file.md, the-last-file.md."
    names = files.removeprefix("Written to folder: ").rstrip(".").split(", ")
    print_table(table, Path("folder"), names)
    assert {CAPTION, note, files} <= set(capsys.readouterr().out.splitlines())
    on_a_terminal(monkeypatch, terminal, 45)
    print_table(table, Path("folder"), names)
    lines = [
        line for line in capsys.readouterr().out.splitlines() if line[0] not in "┏┃┡│└" and line.strip() != "toy, few"
    ]
    assert " ".join(map(str.strip, lines)) == f"{CAPTION} {note} {files}"
    assert [line for line in lines if len(line) > 45] == [note]


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


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_keep_their_numbers_whole_and_cut_the_words(
    width: int, toy: Toy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = make_plan(Options("toy"))
    on_a_terminal(monkeypatch, display, width)
    shown = display.Display(arms, {})
    total = sum(arm.runs for arm in arms)
    with shown:
        for bar in shown._progress.task_ids:
            best = "best validation accuracy 77.3 (a-method-with-a-long-name)"
            shown._progress.update(bar, completed=total, best=best, left="1:02:03 left")
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err).replace("\r", os.linesep).splitlines()
    last = [line for line in lines if "left" in line][-1]
    assert "1:02:03 left" in last
    assert re.search(r" \d+/\d+ ", last)
    assert re.search(r" 0:00:\d\d ", last)
    assert ("…" in last) == (width < 120)
    assert len(last.rstrip()) <= width
