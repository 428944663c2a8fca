"""What is drawn says so wherever results can be taken apart from their caption."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.spec import called
from tests.benchmark.conftest import Cli


def test_every_row_of_every_table_of_a_sample_is_marked(cli: Cli, tmp_path: Path) -> None:
    words = ("--suite", "mnist", "--sample", "--settings", "5%", "--methods", "stl,maxl-f", "--seeds", "2")
    ended = cli(*words, "--epochs", "1", "--workers", "0", "--results-dir", tmp_path, "--cache-dir", tmp_path / "cache")
    assert ended.status == 0
    folder = tmp_path / "mnist-sample"
    for name in ("table.csv", "weights.csv"):
        table = pd.read_csv(folder / name)
        assert len(table), name
        assert set(table["suite"]) == {"SAMPLE mnist"}, name
    assert not len(pd.read_csv(folder / "comparison.csv")), "nothing is tested"
    for name in ("table.md", "table.tex"):
        assert "SAMPLE" in (folder / name).read_text(), name


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("0123abcd", "cub"),
        ("SAMPLE-0123abcd", "SAMPLE cub"),
        ("0123abcd-weights-none", "cub from weights none"),
        ("SAMPLE-0123-weights-89ab", "SAMPLE cub from weights 89ab"),
    ],
)
def test_a_suites_name_has_a_mark(data: str, name: str) -> None:
    assert called("cub", data) == name
