"""Trials are those that were made; how many were planned stands beside them where some are missing."""

from pathlib import Path

import pytest

from benchmark.arm import Arm
from benchmark.plan import Options, make_plan
from benchmark.report.paper import paper_tables, sheets
from benchmark.tables.data import Results
from benchmark.tables.gather import gather
from benchmark.tables.numbers import numbers
from benchmark.tables.sheet import results_sheet
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    return make_plan(Options("toy", settings=("few",), methods=("stl", "equal")))


def results(arms: list[Arm], made: int, *, failed: int = 0) -> Results:
    """Return the table where the first method has so many search runs, and the second has all."""
    first, second = ([arm.spec(point) for point in arm.points()] for arm in arms)
    records = [a_record(spec) for spec in (*first[failed:made], *second)]
    return gather(arms, by_digest([*records, *(a_failure(spec) for spec in first[:failed])]))


def trials(found: Results) -> list[str]:
    sheet = results_sheet(found)
    place = sheet.heads.index(("", "trials"))
    return [row[place].text for row in sheet.rows]


def test_what_was_made_of_what_was_planned(arms: list[Arm]) -> None:
    assert trials(results(arms, 4)) == ["4", "4"]
    assert trials(results(arms, 3)) == ["3 of 4", "4"]
    assert trials(results(arms, 0)) == ["0 of 4", "4"]
    assert trials(results(arms, 2, failed=1)) == ["2 of 4", "4"], "a failed run was made"
    found = numbers([results(arms, 1)], absent=True)
    assert found.groupby("method")["trials"].first().to_dict() == {"stl": 1, "equal": 4}


def test_settings_that_differ_have_their_own(toy: Toy) -> None:
    arms = make_plan(Options("toy", methods=("stl", "equal")))
    few = [a_record(arm.spec(point)) for arm in arms if arm.setting == "few" for point in arm.points()[:3]]
    many = [a_record(arm.spec(point)) for arm in arms if arm.setting == "many" for point in arm.points()]
    for records, apart in (([*few, *many], True), (many, True), (few, True), ([], False)):
        sheet = results_sheet(gather(arms, by_digest(records)))
        shown = {head: [row[place].text for row in sheet.rows] for place, head in enumerate(sheet.heads)}
        own = {head[0]: texts for head, texts in shown.items() if head[1] == "trials"}
        made = {"few": "3 of 4" if few[0] in records else "0 of 4", "many": "4" if many[0] in records else "0 of 4"}
        assert own == ({name: [text] * 2 for name, text in made.items()} if apart else {"": ["0 of 4"] * 2})


def test_costs_of_the_paper_show_no_search_that_was_not_made(tmp_path: Path) -> None:
    tables = paper_tables({}, seed=0, results_dir=tmp_path, sample=False)
    costs = [sheet for table in tables for sheet in sheets(table) if sheet.title.startswith("Costs")]
    assert len(costs) == len(tables) > 1
    for sheet in costs:
        shown = [row[place].text for row in sheet.rows for place, head in enumerate(sheet.heads) if head[1] == "trials"]
        assert shown
        assert all(text == "–" or text.startswith("0 of ") for text in shown)
        assert "that were made, of those planned" in sheet.caption
