"""The README's table of harmful auxiliaries says what the files of the committed runs say."""

import dataclasses
from pathlib import Path

from benchmark.findings.harm import harm
from tests.benchmark.made_up import a_run, commit

TABLE = """suite,setting,method,metric,count,mean,sem
digits,few,stl,top1,4,0.5,0.011
digits,few,stl,top3,4,0.9,0.001
digits,few,rlw,top1,4,0.61,0.02
digits,few,mine,top1,4,0.7,0.03
"""
WEIGHTS = {
    "stl": [(1, 0, 0, 0), (1, 0, 0, 0)],
    "rlw": [(5, 2, 2, 1), (2, 4, 3, 1)],
    "mine": [(100, 98, -1.5, 0.5), (102, 94, 3, -1)],
}
"""Of the four tasks at the end, by run."""
COMPARISON = """suite,setting,metric,reference,method,verdict
digits,few,top1,stl,rlw,no significant difference
digits,few,top1,stl,mine,better
digits,few,top1,rlw,stl,no significant difference
digits,few,top1,rlw,mine,no significant difference
"""


def test_scores_harmful_shares_and_verdicts(tmp_path: Path) -> None:
    runs = [
        dataclasses.replace(
            a_run(method, seed, {"top1": 0.5}, setting="few", weight=weight),
            tasks=("digit", "parity", "random", "shuffled"),
        )
        for method, found in WEIGHTS.items()
        for seed, weight in enumerate(found, start=1)
    ]
    commit(tmp_path, runs)
    for name, text in {"table": TABLE, "comparison": COMPARISON}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    table, sentence = harm(tmp_path).split("\n\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert cells[0] == ["method", "few top1", "few harmful share", "few vs stl", "few vs rlw"]
    assert cells[2:] == [
        ["`stl`", "50.00 ± 1.10", "0.0 %", "–", "≈"],
        ["`rlw`", "61.00 ± 2.00", "35.0 %", "≈", "–"],
        ["`mine`", "70.00 ± 3.00", "1.5 %", "better", "≈"],
    ]
    assert sentence == "few: 1 of 2 methods beat `stl` significantly (`mine`), 0 of 2 methods beat `rlw` significantly."


def test_without_committed_runs_there_is_nothing(tmp_path: Path) -> None:
    assert harm(tmp_path / "absent") == ""
