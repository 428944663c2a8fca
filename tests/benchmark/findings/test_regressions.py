"""Findings on the regressions say what their records say."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmark.findings.regressions import illustrative, noisy, rates, solutions
from tests.benchmark.made_up import a_run, commit, rows

DISTANCES = {"auxilearn-linear": (0.1, 0.2, 0.6), "stl": (0.3, 0.4, 0.5), "equal": (1.0, 2.0, 3.0)}
WEIGHTS = ((1.0, 2.0, 0.0), (2.0, 5.0, 1.0), (3.0, 8.0, 0.5))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = [
        a_run(method, seed, {"mse": 1.0, "distance": distance}, suite="illustrative", setting="plane", weight=weight)
        for method, distances in DISTANCES.items()
        for seed, (distance, weight) in enumerate(zip(distances, WEIGHTS, strict=True), start=1)
    ]
    lost = a_run("dwa", 1, {}, suite="illustrative", setting="plane", status="diverged")
    return commit(tmp_path / "illustrative", [*records, lost])


def test_distances_wins_and_weights(folder: Path) -> None:
    text = illustrative(folder)
    assert "Over 3 seeds the found minimum is 0.300 ± 0.265 from the true solution with AuxiLearn" in text
    assert "0.400 ± 0.100 with the single task and 2.000 ± 1.000 with equal weighting" in text
    assert "nearer than the single task in 2 of 3 seeds" in text
    p = stats.ttest_rel(DISTANCES["auxilearn-linear"], DISTANCES["stl"]).pvalue
    assert f"p = {p:.3f}" in text
    assert "2.00 for the main task, 5.00 for the helpful one and 0.50 for the harmful one" in text
    assert "at most 12.5 % of the sum" in text
    assert "(a machine, torch 9.9, commit 1234567, 2026-11-25)" in text


def test_a_table_of_all_methods_the_nearest_first(folder: Path) -> None:
    found = rows(solutions(folder))
    assert [row["method"] for row in found] == ["`auxilearn-linear`", "`stl`", "`equal`"]
    assert [row["distance"] for row in found] == ["0.300 ± 0.153", "0.400 ± 0.058", "2.000 ± 0.577"]
    assert [row["nearer than stl"] for row in found] == ["2 of 3", "–", "0 of 3"]
    p_values = [stats.ttest_rel(DISTANCES[name], DISTANCES["stl"]).pvalue for name in ("auxilearn-linear", "equal")]
    assert min(p_values) * 2 > 0.05
    assert [row["vs stl"] for row in found] == ["≈", "–", "≈"]
    assert "Without a result in any run: `dwa`." in solutions(folder)


def test_weights_that_fall_with_the_noise(tmp_path: Path) -> None:
    falling = np.linspace(1, 0, 20).tolist()
    swapped = [falling[1], falling[0], *falling[2:]]
    made = [
        a_run(
            method, seed, {"mse": 1.0, "distance": 0.1}, suite="noisy-auxiliaries", setting="line", weight=[9.0, *each]
        )
        for method in ("auxilearn-linear", "stl")
        for seed, each in ((1, falling), (2, swapped))
    ]
    text = noisy(commit(tmp_path / "noisy-auxiliaries", made))
    exact = 1 - 6 * 2 / (20 * (20**2 - 1))
    assert f"is {(-1 - exact) / 2:.2f} on average over 2 seeds ({-exact:.2f} at most)" in text
    assert f"the ten least noisy auxiliaries end at {np.mean(falling[:10]):.3f}" in text
    assert f"the ten noisiest at {np.mean(falling[10:]):.3f}" in text


def test_what_another_rate_gives(tmp_path: Path) -> None:
    made = [
        a_run(
            "auxilearn-nonlinear",
            seed,
            {"mse": 1.0, "distance": distance} if distance else {},
            suite="illustrative",
            setting="plane",
            hyper={"auxiliary_lr": 0.25},
            status="ok" if distance else "diverged",
        )
        for seed, distance in enumerate((0.1, 0.3, 0.0), start=1)
    ]
    text = rates(commit(tmp_path / "illustrative", made))
    assert "With `auxiliary_lr` 0.25: `auxilearn-nonlinear` ends 0.200 ± 0.141 from the solution (2 of 3 runs)" in text
