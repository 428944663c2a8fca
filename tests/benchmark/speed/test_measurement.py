"""Single measurements: what a row says, the file that keeps them, and that the committed one is read."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.commands import DEFAULT_RESULTS
from benchmark.errors import UserError
from benchmark.speed import scale
from benchmark.speed.measurement import Measurement, measurement, table
from benchmark.speed.rows import add, read
from tests.benchmark.helpers import ROOT
from tests.benchmark.speed.conftest import Cli


def test_a_row_has_median_and_range_with_four_digits() -> None:
    row = measurement("s", [3.00004, 1.23456, 2.5], "work", load=1.234)
    assert (row.value, row.lowest, row.highest, row.turns, row.load) == (2.5, 1.235, 3.0, 3, 1.23)
    assert row.cores >= 1
    assert row.key == (row.device, "s")


def test_a_row_may_stand_for_its_turns_by_another_value() -> None:
    assert measurement("upper quartile", [1.0, 2.0, 9.0], "work", load=0.0, value=9.0).value == 9.0


def test_a_new_measurement_takes_the_place_of_its_own_alone(tmp_path: Path) -> None:
    path = tmp_path / "speed" / "some.csv"
    one, two = (measurement(what, [1.5], "of, course", load=0.0) for what in ("a", "b"))
    elsewhere = replace(one, device="another machine", value=7.0)
    assert read(path, Measurement) == []
    add(path, [two, one, elsewhere], Measurement)
    again = replace(one, value=2.5)
    left = sorted([again, elsewhere, two], key=lambda row: row.key)
    assert add(path, [again], Measurement) == read(path, Measurement) == left


def test_ranges_are_shown_where_there_are_turns() -> None:
    shown = table([measurement("a", [1.0], "x", load=0.0), measurement("b", [1.0, 4.0, 2.0], "y", load=0.0)])
    assert list(shown["range"]) == ["", "1 to 4"]
    assert list(shown["value"]) == ["1", "2"]


def test_the_committed_measurements_of_scale_are_read() -> None:
    found = {row.what: row for row in read(ROOT / DEFAULT_RESULTS / scale.FILE, Measurement)}
    assert {"empty cells a second", "ratio of two workers to one", "runs a minute, 2 workers"} <= set(found)
    assert all(row.lowest <= row.value <= row.highest for row in found.values())


@pytest.mark.parametrize("name", ["overhead", "checkpoint", "page", "scale"])
def test_a_file_of_something_else_is_refused_before_the_work(name: str, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "speed" / f"{name}.csv"
    path.parent.mkdir()
    path.write_text("device,what\nx,y\n")
    ended = cli(name, "--results-dir", tmp_path)
    assert ended.status == 2
    assert ended.err == f"error: {path} does not hold measurements as this version writes them; move it away\n"
    assert ended.out == ""
    with pytest.raises(UserError):
        read(path, Measurement)


@pytest.mark.parametrize("name", ["overhead", "layout"])
def test_a_place_where_no_file_can_be_is_refused_before_the_work(name: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = cli(name, "--results-dir", tmp_path / "file")
    path = tmp_path / "file" / "speed" / f"{name}.csv"
    assert (ended.status, ended.err) == (2, f"error: {tmp_path / 'file'} is a file; {path} cannot be written\n")
    folder = tmp_path / "speed" / f"{name}.csv"
    folder.mkdir(parents=True)
    ended = cli(name, "--results-dir", tmp_path)
    assert (ended.status, ended.err) == (2, f"error: {folder} is a folder, where measurements are written to\n")
