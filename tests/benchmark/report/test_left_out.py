"""Records that no command asks for are in no table, and said; plans are found wherever they lie beside records."""

from pathlib import Path

import pytest

from benchmark.plan import Options, make_plan
from benchmark.report.paper import published_suites
from tests.benchmark.helpers import Toy, a_failure
from tests.benchmark.report.campaigns import campaign
from tests.benchmark.report.test_report import Report, report, store, stored

__all__ = ["report"]  # the fixture


def test_records_of_no_command_are_left_out_with_one_line(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan, other = Options("toy", methods=("stl",)), Options("toy", methods=("equal",))
    path = store(tmp_path, [*campaign(make_plan(plan)), *campaign(make_plan(other))], plan)
    for words in (("--suite", "toy"), ("--records", path)):
        ended = report(*words, "--results-dir", tmp_path, "--output", tmp_path / "out")
        count = len(campaign(make_plan(other)))
        assert (ended.status, ended.err.count("\n")) == (0, 1)
        told = f"left out: no command asks for {count} of {2 * count} records of suite 'toy': none in "
        why = f"{told}{path.with_name('plans.jsonl')} does as the code is now; if a line is lost, put it back, or "
        assert ended.err.startswith(why)
        assert "| equal" not in (tmp_path / "out" / "toy" / "table.md").read_text()


def test_records_without_any_command_are_a_mistake_with_what_to_do(toy: Toy, report: Report, tmp_path: Path) -> None:
    path = store(tmp_path, campaign(make_plan(Options("toy", methods=("stl",)))))
    for words in (("--suite", "toy"), ("--records", path), ("--across", "toy")):
        ended = report(*words, "--results-dir", tmp_path, "--output", tmp_path / "out")
        assert (ended.status, ended.err.count("\n")) == (2, 1)
        told = f"no command asks for 12 of 12 records of suite 'toy': there is no {path.with_name('plans.jsonl')}"
        assert f"{told}; put it back, or give the command that made them again, with its --results-dir" in ended.err
        assert not (tmp_path / "out").exists(), "nothing is written"


@pytest.mark.parametrize("first", ["real", "linked"])
def test_plans_of_a_linked_file_of_records_count_in_either_order(
    toy: Toy, report: Report, tmp_path: Path, first: str
) -> None:
    path = stored(tmp_path / "real", Options("toy", methods=("stl",)))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "records.jsonl").symlink_to(path)
    folders = sorted((tmp_path / "real", tmp_path / "linked"), key=lambda folder: folder.name != first)
    ended = report("--records", *folders, "--output", tmp_path / "out")
    assert (ended.status, ended.err) == (0, "")


def test_plans_lie_beside_what_a_link_leads_to(toy: Toy, report: Report, tmp_path: Path) -> None:
    path = stored(tmp_path / "real", Options("toy", methods=("stl",)))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "records.jsonl").symlink_to(path)
    ended = report("--records", tmp_path / "linked", "--output", tmp_path / "out")
    assert (ended.status, ended.err) == (0, "")


def test_a_search_of_weights_whose_runs_all_diverged_is_that_of_its_command(
    toy: Toy, report: Report, tmp_path: Path
) -> None:
    plan = Options("toy", methods=("scalarization",), settings=("few",), trials=2, sampler="random")
    (arm,) = make_plan(plan)
    weights = ("1/0.3/0.2", "1/0.4/0.2")
    points = [{**dict.fromkeys(arm.space, 0.02), "task_weights": text} for text in weights]
    lost = [a_failure(arm.spec(point, trial=number), "not finite") for number, point in enumerate(points)]
    assert "task_weights" in arm.space
    store(tmp_path, lost, plan)
    ended = report("--suite", "toy", "--results-dir", tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert "failed [1]" in (tmp_path / "toy" / "table.md").read_text()


def test_a_suite_that_no_table_of_the_paper_has_stops_none(toy: Toy, report: Report, tmp_path: Path) -> None:
    store(tmp_path, campaign(make_plan(Options("toy", methods=("stl",)))))
    ended = report("--paper", "--results-dir", tmp_path, "--output", tmp_path / "out")
    assert (ended.status, ended.err.count("\n")) == (0, 1)
    assert ended.err.startswith("left out: no command asks for 12 of 12 records of suite 'toy': there is no ")
    assert "mnist" in published_suites()
    assert "toy" not in published_suites()
