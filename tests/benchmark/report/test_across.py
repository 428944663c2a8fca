"""Aggregates over suites and the critical-difference diagram, by hand."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.aggregates import friedman_p
from benchmark.comparison import Comparison
from benchmark.errors import UserError
from benchmark.report.across import aggregate
from benchmark.report.across_sheet import across_sheet, caption, footnote, write_across
from benchmark.report.diagram import cliques, draw
from benchmark.statistics import summarize
from benchmark.suite import Metric
from benchmark.tables.data import Cell, Provenance, Results, Row, State

Runs = Mapping[str, Sequence[float]]


def results(
    suite: str,
    runs: Runs,
    *,
    higher: bool = True,
    second: Runs | None = None,
    main: bool = True,
    lacks: State = "missing",
) -> Results:
    """Return a suite of one setting, with a second metric where it is given, of the main task or not."""
    rows = []
    for method, values in runs.items():
        cells = [cell(Metric("main", higher_is_better=higher), values)]
        cells += [cell(Metric("error", higher_is_better=False, main=main), second[method])] if second else []
        rows.append(
            Row(suite, "few", method, "measured" if values else lacks, tuple(cells), steps=(1.0,) * len(values))
        )
    comparison = Comparison(Metric("main"), pd.DataFrame(columns=["setting"]))
    return Results(suite, suite, "", rows, comparison, None, Provenance(2))


def cell(metric: Metric, values: Sequence[float]) -> Cell:
    return Cell(metric, dict(enumerate(values, start=1)), summarize(list(values)))


ONE = results(
    "one", {"stl": [0.4, 0.6], "a": [0.6, 0.6], "b": [0.5, 0.7]}, second={"stl": [1, 1], "a": [0.5, 0.5], "b": [2, 2]}
)
TWO = results("two", {"stl": [4.0, 4.0], "a": [3.0, 3.0], "b": [5.0, 1.0]}, higher=False)


def test_ranks_gains_and_both_delta_m_by_hand() -> None:
    found = aggregate([ONE, TWO], seed=0).methods.set_index("method")
    # one: means 0.5, 0.6, 0.6, ranks 3, 1.5, 1.5; two, an error: 4, 3, 3, ranks 3, 1.5, 1.5
    assert found["mean_rank"].to_dict() == {"a": 1.5, "b": 1.5, "stl": 3.0}
    # gains of b: 0 and 40 % of 0.5, -25 and 75 % of 4; the middle half is 0 and 40
    assert found.loc["b", "iqm"] == pytest.approx(20)
    assert found.loc["a", "iqm"] == pytest.approx((20 + 25) / 2)
    # a against stl: 0.6 beats 0.4 and ties with 0.6, twice, and 3 beats both
    # b: 0.5 beats 0.4 alone, 0.7 both; 5 none, 1 both
    assert found.loc["a", "improvement"] == (0.75 + 1) / 2
    assert found.loc["b", "improvement"] == pytest.approx((0.75 + 0.5) / 2)
    # Delta_m of a: one +20 % and, the error, +50 %; two +25 %
    assert found.loc["a", "delta_m_mean_over_tasks"] == pytest.approx(((20 + 50) / 2 + 25) / 2)
    assert found.loc["a", "delta_m_mean_over_metrics"] == pytest.approx(-(20 + 50 + 25) / 3)
    assert found.loc["stl", ["delta_m_mean_over_tasks", "delta_m_mean_over_metrics"]].tolist() == [0, 0]


def test_metrics_of_auxiliary_tasks_have_no_part_in_delta_m() -> None:
    runs = {"stl": [0.4, 0.6], "a": [0.45, 0.5]}
    heads = {"stl": [9.0, 9.0], "a": [0.1, 0.1]}  # the single task leaves the heads of auxiliary tasks untrained
    alone = aggregate([results("one", runs)], seed=0).methods
    beside = aggregate([results("one", runs, second=heads, main=False)], seed=0).methods
    assert beside.equals(alone)
    assert beside.set_index("method").loc["a", "delta_m_mean_over_metrics"] == pytest.approx(5)


def test_few_runs_are_said_and_a_single_one_has_no_interval() -> None:
    lone = results("one", {"stl": [0.4, 0.6], "a": [0.9]})
    found = aggregate([lone, results("two", {"stl": [1.0, 2.0], "a": [1.0, 3.0]})], seed=0)
    rows = found.methods.set_index("method")
    assert rows.loc["a", ["fewest_runs", "most_runs"]].tolist() == [1, 2]
    assert rows.loc["stl", ["fewest_runs", "most_runs"]].tolist() == [2, 2]
    ends = [f"{name}_{end}" for name in ("iqm", "improvement") for end in ("low", "high")]
    assert rows.loc["a", ends].isna().all(), "an interval that leaves out a part of the spread would be too narrow"
    assert rows.loc["stl", "iqm_low"] < rows.loc["stl", "iqm_high"]
    sheet = across_sheet(found)
    label = [name for _, name in sheet.heads]
    shown = {row[0].text: dict(zip(label, (cell.text for cell in row), strict=True)) for row in sheet.rows}
    assert (shown["a"]["runs"], shown["stl"]["runs"]) == ("1 to 2", "2")
    assert "[" not in shown["a"]["IQM of gain (%)"]
    assert "[" in shown["stl"]["IQM of gain (%)"]


def test_intervals_follow_the_seed_alone() -> None:
    columns = ["iqm_low", "iqm_high"]
    uneven = results("uneven", {"stl": [0.4, 0.6, 0.5], "b": [0.5 + 0.03 * n**2 for n in range(9)]})
    one, again, other = (aggregate([uneven], seed=seed).methods[columns] for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


def test_a_method_without_runs_somewhere_is_left_out_by_name() -> None:
    lacking = results("two", {"stl": [1.0, 2.0], "a": [1.0, 3.0], "b": []})
    found = aggregate([ONE, lacking], seed=0)
    assert found.methods["method"].tolist() == ["a", "stl"]
    assert found.left_out == {"b": "no final run in two few"}
    assert "Left out: b (no final run in two few)" in across_sheet(found).caption
    diverged = results("two", {"stl": [1.0, 2.0], "a": [1.0, 3.0], "b": []}, lacks="failed")
    assert (
        "Left out: b (runs failed or diverged, none gave a result in two few)"
        in across_sheet(aggregate([ONE, diverged], seed=0)).caption
    )


def test_settings_without_records_are_said() -> None:
    planned = {"one": ("few", "many"), "two": ("few",)}
    assert "in all settings of 2 suites (one only in few), main" in caption(
        aggregate([ONE, TWO], seed=0, planned=planned)
    )
    assert "in all settings of 2 suites, main" in caption(aggregate([ONE, TWO], seed=0))


def test_nothing_to_compare_is_told_in_one_line() -> None:
    alone = results("two", {"stl": [1.0, 2.0]})
    with pytest.raises(UserError, match=r"runs in all of one, two; others: a \(no final run in two few\), b"):
        aggregate([ONE, alone], seed=0)
    lacking = results("two", {"stl": [], "a": [1.0, 2.0]})
    with pytest.raises(UserError, match=r"'stl' cannot be compared with \(no final run in two few\); run it, or give"):
        aggregate([ONE, lacking], seed=0)
    with pytest.raises(UserError, match="the reference method 'equal' has no run in one"):
        aggregate([ONE], reference="equal", seed=0)


def test_friedman_by_hand() -> None:
    # three suites rank three methods alike: chi^2 = 12 / (3 * 3 * 4) * (3^2 + 6^2 + 9^2) - 3 * 3 * 4 = 6, two degrees
    assert friedman_p([[3, 2, 1], [0.3, 0.2, 0.1], [30, 20, 10]]) == pytest.approx(math.exp(-3))
    for scores in ([[1.0, 2.0]] * 3, [[1.0, 2.0, 3.0]], [[1.0, 1.0, 1.0]] * 2):
        assert math.isnan(friedman_p(scores))


def test_cliques_by_hand() -> None:
    # Demsar's example has 1.25 as critical difference
    ranks = [3.143, 2.000, 2.893, 1.964]
    assert cliques(ranks, 1.25) == [[3, 1, 2, 0]], "1.179 from the first to the last"
    assert cliques(ranks, 1.16) == [[3, 1, 2], [1, 2, 0]]
    assert cliques([1, 2, 3, 4], 1.5) == [[0, 1], [1, 2], [2, 3]]
    assert cliques([1, 2, 3], 1.0) == [], "a difference as large as the critical one is significant"


@pytest.mark.parametrize("critical_difference", [0.8, 2.343])
def test_the_bar_is_as_long_as_the_critical_difference(critical_difference: float) -> None:
    figure = draw(["a", "b", "c"], [1.5, 1.5, 3.0], critical_difference, [[0, 1, 2]], footnote="n = 2 suites")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (bar,) = (line for line in axes.lines if line.get_gid() == "critical difference")
    start, end = np.asarray(bar.get_xdata())
    assert end - start == pytest.approx(critical_difference)
    low, high = axes.get_xlim()
    assert low <= start < end <= high, "nothing of it is clipped"
    assert max(axes.get_xticks()) == 3
    assert figure.get_supxlabel() == "n = 2 suites"


def test_the_footnote_says_suites_protocol_and_runs() -> None:
    uneven = results("two", {"stl": [1.0, 2.0, 3.0], "a": [1.0, 3.0], "b": [2.0, 2.0]})
    assert footnote(aggregate([ONE, uneven], seed=0)).startswith(
        "Suites one, two; protocol 2; n = 2 suites with 2 to 3 final runs of a method in a setting."
    )


def test_the_diagram_and_its_data_are_written(tmp_path: Path) -> None:
    paths = write_across(aggregate([ONE, TWO], seed=0), tmp_path, "across")
    assert {path.name for path in paths} == {
        *(f"across.{end}" for end in ("md", "tex", "html", "csv")),
        *(f"critical_difference.{end}" for end in ("csv", "pdf", "png")),
    }
    data = pd.read_csv(tmp_path / "critical_difference.csv")
    assert data["method"].tolist() == ["a", "b", "stl"]
    assert data["groups"].tolist() == [1, 1, 1], "Friedman's test tells none apart"
