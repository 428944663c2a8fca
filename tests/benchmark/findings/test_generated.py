"""What was run apart beside a table of generated labels: what is said follows from the records."""

from pathlib import Path
from typing import Any

from scipy import stats

from benchmark.findings.generated import apart, finer
from tests.benchmark.made_up import a_run, commit, rows

SUITE = "cifar10-convnet"
LEARNT = (0.60, 0.61, 0.62)
SINGLE = (0.50, 0.52, 0.53)
FROZEN = (0.55, 0.55, 0.58)
SINGLE_BETWEEN = (0.59, 0.60, 0.63)
FROZEN_BETWEEN = (0.58, 0.61, 0.61)
NEUMANN = {"mode": "corrected", "solver": "neumann", "terms": 3, "damping": 0}
IDENTITY = {**NEUMANN, "solver": "identity"}
PAPER = {**NEUMANN, "mode": "paper"}


def runs(method: str, lr: float, scores: tuple[float, ...], *, own: Any = (), setting: str = "5%", **more: Any) -> Any:
    found = []
    for seed, score in enumerate(scores, start=1):
        hyper = {"lr": lr, **dict(own)}
        found.append(a_run(method, seed, {"top1": score}, suite=SUITE, setting=setting, hyper=hyper, **more))
    return found


def test_differences_and_p_values_are_those_of_the_seeds(tmp_path: Path) -> None:
    searched = [*runs("stl", 0.1, (0.4,), phase="search"), *runs("stl", 0.01, (0.5,), phase="search")]
    learnt = runs("auxilearn", 0.01, LEARNT, own=PAPER, weight=(5.0, 2.0))
    finals = [*learnt, *runs("maxl", 0.1, FROZEN_BETWEEN), *runs("maxl-f", 0.1, FROZEN), *runs("stl", 0.01, SINGLE)]
    rates = commit(tmp_path / "rates", [*searched, *finals])
    apart_of_it = [*runs("maxl-f", 0.03, SINGLE_BETWEEN), *runs("auxilearn", 0.1, SINGLE, own=NEUMANN)]
    text = finer(rates, commit(tmp_path / "apart", apart_of_it), tmp_path / "of another suite")
    found = rows(text)
    assert [(row["method"], row["rates searched"], row["lr"]) for row in found] == [
        ("`stl`", "0.01, 0.1", "0.01"),
        ("`maxl-f`", "none", "0.1"),
        ("`maxl`", "none", "0.1"),
        ("`auxilearn`", "none", "0.01"),
        ("`maxl-f`", "none", "0.03"),
        ("`auxilearn`, corrected, neumann 3", "none", "0.1"),
    ]
    assert [row["`auxilearn` less it"] for row in found] == ["+9.33", "+5.00", "+1.00", "–", "+0.33", "+9.33"]
    smallest = 5 * stats.ttest_rel(LEARNT, SINGLE).pvalue
    assert [found[row]["p (Holm)"] for row in (0, 3, -1)] == [f"{smallest:.3f}", "–", f"{smallest:.3f}"]
    assert "that `auxilearn` (lr 0.01, 61.00 ± 0.58) ends with is 5.0 on average" in text
    assert "standard error of 3 final runs" in text


def test_what_was_run_apart_is_compared_with_the_table(tmp_path: Path) -> None:
    frozen = runs("maxl-f", 0.1, FROZEN_BETWEEN)
    learnt = runs("auxilearn", 0.1, LEARNT, own=PAPER)
    reference = commit(tmp_path / "table" / SUITE, [*runs("stl", 0.1, SINGLE), *frozen, *learnt])
    reduced = commit(tmp_path / "rates", [*runs("maxl", 0.1, FROZEN), *runs("maxl", 0.2, (0.9, 0.8), phase="search")])
    curved = [*runs("auxilearn", 0.1, SINGLE_BETWEEN, own=NEUMANN), *runs("auxilearn", 0.1, FROZEN, own=IDENTITY)]
    searched = runs("auxilearn", 0.2, FROZEN, own=NEUMANN, phase="search")
    text = apart(reference, reduced, commit(tmp_path / "curved", [*curved, *learnt, *searched]))
    found = rows(text)
    assert {row["setting"] for row in found} == {"5%"}
    names = ["`maxl`", "`auxilearn`, corrected, neumann 3", "`auxilearn`, corrected, identity"]
    assert [row["method"] for row in found] == names
    assert [row["lr"] for row in found] == ["0.1", "0.1", "0.1"]
    assert "in the table above: `stl` 0.1, `maxl-f` 0.1, `auxilearn` 0.1 with 5%." in text
    assert [row["top1"] for row in found] == ["56.00 ± 1.00", "60.67 ± 1.20", "56.00 ± 1.00"]
    assert [row["trials"] for row in found] == ["2", "3", "0"]
    assert [row["less `stl`"] for row in found] == ["+4.33", "+9.00", "+4.33"]
    assert [row["less `maxl-f`"] for row in found] == ["-4.00", "+0.67", "-4.00"]
    assert [row["less `auxilearn`"] for row in found] == ["-5.00", "-0.33", "-5.00"]
    raw = [stats.ttest_rel(scores, SINGLE).pvalue for scores in (FROZEN, SINGLE_BETWEEN, FROZEN)]
    smallest, middle, largest = sorted(raw)
    steps_down = [3 * smallest, max(3 * smallest, 2 * middle), max(3 * smallest, 2 * middle, largest)]
    assert sorted(row["p (Holm) of `stl`"] for row in found) == sorted(f"{p:.3f}" for p in steps_down)
    assert "of 3 final runs" in text


def test_settings_are_compared_each_with_its_own_table(tmp_path: Path) -> None:
    both = {"5%": (SINGLE, FROZEN), "15%": (SINGLE_BETWEEN, LEARNT)}
    table, beside = [], []
    for setting, (single, other) in both.items():
        table += runs("stl", 0.1, single, setting=setting)
        table += runs("maxl-f", 0.2, FROZEN, setting=setting)
        table += runs("auxilearn", 0.3, FROZEN_BETWEEN, own=PAPER, setting=setting)
        beside += runs("maxl", 0.4, other, setting=setting)
    text = apart(commit(tmp_path / "table" / SUITE, table), commit(tmp_path / "rates", reversed(beside)))
    found = rows(text)
    assert [row["setting"] for row in found] == ["5%", "15%"]
    assert [row["less `stl`"] for row in found] == ["+4.33", "+0.33"]
    expected = [stats.ttest_rel(other, single).pvalue for single, other in both.values()]
    assert [row["p (Holm) of `stl`"] for row in found] == [f"{p:.3f}" for p in expected]
    rates = "`stl` 0.1, `maxl-f` 0.2, `auxilearn` 0.3 with"
    assert f"in the table above: {rates} 5%; {rates} 15%." in text
