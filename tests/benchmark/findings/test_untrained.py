"""What learning the combiner is worth: differences by hand, paired by seed."""

from pathlib import Path

import pytest
from scipy import stats

from benchmark.findings.untrained import untrained
from tests.benchmark.findings.made_up import a_run, commit, rows

STILL = (0.90, 0.91, 0.93)
LEARNT = (0.92, 0.94, 0.94)


def test_differences_are_of_the_same_method_setting_and_seed(tmp_path: Path) -> None:
    linear, nonlinear = "auxilearn-linear", "auxilearn-nonlinear"
    still = {(linear, "5-shot"): STILL, (linear, "10-shot"): LEARNT}
    learnt = {(linear, "5-shot"): LEARNT, (linear, "10-shot"): LEARNT, (nonlinear, "5-shot"): STILL}

    def made(name: str, scores: dict[tuple[str, str], tuple[float, ...]]) -> Path:
        runs = [
            a_run(method, seed, {"top1": score, "top3": 1.0}, setting=setting)
            for (method, setting), found in scores.items()
            for seed, score in enumerate(found, start=1)
        ]
        return commit(tmp_path / name / "digits", runs)

    text = untrained(made("still", still), made("learnt", learnt))
    found = rows(text)
    assert [(row["setting"], row["method"]) for row in found] == [("5-shot", f"`{linear}`"), ("10-shot", f"`{linear}`")]
    assert [row["learnt"] for row in found] == ["93.33 ± 0.67", "93.33 ± 0.67"]
    assert [row["never trained"] for row in found] == ["91.33 ± 0.88", "93.33 ± 0.67"]
    assert [row["learnt less never trained"] for row in found] == ["+2.00", "+0.00"]
    p = min(1.0, 2 * stats.ttest_rel(LEARNT, STILL).pvalue)
    assert float(found[0]["p (Holm)"]) == pytest.approx(p, abs=0.0005)
    low, high = stats.ttest_rel(LEARNT, STILL).confidence_interval()
    assert found[0]["95 % interval"] == f"{100 * low:+.2f} to {100 * high:+.2f}"
    assert "of 3 final runs" in text
