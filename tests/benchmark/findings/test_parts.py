"""AuxiLearn's parts alone: the table has the numbers of runs and records."""

from pathlib import Path

from scipy import stats

from benchmark.explanations.parts import FILE, Run
from benchmark.findings.parts import learnt_alone
from benchmark.speed.rows import write
from tests.benchmark.made_up import ORIGIN, WHERE, a_run, commit, rows

SUITE = "cifar10-convnet"
SCORES = {
    "both": (0.60, 0.62, 0.61),
    "weights": (0.59, 0.60, 0.61),
    "labels": (0.55, 0.60, 0.59),
    "neither": (0.50, 0.52, 0.54),
}


def test_the_table_has_both_parts_each_alone_and_neither(tmp_path: Path) -> None:
    runs = [
        a_run(
            method, seed, {"top1": SCORES[name][seed - 1]}, suite=SUITE, setting="5%", hyper={"lr": lr}, weight=weight
        )
        for name, method, lr, weight in (
            ("both", "auxilearn", 0.01, (5.0, 0.5)),
            ("neither", "maxl-f", 0.03, (1.0, 1.0)),
        )
        for seed in (1, 2, 3)
    ]
    commit(tmp_path / "rates" / SUITE, runs)
    alone = [
        Run(SUITE, part, "final", seed, lr, 0.9, SCORES[part][seed - 1], main, 1.0, **WHERE)
        for part, lr, main in (("weights", 0.01, 4.0), ("labels", 0.055, 1.0))
        for seed in (1, 2, 3)
    ]
    searched = Run(SUITE, "labels", "search", 0, 0.1, 0.95, None, 1.0, 1.0, **WHERE)
    other = Run("cifar100-convnet", "labels", "final", 1, 0.1, 0.95, 0.1, 1.0, 1.0, **WHERE)
    write(tmp_path / FILE, [*alone, searched, other], Run)
    text = learnt_alone(SUITE, tmp_path)
    found = rows(text)
    assert [row["learned"] for row in found] == [
        "labels and weights: `auxilearn`",
        "weights alone",
        "labels alone",
        "neither: `maxl-f`",
    ]
    assert [row["lr"] for row in found] == ["0.01", "0.01", "0.055", "0.03"]
    assert [row["top1"] for row in found] == ["61.00 ± 0.58", "60.00 ± 0.58", "58.00 ± 1.53", "52.00 ± 1.15"]
    assert [row["less neither"] for row in found] == ["+9.00", "+8.00", "+6.00", "–"]
    assert [row["less both"] for row in found] == ["–", "-1.00", "-3.00", "-9.00"]
    smallest = min(stats.ttest_rel(SCORES[name], SCORES["neither"]).pvalue for name in SCORES if name != "neither")
    assert min(row["p (Holm)"] for row in found if row["p (Holm)"] != "–") == f"{3 * smallest:.3f}"
    of_both = {name: stats.ttest_rel(SCORES[name], SCORES["both"]).pvalue for name in SCORES if name != "both"}
    assert found[3]["p (Holm) of both"] == f"{3 * min(of_both.values()):.3f}"
    assert [row["weights at the end"] for row in found] == ["5.00, 0.50", "4.00, 1.00", "1.00, 1.00", "1.00, 1.00"]
    assert "at 5% in percent, mean ± standard error of 3 final runs" in text
    assert f"Parts alone: {ORIGIN}. The others: a machine" in text
