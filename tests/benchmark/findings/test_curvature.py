"""The finding on curvature: solvers beside the identity, and an answer that follows from the tests."""

from pathlib import Path

import pytest
from scipy import stats

from benchmark.findings.curvature import curvature, solver_of
from tests.benchmark.made_up import a_run, commit, rows

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
            hyper=_hyper(solver) | {"mode": mode, "terms": terms, "damping": 0},
            diagnostics={
                "cosine_to_identity": 1.0 if solver == "identity" else 0.5,
                "residual": 0.25,
                "hypergradient_norm": float(seed * seed),
                "clipped": 0.5 * (seed > 2),
            },
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
    assert {(row["rates"], row["norm"], row["clipped"]) for row in found} == {("0.1, 0.01", "6.5", "25 %")}
    assert (
        "Of 2 comparisons with leaving the curvature out (`solver=identity`), 1 are significantly better and 0" in text
    )
    assert "neumann 10, 5-shot, `auxilearn-linear`: +5.00 percentage points" in text


def test_no_difference_is_a_plain_no(tmp_path: Path) -> None:
    both = {("corrected", "identity", 3): PLAIN, ("corrected", "cg", 10): LIKE}
    assert "is not significant: a mean difference of +0.00 percentage points." in made(tmp_path / "one", both)
    text = made(tmp_path / "two", {**both, ("corrected", "neumann", 3): LIKE})
    assert "None of 2 comparisons" in text
    assert "the largest mean difference is 0.00 percentage points" in text


@pytest.mark.parametrize("method", ["auxilearn-linear"])
def test_runs_that_diverged_are_no_part_of_it(tmp_path: Path, method: str) -> None:
    kept = [a_run(method, seed, {"top1": 0.5, "top3": 1.0}, hyper=_hyper("identity")) for seed in (1, 2)]
    other = [a_run(method, seed, {"top1": 0.5 + seed / 9, "top3": 1.0}, hyper=_hyper("cg")) for seed in (1, 2)]
    lost = a_run(method, 3, {}, hyper=_hyper("cg"), status="diverged")
    text = curvature(commit(tmp_path / "digits", [*kept, *other, lost]))
    assert rows(text)[1]["inverse Hessian"] == "cg 10"
    assert "of 2 final runs" in text
    assert "1 of 5 final runs gave no result and are left out." in text


def test_without_runs_of_the_identity_nothing_is_compared(tmp_path: Path) -> None:
    runs = [a_run("auxilearn-linear", seed, {"top1": 0.5, "top3": 1.0}, hyper=_hyper("cg")) for seed in (1, 2)]
    text = curvature(commit(tmp_path / "digits", runs))
    assert rows(text)[0]["less identity"] == "–"
    assert "There are no runs without curvature (`solver=identity`) to compare with." in text


@pytest.mark.parametrize(
    ("solver", "damping", "name"),
    [
        ("cg", 0.0, "cg 10"),
        ("cg", 10.0, "cg 10, damping 10"),
        ("nystrom", 0.01, "nystrom 10"),
        ("identity", 1, "identity"),
    ],
)
def test_solvers_have_the_words_of_the_command_line(solver: str, damping: float, name: str) -> None:
    assert solver_of(a_run("auxilearn-linear", 1, {"top1": 0.5}, hyper=_hyper(solver, damping))) == name


def test_runs_that_differ_in_what_the_table_does_not_name_are_no_single_row(tmp_path: Path) -> None:
    runs = [a_run("auxilearn-linear", 1, {"top1": 0.5}, hyper=_hyper("nystrom", each)) for each in (0.1, 1)]
    with pytest.raises(ValueError, match="two runs of auxilearn-linear in 5-shot with seed 1"):
        curvature(commit(tmp_path / "digits", runs))


def _hyper(solver: str, damping: float = 0.0) -> dict[str, object]:
    rates = {"lr": 0.1, "auxiliary_lr": 0.01}
    return {"mode": "corrected", "solver": solver, "terms": 10, "damping": damping, **rates}
