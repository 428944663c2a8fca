"""What is drawn, or a part of a release, says so wherever results can be taken apart from their caption."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.spec import called
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, lines


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


@pytest.mark.parametrize("lack", ["", "pictures, 5 of 10 train samples"])
def test_a_part_of_a_release_is_told_before_the_work_in_records_and_in_captions(
    lack: str, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "shortfall", lambda: lack)
    words = ("--suite", "toy", "--settings", "few", "--methods", "stl", "--set", "lr=0.1", "--set", "weight_decay=0")
    ended = cli(*words, "--seeds", "2", "--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path)
    told = f"not the complete release: {lack}\n"
    assert ended.err.startswith(told) == bool(lack)
    assert [line["environment"].get("incomplete", "") for line in lines(tmp_path, "toy")] == [lack] * 2
    assert (f"Not the complete release: {lack}. Mean" in (tmp_path / "toy" / "table.md").read_text()) == bool(lack)
