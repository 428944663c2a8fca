"""Trials are those that were made; how many were planned stands beside them where some are missing."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmark.arm import Arm
from benchmark.plan import Options, make_plan
from benchmark.report.page.content import table as page_table
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


def chosen_of(values: Sequence[float], chosen: float, trials: int | None = None) -> Results:
    """Return the table of a method that searches these values of lr in two settings, in both of which one is best."""
    grid = {"lr": tuple(map(str, values)), "weight_decay": ("0.1", "0.01")}
    arms = make_plan(Options("toy", methods=("stl",), grid=grid, trials=trials))
    specs = [arm.spec(point, trial=trials and number) for arm in arms for number, point in enumerate(arm.points())]
    scores = [0.9 if dict(spec.hyper)["lr"] == chosen else 0.5 for spec in specs]
    return gather(arms, by_digest([a_record(s, score=score) for s, score in zip(specs, scores, strict=True)]))


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("values", "chosen", "said"),
    [
        ((1.0, 0.1, 0.01), 1.0, "lr 1.0, the largest of 3 values"),
        ((0.1, 0.01, 1.0, 0.5), 0.01, "lr 0.01, the smallest of 4 values"),
        ((1.0, 0.1, 0.01), 0.1, ""),
        ((1.0, 0.1, 0.0), 0.0, ""),
        ((1.0, 0.1), 1.0, ""),
    ],
)
def test_a_choice_at_an_end_of_its_grid_has_a_note(values: Sequence[float], chosen: float, said: str) -> None:
    found = chosen_of(values, chosen)
    assert [note.text for note in found.notes if note.kind == "edge"] == (
        [f"chosen at an end of its grid: {said}"] if said else []
    )
    sheet = results_sheet(found)
    (row,) = sheet.rows
    marks = row[sheet.heads.index(("", "trials"))].marks
    assert [sheet.notes[mark - 1].kind for mark in marks] == ["edge"] * bool(said), "one mark for both settings"
    for part in page_table(found, Toy.metrics)["tables"]:
        for shown in part["rows"]:
            assert shown["cells"]["trials"].get("notes", []) == list(marks)


@pytest.mark.usefixtures("toy")
def test_ranges_have_no_such_ends() -> None:
    found = chosen_of((1.0, 0.1, 0.01), 1.0, trials=4)
    assert [row.hyper["lr"] for row in found.rows] == [1.0, 1.0]
    assert not [note for note in found.notes if note.kind == "edge"]


def test_costs_of_the_paper_show_no_search_that_was_not_made(tmp_path: Path) -> None:
    tables = paper_tables({}, seed=0, results_dir=tmp_path, sample=False)
    costs = [sheet for table in tables for sheet in sheets(table) if sheet.title.startswith("Costs")]
    assert len(costs) == len(tables) > 1
    for sheet in costs:
        shown = [row[place].text for row in sheet.rows for place, head in enumerate(sheet.heads) if head[1] == "trials"]
        assert shown
        assert all(text == "–" or text.startswith("0 of ") for text in shown)
        assert "that were made, of those planned" in sheet.caption
