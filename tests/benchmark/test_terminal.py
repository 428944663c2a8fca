"""What is printed: wide tables in parts that a terminal can show."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.comparison import Comparison
from benchmark.suite import Metric
from benchmark.table import Table
from benchmark.terminal import MOST_COLUMNS, print_table


def test_a_wide_table_is_printed_in_parts_with_all_of_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"metric{number}" for number in range(2 * MOST_COLUMNS + 1)]
    cells = [f"cell{number}" for number in range(len(names))]
    columns = pd.MultiIndex.from_tuples([("", "method"), *(("few", name) for name in names), ("", "trials")])
    results = pd.DataFrame([["stl", *cells, "6"]], columns=columns)
    nothing = pd.DataFrame()
    table = Table("toy", "caption", results, None, (), nothing, Comparison(Metric("top1"), nothing))
    print_table(table, Path("folder"), ["table.md"])
    lines = capsys.readouterr().out.splitlines()
    assert sum("method" in line for line in lines) == sum("stl" in line for line in lines) == 3
    for word in (*names, *cells):
        assert sum(word in line.replace("│", " ").replace("┃", " ").split() for line in lines) == 1, word
