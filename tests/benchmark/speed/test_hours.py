"""Hours of the paper's tables, against what can be counted by hand, and the tables' settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import suites
from benchmark.pages.facts import Facts
from benchmark.speed import hours
from benchmark.speed.hours import PARTS, Part, cells, hours_of_tables, settings_of
from benchmark.speed.suite_costs import SuiteCost
from tests.benchmark.helpers import Toy, install
from tests.benchmark.made_up import WHERE

STL = SuiteCost(
    suite="toy", setting="few", kind="cpu", method="stl", step_sec=2.0, outer_step_sec=0.0, outer_every=0,
    evaluation_sec=0.1, steps=3, **WHERE,
)  # fmt: skip
EQUAL = replace(STL, method="equal", step_sec=3.0)
EPOCH = 30 * 0.1
"""Seconds of an epoch's validation; its four steps come on top."""


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Facts:
    install(monkeypatch, Toy())
    found = Facts("toy")
    monkeypatch.setattr(hours, "facts_of", lambda name: found)
    monkeypatch.setattr(hours, "PARTS", (Part("Table 9", "toy"),))
    return found


def seconds(runs: int, step: float) -> float:
    """Return what runs of three epochs take, two of which are final and test 30 samples."""
    return runs * 3 * (4 * step + EPOCH) + 2 * 30 * 0.1


def minutes(value: float) -> str:
    return f"{value / 60:.2g} min"


def test_hours_of_a_setting_by_hand(facts: Facts) -> None:
    found = cells(facts, ["few"], {"stl": STL, "equal": EQUAL})
    assert found["with the search"] == minutes(seconds(6, 2.0) + seconds(6, 3.0))
    assert found["final runs"] == minutes(seconds(2, 2.0) + seconds(2, 3.0))
    both = cells(facts, ["few", "many"], {"stl": STL, "equal": EQUAL})
    assert both["final runs"] == minutes(2 * (seconds(2, 2.0) + seconds(2, 3.0)))


def test_what_was_not_measured_is_told(facts: Facts) -> None:
    assert cells(facts, ["few"], {"stl": STL})["final runs"] == f"{minutes(seconds(2, 2.0))} (1 of 2 methods)"
    assert set(cells(facts, ["few"], {}).values()) == {"–"}
    assert hours_of_tables([]).startswith("No suite was measured yet")


def test_the_table_has_a_column_for_each_kind_of_device_that_was_measured(facts: Facts) -> None:
    faster = [replace(cost, kind="cuda", device="a GPU", step_sec=cost.step_sec / 10) for cost in (STL, EQUAL)]
    lines = hours_of_tables([STL, EQUAL, *faster]).splitlines()
    assert lines[0] == (
        "| table | suite | settings | CPU, final runs | CPU, with the search | GPU, final runs | GPU, with the search |"
    )
    assert lines[2].startswith("| Table 9 | `toy` | few, many | ")
    assert "2 final runs of each method" in lines[-1]
    assert lines[-1].count("a machine") == lines[-1].count("a GPU") == 1
    alone = hours_of_tables(faster).splitlines()
    assert "CPU" not in alone[0]
    assert alone[2].split(" | ")[3:] == lines[2].split(" | ")[5:]


def test_final_runs_have_as_many_outer_steps_as_the_grid_has_on_average(facts: Facts) -> None:
    bilevel = replace(STL, method="equal", outer_step_sec=8.0, outer_every=4)
    arms = [replace(arm, space={**arm.space, "outer_every": (4, 8)}) for arm in facts.arms if arm.method == "equal"]
    plain = hours.hours(facts, arms[:1], replace(bilevel, outer_step_sec=0.0), searched=False)
    extra = hours.hours(facts, arms[:1], bilevel, searched=False) - plain
    steps = 2 * 3 * 3  # of the 40 samples, 10 are held out
    assert extra == pytest.approx(steps * 8.0 * (1 / 4 + 1 / 8) / 2 / 3600)


def test_the_tables_are_the_papers() -> None:
    assert {part.suite for part in PARTS} <= set(suites.names())
    found = {part.suite: settings_of(part) for part in PARTS}
    assert found["cub"] == ["5-shot", "10-shot"]  # the suite has a setting of its own beside them
    assert found["cifar10"] == ["5%"]
    assert all(found.values())
    assert [part.suite for part in PARTS if not part.file] == ["cityscapes"]


def test_settings_that_the_paper_has_and_the_suite_has_not_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("suite,setting\ncub,10-shot\ncub,7-shot\npet,5-shot\n")
    assert settings_of(Part("Table 1", "cub", "some"), tmp_path) == ["10-shot"]
