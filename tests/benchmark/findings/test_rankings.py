"""The finding on searches: ranks, trials and agreement as their records have them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from scipy import stats

from benchmark.findings.rankings import lower_coarse, ranking, ranking_coarse, rates_coarse, wider
from benchmark.spec import Search
from tests.benchmark.made_up import a_run, commit, rows

GRIDS = {"stl": (0.5, 0.6), "equal": (0.7, 0.8), "gcs": (0.8, 0.9)}
BUDGETS = {"stl": (0.5, 0.6), "equal": (0.9, 0.95), "gcs": (0.8, 0.9)}


def made(
    folder: Path,
    scores: dict[str, tuple[float, ...]],
    trials: int,
    *,
    largest: float = 1.0,
    search: Search | None = None,
) -> Path:
    finals = [
        a_run(method, seed, {"top1": score, "top3": 1.0}, search=search)
        for method, found in scores.items()
        for seed, score in enumerate(found, start=1)
    ]
    searches = [
        a_run(
            method,
            0,
            {"top1": 0.1, "top3": 0.2},
            phase="search",
            hyper={"lr": round(largest / (1 + number), 9)},
            search=search and replace(search, trial=number, trials=None),
        )
        for method in scores
        for number in range(trials)
    ]
    return commit(folder, [*finals, *searches])


def test_ranks_trials_and_their_agreement(tmp_path: Path) -> None:
    more = [a_run("stl", 3, {"top1": 1.0, "top3": 1.0})]  # of a seed that budgets have not
    text = ranking(commit(made(tmp_path / "grids", GRIDS, 2), more), made(tmp_path / "budgets", BUDGETS, 5))
    found = rows(text)
    assert [row["method"] for row in found] == ["`gcs`", "`equal`", "`stl`"]
    assert [row["grid"] for row in found] == ["85.00 ± 5.00", "75.00 ± 5.00", "55.00 ± 5.00"]
    assert [(row["rank"], row["its rank"]) for row in found] == [("1", "2"), ("2", "1"), ("3", "3")]
    assert {(row["trials"], row["its trials"]) for row in found} == {("2", "5")}
    assert [row["change"] for row in found] == ["+0.00", "+17.50", "+0.00"]
    tau: Any = stats.kendalltau([1, 2, 3], [2, 1, 3])
    assert f"Kendall's tau of the two rankings of 3 methods is {tau.statistic:.2f} (p = {tau.pvalue:.3f})" in text
    assert "`gcs` is the best by grids, `equal` by equal budgets" in text
    assert "changes significantly: none." in text


def test_rankings_are_held_against_chance_and_the_edge_of_the_grid(tmp_path: Path) -> None:
    scores = {"stl": (0.1, 0.2, 0.3, 0.4), "equal": (0.2, 0.1, 0.4, 0.5), "gcs": (0.3, 0.4, 0.2, 0.1)}
    grids = made(tmp_path / "grids", scores, 2, largest=0.1)
    text = ranking(grids, made(tmp_path / "budgets", {name: found[:2] for name, found in scores.items()}, 5))
    splits = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    taus = []
    for half, other in splits:
        means = [[sum(found[i] for i in part) for found in scores.values()] for part in (half, other)]
        found: Any = stats.kendalltau(*means)
        taus.append(found.statistic)
    told = f"of {sum(taus) / 3:.2f} on average ({min(taus):.2f} to {max(taus):.2f} over 3 pairs)"
    assert f"each of 2 of the 4 seeds and none in common, have a tau {told}" in text
    told = "By grids 3 of 3 searches end at the largest learning rate that they had, 0 at the smallest"
    assert f"{told}; by equal budgets 0 of 3, 0 at the smallest." in text


def test_several_draws_are_averaged_and_held_against_each_other(tmp_path: Path) -> None:
    grids = made(tmp_path / "grids", GRIDS, 2, largest=0.1)
    draws = [
        {"stl": (0.9, 0.95), "equal": (0.5, 0.6), "gcs": (0.8, 0.9)},  # ranks 1, 3, 2
        {"stl": (0.5, 0.6), "equal": (0.7, 0.8), "gcs": (0.8, 0.9)},  # ranks 3, 2, 1, as by grids
        {"stl": (0.7, 0.8), "equal": (0.5, 0.6), "gcs": (0.8, 0.9)},  # ranks 2, 3, 1
    ]
    for seed, scores in enumerate(draws):
        search = Search("random", "space", trials=5, seed=seed)
        made(tmp_path / "budgets", scores, 5, largest=0.1 if seed == 2 else 1.0, search=search)
    text = ranking(grids, tmp_path / "budgets")
    found = rows(text)
    assert [(row["method"], row["its rank by draw"]) for row in found] == [
        ("`gcs`", "2, 1, 1"),
        ("`equal`", "3, 2, 3"),
        ("`stl`", "1, 3, 2"),
    ]
    assert found[2]["equal budget"] == "74.17 ± 4.17", "of 70.00 and 78.33, the means over the draws by seed"
    assert found[2]["change"] == "+19.17"
    assert {(row["trials"], row["its trials"]) for row in found} == {("2", "5")}
    among, across = "0.11 on average (-0.33 to 0.33 over 3 pairs)", "0.33 on average (-0.33 to 1.00 over 3 draws)"
    assert f"whose trials were drawn anew, have a tau of {among}; that by grids has one of {across} with them." in text
    told = "By grids 3 of 3 searches end at the largest learning rate that they had, 0 at the smallest"
    assert f"{told}; by equal budgets 3 of 9, 0 at the smallest." in text
    assert "of equal budgets the mean over 3 draws of the trials; change: equal budget less grid" in text
    joint: Any = stats.ttest_1samp([0.2 / 9, 0.05 / 3], 0)  # means over methods by seed: -0.4 / 3 + 0.2, and so on
    told = f"the mean over the methods changes by +1.94 percentage points (paired by seed, p = {joint.pvalue:.3f})."
    assert f"By equal budgets 1 of 3 are lower; {told}" in text


def test_wider_grids_are_compared_like_budgets(tmp_path: Path) -> None:
    text = wider(made(tmp_path / "grids", GRIDS, 2), made(tmp_path / "wider", BUDGETS, 3))
    assert list(rows(text)[0])[4:7] == ["wider grid", "its rank", "its trials"]
    assert "`gcs` is the best by grids, `equal` by wider grids" in text
    assert "Wider grids: a machine" in text
    assert "draw" not in text
    many = {f"method {number}": (number / 10, number / 9) for number in range(1, 9)}
    text = wider(made(tmp_path / "more", many, 1), made(tmp_path / "more-wider", many, 1))
    assert "of 8 methods is 1.00 (p < 0.001)" in text


def test_a_method_with_other_seeds_in_one_of_the_two_is_left_out(tmp_path: Path) -> None:
    grids = made(tmp_path / "grids", {**GRIDS, "dwa": (0.9,)}, 2)
    text = ranking(grids, made(tmp_path / "budgets", {**BUDGETS, "dwa": (0.9, 0.8)}, 5))
    assert "dwa" not in text.partition("5-shot: ")[0]
    assert "Left out, as they do not have the same seeds everywhere: `dwa`." in text


def test_a_method_without_a_result_in_one_of_the_two_is_left_out(tmp_path: Path) -> None:
    grids = made(tmp_path / "grids", {**GRIDS, "dwa": (0.9, 0.9)}, 2)
    failed = [a_run("dwa", seed, {"top1": 0.0, "top3": 0.0}, status="failed") for seed in (1, 2)]
    text = ranking(grids, commit(made(tmp_path / "budgets", BUDGETS, 5), failed))
    assert "Left out, as they do not have the same seeds everywhere: `dwa`." in text


def test_the_same_best_method_is_said_so(tmp_path: Path) -> None:
    text = ranking(made(tmp_path / "grids", GRIDS, 1), made(tmp_path / "budgets", GRIDS, 1))
    assert "`gcs` is the best under both" in text
    assert "methods is 1.00" in text


def test_only_settings_of_both_are_shown(tmp_path: Path) -> None:
    grids = made(tmp_path / "grids", GRIDS, 1)
    elsewhere = [a_run("stl", seed, {"top1": 0.5, "top3": 1.0}, setting="10-shot") for seed in (1, 2)]
    budgets = commit(made(tmp_path / "budgets", BUDGETS, 1), elsewhere)
    assert "5-shot: Kendall" in ranking(grids, budgets)
    assert "10-shot" not in ranking(grids, budgets)


def test_a_single_rate_is_held_against_a_grid_of_them(tmp_path: Path) -> None:
    more = made(tmp_path / "one", {**GRIDS, "dwa": (0.9, 0.9)}, 1)  # a method that the grid was not searched for
    text = rates_coarse(more, made(tmp_path / "grids", BUDGETS, 3, largest=0.3))  # the smallest: a third, as chosen
    assert list(rows(text)[0])[1:5] == ["single rate", "rank", "trials", "grid"]
    assert "`gcs` is the best by single rates, `equal` by grids" in text
    assert "By grids 0 of 3 searches end at the largest learning rate that they had, 3 at the smallest." in text
    assert "change: grid less single rate" in text
    assert "dwa" not in text
    assert "Single rates: a machine" in text
    assert "Grids: a machine" in text


def test_where_there_is_one_rate_nothing_is_said_of_the_largest(tmp_path: Path) -> None:
    text = ranking_coarse(made(tmp_path / "grids", GRIDS, 1), made(tmp_path / "budgets", GRIDS, 1))
    assert "largest" not in text
    assert "Grids: a machine" in text
    assert "Equal budgets: a machine" in text


def test_a_rate_below_the_grid_has_no_search(tmp_path: Path) -> None:
    grids = made(tmp_path / "grids", GRIDS, 3)
    text = lower_coarse(grids, made(tmp_path / "lower", {"stl": (0.6, 0.7), "equal": (0.3, 0.5)}, 0))
    found = [(row["method"], row["lower rate"], row["its rank"], row["its trials"]) for row in rows(text)]
    assert found == [("`equal`", "40.00 ± 10.00", "2", "0"), ("`stl`", "65.00 ± 5.00", "1", "0")]
    assert "By grids 0 of 2 searches end at the largest learning rate that they had, 0 at the smallest." in text
