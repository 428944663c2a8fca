"""What is said of CIFAR-100 with coarse classes is what its records say."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from benchmark.comparison import p_text
from benchmark.findings.coarse import coarse, ratios, weights, without_controls
from benchmark.findings.runs import records_of
from benchmark.record import Record
from tests.benchmark.findings.made_up import a_run, commit, rows

SCORES = {"top1": 0.1, "top3": 0.2}


def made(setting: str, method: str, seed: int, weight: tuple[float, ...] = (1.0, 1.0), **more: Any) -> Any:
    return a_run(method, seed, SCORES, suite="cifar100-coarse", setting=setting, weight=weight, **more)


def test_largest_sums_of_weights_in_each_setting(tmp_path: Path) -> None:
    ends = ((1.0, 0.004, 0.004), (500.0, 300.0, 434.0))
    runs = [made("5-shot", "auxilearn-nonlinear", seed, end) for seed, end in enumerate(ends, start=1)]
    runs += [made("10-shot", "auxilearn-nonlinear", 1, (2.0, 3.0)), made("5-shot", "equal", 1, (1e9, 0.0, 0.0))]
    text = weights(commit(tmp_path / "cifar100-coarse", runs), ("5-shot", "10-shot"))
    assert "add up to at most, run by run: 1, 1,234 (5-shot); 5 (10-shot)." in text


def test_a_table_a_setting_in_the_order_of_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def table(folder: Path, references: Sequence[str], *, chosen: Callable[[Record], bool]) -> str:
        return f"{references}: {[record.spec.setting for record in records_of(folder) if chosen(record)]}"

    monkeypatch.setattr("benchmark.findings.tables.compared", table)
    runs = [made(setting, "auxilearn-nonlinear", seed) for setting in ("10-shot", "5-shot") for seed in (1, 2)]
    monkeypatch.setattr("benchmark.findings.coarse.ratios", lambda folder, settings: f"ratios of {settings}")
    first, second, third, last = coarse(commit(tmp_path / "cifar100-coarse", runs)).split("\n\n")
    assert first == "('stl', 'equal'): ['5-shot', '5-shot']"
    assert second == "('stl', 'equal'): ['10-shot', '10-shot']"
    assert third == "ratios of ['5-shot', '10-shot']"
    assert last.startswith("The weights")


def scored(method: str, found: Sequence[float], setting: str = "5-shot", **more: Any) -> list[Record]:
    common: dict[str, Any] = {"suite": "cifar100-coarse", "setting": setting, **more}
    return [a_run(method, seed, {"top1": s, "top3": 1.0}, **common) for seed, s in enumerate(found, start=1)]


def test_what_controls_cost_is_paired_by_seed(tmp_path: Path) -> None:
    others = [*scored("famo", (0.2, 0.3, 0.9)), *scored("stl", (0.1, 0.2)), *scored("equal", (0.5, 0.6))]
    others += scored("stl", (0.8, 0.9), "10-shot") + scored("famo", (0.9, 0.9), hyper={"lr": 0.5})
    with_them = [replace(each, spec=replace(each.spec, controls=("noise",))) for each in others]
    without = [*scored("famo", (0.4, 0.6)), *scored("stl", (0.1, 0.1))]
    text = without_controls(
        commit(tmp_path / "cifar100-coarse", without), commit(tmp_path / "with" / "cifar100-coarse", with_them)
    )
    found = rows(text)
    assert [row["method"] for row in found] == ["`stl`", "`famo`"], "in the order of the suite"
    assert [row["without less with"] for row in found] == ["-5.00", "+25.00"]
    assert (found[1]["without controls"], found[1]["with controls"]) == ("50.00 ± 10.00", "25.00 ± 5.00")
    single: Any = stats.ttest_rel((0.4, 0.6), (0.2, 0.3))
    assert found[1]["p (Holm)"] == p_text(2 * single.pvalue)
    assert "5-shot, test top1 in percent, mean ± standard error of 2 final runs" in text


def test_a_run_without_controls_needs_its_counterpart(tmp_path: Path) -> None:
    folders = [
        commit(tmp_path / str(rate) / "cifar100-coarse", scored("stl", (0.1, 0.2), hyper={"lr": rate}))
        for rate in (0.1, 0.2)
    ]
    with pytest.raises(ValueError, match="stl with seed 1 was not run with controls"):
        without_controls(*folders)


def test_ratios_of_weights_the_largest_first(tmp_path: Path) -> None:
    weights_and_scores = {
        "equal": (((1.0, 1.0), (1.0, 1.0)), (0.3, 0.3)),
        "famo": (((0.5, 1.0), (0.1, 0.5)), (0.5, 0.7)),
        "rlw": (((1.0, 2.0), (1.0, 2.0)), (0.1, 0.3)),
    }
    runs = [
        replace(a_run(method, seed, {"top1": score}, suite="cifar100-coarse", weight=weight), tasks=("fine", "coarse"))
        for method, (ends, scores) in weights_and_scores.items()
        for seed, (weight, score) in enumerate(zip(ends, scores, strict=True), start=1)
    ]
    text = ratios(commit(tmp_path / "cifar100-coarse", runs), ("5-shot",))
    assert "mean over the runs: `famo` 3.5, `rlw` 2.0, `equal` 1.0 (5-shot)." in text
    assert text.endswith("correlation of this ratio with the mean top1: 0.50 over 3 methods (5-shot).")
