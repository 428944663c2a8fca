"""What is printed: wide tables in parts that a terminal can show."""

from math import nan
from pathlib import Path

import pandas as pd
import pytest

from benchmark.comparison import Comparison
from benchmark.statistics import Summary
from benchmark.suite import Metric
from benchmark.table import Table
from benchmark.tables.data import Cell, Provenance, Results, Row
from benchmark.terminal import MOST_COLUMNS, print_table


def test_a_wide_table_is_printed_in_parts_with_all_of_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"metric{number}" for number in range(2 * MOST_COLUMNS + 1)]
    metrics = [Metric(name) for name in names]
    row = Row("toy", "few", "stl", "measured", tuple(Cell(each, {1: 0.5}, Summary(1, 0.5, nan)) for each in metrics))
    comparison = Comparison(metrics[0], pd.DataFrame(columns=["setting"]))
    table = Table(Results("toy", "title", "caption", [row], comparison, None, Provenance(2)))
    cells = ["50.00"] * len(names)
    print_table(table, Path("folder"), ["table.md"])
    lines = capsys.readouterr().out.splitlines()
    assert sum("method" in line for line in lines) == sum("stl" in line for line in lines) == 3
    for word in names:
        assert sum(word in line.replace("│", " ").replace("┃", " ").split() for line in lines) == 1, word
    assert sum(line.count(cells[0]) for line in lines) == len(names)
