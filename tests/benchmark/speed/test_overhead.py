"""The harness against a bare loop: both train the same network, and what is written is what was timed."""

from pathlib import Path

import pytest

from benchmark.speed.measurement import Measurement
from benchmark.speed.overhead import FILE, measurements
from benchmark.speed.rows import read
from tests.benchmark.speed.conftest import Cli


def test_one_command_measures_writes_and_prints(cli: Cli, tmp_path: Path) -> None:
    ended = cli("overhead", "--repeats", "2", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = {row.what: row for row in read(tmp_path / FILE, Measurement)}
    assert len(found) == 5
    for row in found.values():
        assert 0 < row.lowest <= row.value <= row.highest
        assert row.turns == 2
        assert f"| {row.what} " in ended.out
    assert "14 steps and a validation pass" in found["harness, ms"].detail
    assert str(tmp_path / FILE) in ended.out


def test_ratios_are_of_the_same_turn_with_their_quartiles() -> None:
    harness, bare = [0.002, 0.004, 0.003, 0.010], [0.001, 0.004, 0.002, 0.004]
    found = {row.what: row for row in measurements({"harness": harness, "bare": bare}, "work", load=0.5)}
    assert found["harness, ms"].value == pytest.approx(3.5)
    assert found["bare loop, ms"].value == pytest.approx(3.0)
    ratio = found["ratio of harness to bare loop"]
    assert (ratio.value, ratio.lowest, ratio.highest, ratio.turns) == (1.75, 1.0, 2.5, 4)
    assert found["ratio of harness to bare loop, lower quartile"].value == 1.5
    assert found["ratio of harness to bare loop, upper quartile"].value == 2.0
