"""Of drawn data nothing is concluded: no best, no tie, no test, no difference from what was published."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.plan import Options, make_plan
from benchmark.report.across import aggregate
from benchmark.report.across_sheet import across_sheet, write_across
from benchmark.report.page.content import table
from benchmark.spec import SAMPLE
from benchmark.tables.data import Published, Results
from benchmark.tables.gather import gather
from benchmark.tables.sheet import results_sheet
from benchmark.tables.write import write
from tests.benchmark.helpers import Toy, a_record, by_digest

METHODS = ("stl", "equal", "dwa")
TESTS = {"stl": (0.1, 0.2, 0.3), "equal": (0.6, 0.7, 0.9), "dwa": (0.5, 0.8, 0.9)}


def results_of(data: str) -> Results:
    """Return results with a clear best, on data of that fingerprint, beside a published number."""
    options = Options("toy", methods=METHODS, settings=("few",), seeds=3, fixed={"lr": "1", "weight_decay": "0"})
    arms = [replace(arm, data=data, space={}) for arm in make_plan(options)]
    arms = [replace(arm, fixed={**arm.fixed, "temperature": 2.0} if arm.method == "dwa" else arm.fixed) for arm in arms]
    records = by_digest(
        a_record(spec, test=test) for arm in arms for spec, test in zip(arm.finals({}), TESTS[arm.method], strict=True)
    )
    paper = {("few", method, "top1"): Published(0.5, 0.01, 3) for method in METHODS}
    return gather(arms, records, paper=paper)


@pytest.fixture
def real(toy: Toy) -> Results:
    return results_of("toy-1")


@pytest.fixture
def sample(toy: Toy) -> Results:
    return results_of(f"{SAMPLE}toy-1")


def test_nothing_of_a_sample_is_best_a_tie_tested_or_compared(real: Results, sample: Results) -> None:
    assert {cell.standing for row in real.rows for cell in row.cells} == {"", "best", "tie"}
    assert {cell.standing for row in sample.rows for cell in row.cells} == {""}
    assert len(real.comparison.numbers)
    assert not len(sample.comparison.numbers)
    assert all(cell.difference == cell.difference for row in real.rows for cell in row.cells[:1])
    assert all(cell.difference != cell.difference for row in sample.rows for cell in row.cells)


def test_no_file_of_a_sample_says_any_of_it(real: Results, sample: Results, tmp_path: Path) -> None:
    signs = {
        "table.md": ("**", "Δ/SE", "Differences from", "Bold"),
        "table.tex": (r"\textbf", r"\underline", r"$\Delta$"),
        "table.html": ("<strong>", "<u>", "Δ/SE", "Differences from", "Bold"),
    }
    for results, folder in ((real, tmp_path / "real"), (sample, tmp_path / "sample")):
        folder.mkdir()
        write([results], folder)
    for name, marks in signs.items():
        for mark in marks:
            assert mark in (tmp_path / "real" / name).read_text(), (name, mark)
            assert mark not in (tmp_path / "sample" / name).read_text(), (name, mark)
    numbers = pd.read_csv(tmp_path / "sample" / "table.csv")
    assert set(numbers["standing"].isna()) == {True}
    assert set(numbers["difference_se"].isna()) == {True}
    assert (tmp_path / "sample" / "comparison.csv").read_text().count("\n") == 1, "a head alone"


def test_the_page_of_a_sample_has_measured_and_published_alone(real: Results, sample: Results, toy: Toy) -> None:
    shown = {name: table(each, toy.metrics) for name, each in (("real", real), ("sample", sample))}
    keys = {name: [column["key"] for column in each["columns"]] for name, each in shown.items()}
    assert [key for key in keys["real"] if key not in keys["sample"]] == ["d:top1"]
    assert "p:top1" in keys["sample"]
    assert shown["sample"]["legend"] == ""
    assert shown["sample"]["comparison"]["tables"] == []
    cells = [cell for row in shown["sample"]["tables"][0]["rows"] for cell in row["cells"].values()]
    assert not any("best" in cell or "tie" in cell for cell in cells)
    assert "Δ/SE" not in results_sheet(sample).caption


def test_ranks_over_samples_are_not_tested(sample: Results, tmp_path: Path) -> None:
    across = aggregate([sample, replace(sample, suite="SAMPLE other")], seed=0)
    assert across.friedman != across.friedman
    assert "Ranks on drawn data are not tested." in across_sheet(across).caption
    assert not any(path.suffix in (".pdf", ".png") for path in write_across(across, tmp_path, "across-sample"))
