"""What the switches change: rows by what was set, differences from the published form."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from scipy import stats

from benchmark.findings.switches import cosines, switches
from tests.benchmark.made_up import a_run, commit, rows

PUBLISHED = {"mode": "paper", "solver": "neumann", "skip": True, "monotone": True}
BASE = (0.90, 0.91, 0.95)
CG = (0.92, 0.91, 0.99)
SKIP = (0.90, 0.90, 0.95)


def runs(scores: tuple[float, ...], **hyper: Any) -> list[Any]:
    found = []
    for seed, score in enumerate(scores, start=1):
        found.append(a_run("auxilearn-linear", seed, {"top1": score}, hyper={**PUBLISHED, **hyper}))
    return found


def test_switches_against_the_published_form(tmp_path: Path) -> None:
    text = switches(commit(tmp_path, [*runs(CG, solver="cg"), *runs(SKIP, skip=False), *runs(BASE)]))
    found = rows(text)
    assert [row["`--set`"] for row in found] == ["`mode=paper`", "`solver=cg`", "`skip=false`"]
    assert [row["`auxilearn-linear`"] for row in found] == ["92.00 ± 1.53", "94.00 ± 2.52", "91.67 ± 1.67"]
    difference: Any = stats.ttest_rel(CG, BASE)
    low, high = difference.confidence_interval(0.95)
    assert [row["`auxilearn-linear` less `mode=paper`"] for row in found[:2]] == [
        "",
        f"+2.00, {100 * low:.2f} to {100 * high:.2f}",
    ]
    smallest = min(difference.pvalue, stats.ttest_rel(SKIP, BASE).pvalue)
    assert f"The smallest of 2 p-values, before any correction, is {smallest:.3f}." in text
    assert "of 3 final runs" in text


def test_cosines_are_of_all_epochs_by_phase(tmp_path: Path) -> None:
    def run(seed: int, phase: str, *found: float) -> Any:
        made = a_run("auxilearn-linear", seed, {"top1": 0.5}, phase=phase)
        (row,) = made.epochs
        diagnostics = [{"cosine_to_identity": each} for each in found]
        return replace(made, epochs=[{**row, "epoch": at, "diagnostics": d} for at, d in enumerate(diagnostics, 1)])

    runs = [run(1, "final", 1.0, 0.5), run(2, "final", 0.75, 0.75), run(0, "search", -0.5, 0.5)]
    text = cosines(commit(tmp_path, [*runs, a_run("stl", 1, {"top1": 0.5})]))
    assert rows(text) == [
        {
            "method": "`auxilearn-linear`",
            "final runs, mean": "0.7500",
            "final runs, lowest": "0.5000",
            "search runs, mean": "0.0000",
            "search runs, lowest": "-0.5000",
        }
    ]
    assert "a machine" in text
