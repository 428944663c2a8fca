"""What learning the combiner is worth: differences by hand, paired by seed, each form against its own setting."""

from pathlib import Path

import pytest
from scipy import stats

from benchmark.findings.untrained import untrained
from tests.benchmark.made_up import a_run, commit, rows

STILL = (0.90, 0.91, 0.93)
LEARNT = (0.92, 0.94, 0.94)
PLAIN = (0.91, 0.91, 0.91)

FORMS = {
    "never trained": {"auxiliary_lr": 0.0, "mode": "paper", "solver": "neumann"},
    "as published": {"auxiliary_lr": 0.1, "mode": "paper", "solver": "neumann"},
    "identity": {"auxiliary_lr": 0.1, "mode": "corrected", "solver": "identity"},
}


def test_differences_are_of_the_same_setting_and_seed(tmp_path: Path) -> None:
    scores = {
        ("never trained", "5-shot"): STILL,
        ("as published", "5-shot"): LEARNT,
        ("identity", "5-shot"): PLAIN,
        **{(form, "10-shot"): LEARNT for form in FORMS},
    }
    runs = [
        a_run("auxilearn-linear", seed, {"top1": score, "top3": 1.0}, setting=setting, hyper=FORMS[form])
        for (form, setting), found in scores.items()
        for seed, score in enumerate(found, start=1)
    ]
    other = [
        a_run("auxilearn-linear", seed, {"top1": score, "top3": 1.0}, setting="5-shot", hyper=FORMS["as published"])
        for seed, score in enumerate(PLAIN, start=1)
    ]
    text = untrained(commit(tmp_path / "digits", runs), commit(tmp_path / "other" / "digits", other))
    few, many = rows(text)
    assert [few[form] for form in FORMS] == ["91.33 ± 0.88", "93.33 ± 0.67", "91.00 ± 0.00"]
    assert [many[form] for form in FORMS] == ["93.33 ± 0.67"] * 3
    for form, found in (("as published", LEARNT), ("identity", PLAIN)):
        low, high = (100 * end for end in stats.ttest_rel(found, STILL).confidence_interval())
        difference = 100 * (sum(found) - sum(STILL)) / 3
        assert few[f"{form} less never trained"] == f"{difference:+.2f} ({low:+.2f} to {high:+.2f})"
        assert many[f"{form} less never trained"].startswith("+0.00 (")
    p = min(1.0, 4 * stats.ttest_rel(LEARNT, STILL).pvalue)
    assert float(few["p (Holm)"]) == pytest.approx(p, abs=0.0005)
    assert float(few["its p (Holm)"]) == pytest.approx(1.0)
    assert "of 3 final runs" in text
    assert "for all 4." in text
    assert "means are up to 2.33 points off those as published" in text
