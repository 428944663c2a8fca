"""AuxiLearn against the others at more rates: what is said follows from the records."""

from pathlib import Path
from typing import Any

from scipy import stats

from benchmark.findings.generated import apart, steps
from tests.benchmark.made_up import a_run, commit, rows

LEARNT = (0.60, 0.61, 0.62)
SINGLE = (0.50, 0.52, 0.53)
FROZEN = (0.55, 0.55, 0.58)
SINGLE_BETWEEN = (0.59, 0.60, 0.63)
FROZEN_BETWEEN = (0.58, 0.61, 0.61)


def runs(method: str, lr: float, scores: tuple[float, ...], *, own: Any = (), **more: Any) -> list[Any]:
    found = []
    for seed, score in enumerate(scores, start=1):
        hyper = {"lr": lr, **dict(own)}
        found.append(a_run(method, seed, {"top1": score}, suite="cifar10-convnet", setting="5%", hyper=hyper, **more))
    return found


def test_differences_and_p_values_are_those_of_the_seeds(tmp_path: Path) -> None:
    learnt = runs("auxilearn", 0.01, LEARNT, weight=(5.0, 2.0))
    grid = commit(tmp_path / "grid", [*learnt, *runs("stl", 0.01, SINGLE), *runs("maxl-f", 0.1, FROZEN)])
    between = commit(tmp_path / "between", [*runs("stl", 0.03, SINGLE_BETWEEN), *runs("maxl-f", 0.055, FROZEN_BETWEEN)])
    text = steps(grid, between)
    found = rows(text)
    assert [(row["method"], row["rates searched"], row["lr"]) for row in found] == [
        ("`stl`", "the grid's", "0.01"),
        ("`stl`", "between", "0.03"),
        ("`maxl-f`", "the grid's", "0.1"),
        ("`maxl-f`", "between", "0.055"),
    ]
    assert [row["`auxilearn` less it"] for row in found] == ["+9.33", "+0.33", "+5.00", "+1.00"]
    smallest = 4 * stats.ttest_rel(LEARNT, SINGLE).pvalue
    assert found[0]["p (Holm)"] == f"{smallest:.3f}"
    assert "that `auxilearn` (lr 0.01) ends with is 5.0 on average" in text
    assert "standard error of 3 final runs" in text


def test_what_was_searched_apart_is_compared_with_the_table(tmp_path: Path) -> None:
    corrected = {"mode": "corrected", "solver": "neumann", "terms": 3, "damping": 0}
    plain = {**corrected, "solver": "identity"}
    frozen = runs("maxl-f", 0.1, FROZEN_BETWEEN)
    reference = commit(tmp_path / "table", [*runs("stl", 0.1, SINGLE), *frozen, *runs("auxilearn", 0.1, LEARNT)])
    reduced = commit(tmp_path / "rates", [*runs("maxl", 0.1, FROZEN), *runs("maxl", 0.2, (0.9, 0.8), phase="search")])
    curved = [
        *runs("auxilearn", 0.1, SINGLE_BETWEEN, own=corrected),
        *runs("auxilearn", 0.1, FROZEN, own=plain),
        *runs("auxilearn", 0.1, LEARNT, own={**corrected, "mode": "paper"}),
    ]
    searched = runs("auxilearn", 0.2, FROZEN, own=corrected, phase="search")
    text = apart(reference, reduced, commit(tmp_path / "curved", [*curved, *searched]))
    found = rows(text)
    names = ["`maxl`", "`auxilearn`, corrected, neumann 3", "`auxilearn`, corrected, identity"]
    assert [row["method"] for row in found] == names
    assert [row["lr"] for row in found] == ["0.1", "0.1", "0.1"]
    assert "Rates of the network in the table above: `stl` 0.1, `maxl-f` 0.1, `auxilearn` 0.1." in text
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
