"""What is said of CIFAR-100 with coarse classes is what its records say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from benchmark.comparison import p_text
from benchmark.findings.coarse import coarse, ratio_of, ratios, single_runs, without_controls
from benchmark.findings.runs import records_of
from benchmark.record import Record
from tests.benchmark.made_up import a_run, commit, rows

SCORES = {"top1": 0.1, "top3": 0.2}


def made(
    setting: str,
    method: str,
    seed: int,
    weight: tuple[float, ...] = (1.0, 1.0),
    test: Mapping[str, float] = SCORES,
    **more: Any,
) -> Any:
    return a_run(method, seed, test, suite="cifar100-coarse", setting=setting, weight=weight, **more)


def with_weights(method: str, seed: int, score: float, *weights: tuple[float, float], setting: str = "5-shot") -> Any:
    """Return a run with these weights of fine and coarse classes, an epoch each."""
    run = made(setting, method, seed, test={"top1": score})
    (row,) = run.epochs
    return replace(run, tasks=("fine", "coarse"), epochs=[{**row, "weight": list(weight)} for weight in weights])


def test_the_ratio_of_a_run_is_the_median_over_its_epochs() -> None:
    assert ratio_of(with_weights("famo", 1, 0.1, (1.0, 1.0), (2.0, 8.0), (0.01, 1.0))) == 4
    assert ratio_of(with_weights("famo", 1, 0.1, (1.0, -1.0), (1.0, 2.0))) == 0.5


def test_single_runs_in_each_setting(tmp_path: Path) -> None:
    runs = [with_weights("auxilearn-nonlinear", seed, seed / 10, (1.0, ratio)) for seed, ratio in ((1, 3.14), (2, 0.5))]
    runs += [
        with_weights("auxilearn-nonlinear", 1, 0.5, (2.0, 3.0), setting="10-shot"),
        with_weights("equal", 1, 0.9, (1, 1)),
    ]
    text = single_runs(commit(tmp_path / "cifar100-coarse", runs), ("5-shot", "10-shot"))
    assert text == (
        "Run by run, the ratio of `auxilearn-nonlinear` with its top1: 3.1 with 10.00, 0.5 with 20.00 (5-shot); "
        "1.5 with 50.00 (10-shot)."
    )


def test_a_table_a_setting_in_the_order_of_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def table(folder: Path, references: Sequence[str], *, chosen: Callable[[Record], bool]) -> str:
        return f"{references}: {[record.spec.setting for record in records_of(folder) if chosen(record)]}"

    monkeypatch.setattr("benchmark.findings.tables.compared", table)
    runs = [made(setting, "auxilearn-nonlinear", seed) for setting in ("10-shot", "5-shot") for seed in (1, 2)]
    monkeypatch.setattr("benchmark.findings.coarse.ratios", lambda folder, settings: f"ratios of {settings}")
    monkeypatch.setattr("benchmark.findings.coarse.single_runs", lambda folder, settings: f"runs of {settings}")
    first, second, third, last = coarse(commit(tmp_path / "cifar100-coarse", runs)).split("\n\n")
    assert first == "('stl', 'equal', 'scalarization'): ['5-shot', '5-shot']"
    assert second == "('stl', 'equal', 'scalarization'): ['10-shot', '10-shot']"
    assert third == "ratios of ['5-shot', '10-shot']"
    assert last == "runs of ['5-shot', '10-shot']"


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
        with_weights(method, seed, score, weight)
        for method, (ends, scores) in weights_and_scores.items()
        for seed, (weight, score) in enumerate(zip(ends, scores, strict=True), start=1)
    ]
    text = ratios(commit(tmp_path / "cifar100-coarse", runs), ("5-shot",))
    assert "mean over the runs: `famo` 3.5, `rlw` 2.0, `equal` 1.0 (5-shot)." in text
    assert text.endswith("correlation of this ratio with the mean top1: 0.50 over 3 methods (5-shot).")
