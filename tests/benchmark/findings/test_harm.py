"""The README's table of harmful auxiliaries says what the files of the committed runs say."""

from pathlib import Path

from benchmark.findings.harm import harm

TABLE = """suite,setting,method,metric,count,mean,sem
digits,few,stl,top1,4,0.5,0.011
digits,few,stl,top3,4,0.9,0.001
digits,few,rlw,top1,4,0.61,0.02
digits,few,mine,top1,4,0.7,0.03
"""
WEIGHTS = """suite,setting,method,task,seeds,share_mean
digits,few,stl,digit,4,1.0
digits,few,stl,random,4,0.0
digits,few,stl,shuffled,4,0.0
digits,few,rlw,random,4,0.25
digits,few,rlw,shuffled,4,0.1
digits,few,mine,parity,4,0.5
digits,few,mine,random,4,0.015
digits,few,mine,shuffled,4,0.005
"""
COMPARISON = """suite,setting,metric,reference,method,verdict
digits,few,top1,stl,rlw,no significant difference
digits,few,top1,stl,mine,better
digits,few,top1,rlw,stl,no significant difference
digits,few,top1,rlw,mine,no significant difference
"""


def test_scores_harmful_shares_and_verdicts(tmp_path: Path) -> None:
    for name, text in {"table": TABLE, "weights": WEIGHTS, "comparison": COMPARISON}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    table, sentence = harm(tmp_path).split("\n\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert cells[0] == ["method", "few top1", "few harmful share", "few vs stl", "few vs rlw"]
    assert cells[2:] == [
        ["`stl`", "50.00 ± 1.10", "0.0 %", "–", "≈"],
        ["`rlw`", "61.00 ± 2.00", "35.0 %", "≈", "–"],
        ["`mine`", "70.00 ± 3.00", "2.0 %", "better", "≈"],
    ]
    assert sentence == "few: 1 of 2 methods beat `stl` significantly (`mine`), 0 of 2 methods beat `rlw` significantly."


def test_without_committed_runs_there_is_nothing(tmp_path: Path) -> None:
    assert harm(tmp_path / "absent") == ""
