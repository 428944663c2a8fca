"""Grids of methods that search beside methods that have nothing to search."""

from pathlib import Path

from benchmark.figures.grids import grids, table
from benchmark.figures.runs import collect
from benchmark.planned import PLANS, read_plans
from benchmark.record import Store
from benchmark.report.experiments import experiments

ILLUSTRATIVE = Path(__file__).resolve().parents[3] / "results/reference/illustrative"


def test_a_method_with_a_single_point_has_no_row() -> None:
    store = Store(ILLUSTRATIVE)
    store.read()
    (experiment,) = experiments("illustrative", store.records.values(), read_plans(ILLUSTRATIVE / PLANS))
    (runs,) = collect(experiment.arms, store.records).values()
    searching = {each.method for each in runs if each.searches}
    assert "stl" in {each.method for each in runs} - searching
    assert {method for method, _ in table(runs).rows} == searching
    assert grids(runs) is not None
