"""The finding on curvature: solvers beside the identity, and an answer that follows from the tests."""

from pathlib import Path

import pytest
from scipy import stats

from benchmark.findings.curvature import curvature
from tests.benchmark.findings.made_up import a_run, commit, rows

PLAIN = (0.90, 0.91, 0.92, 0.93)
BETTER = (0.95, 0.9601, 0.97, 0.9799)
"""Five points more in every seed, nearly."""
LIKE = (0.91, 0.90, 0.93, 0.92)


def made(folder: Path, scores: dict[tuple[str, str, int], tuple[float, ...]]) -> str:
    records = [
        a_run(
            "auxilearn-linear",
            seed,
            {"top1": score, "top3": 1.0},
            hyper={"mode": mode, "solver": solver, "terms": terms},
            diagnostics={"cosine_to_identity": 1.0 if solver == "identity" else 0.5, "residual": 0.25},
        )
        for (mode, solver, terms), found in scores.items()
        for seed, score in enumerate(found, start=1)
    ]
    return curvature(commit(folder / "digits", records))


def test_solvers_against_the_identity(tmp_path: Path) -> None:
    text = made(
        tmp_path,
        {
            ("corrected", "neumann", 10): BETTER,
            ("corrected", "identity", 3): PLAIN,
            ("paper", "neumann", 3): LIKE,
        },
    )
    found = rows(text)
    assert [row["inverse Hessian"] for row in found] == ["identity", "neumann 3 (mode paper)", "neumann 10"]
    assert [row["top1"] for row in found] == ["91.50 ± 0.65", "91.50 ± 0.65", "96.50 ± 0.64"]
    assert [row["less identity"] for row in found] == ["–", "+0.00", "+5.00"]
    p = min(1.0, 2 * stats.ttest_rel(BETTER, PLAIN).pvalue)
    assert p < 0.0005
    assert [row["p (Holm)"] for row in found] == ["–", "1.000", "<0.001"]
    assert [row["cosine to identity"] for row in found] == ["1.0000", "0.5000", "0.5000"]
    assert [row["products"] for row in found] == ["0", "3", "10"]
    assert (
        "Of 2 comparisons with leaving the curvature out (`solver=identity`), 1 are significantly better and 0" in text
    )
    assert "neumann 10, 5-shot, `auxilearn-linear`: +5.00 percentage points" in text


def test_no_difference_is_a_plain_no(tmp_path: Path) -> None:
    both = {("corrected", "identity", 3): PLAIN, ("corrected", "cg", 10): LIKE}
    assert "is not significant: a mean difference of 0.00 percentage points." in made(tmp_path / "one", both)
    text = made(tmp_path / "two", {**both, ("corrected", "neumann", 3): LIKE})
    assert "No: none of 2 comparisons" in text
    assert "the largest mean difference is 0.00 percentage points" in text


@pytest.mark.parametrize("method", ["auxilearn-linear"])
def test_runs_that_diverged_are_no_part_of_it(tmp_path: Path, method: str) -> None:
    kept = [a_run(method, seed, {"top1": 0.5, "top3": 1.0}, hyper=_hyper("identity")) for seed in (1, 2)]
    other = [a_run(method, seed, {"top1": 0.5 + seed / 9, "top3": 1.0}, hyper=_hyper("cg")) for seed in (1, 2)]
    lost = a_run(method, 3, {}, hyper=_hyper("cg"), status="diverged")
    assert rows(curvature(commit(tmp_path / "digits", [*kept, *other, lost])))[1]["inverse Hessian"] == "cg 10"


def _hyper(solver: str) -> dict[str, object]:
    return {"mode": "corrected", "solver": solver, "terms": 10}
