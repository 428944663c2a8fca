"""What is said of CIFAR-100 with coarse classes is what its records say."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.findings.coarse import coarse, ratios, weights
from benchmark.findings.runs import records_of
from benchmark.record import Record
from tests.benchmark.findings.made_up import a_run, commit

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

    monkeypatch.setattr("benchmark.findings.coarse.compared", table)
    runs = [made(setting, "auxilearn-nonlinear", seed) for setting in ("10-shot", "5-shot") for seed in (1, 2)]
    monkeypatch.setattr("benchmark.findings.coarse.ratios", lambda folder, settings: f"ratios of {settings}")
    first, second, third, last = coarse(commit(tmp_path / "cifar100-coarse", runs)).split("\n\n")
    assert first == "('stl', 'equal'): ['5-shot', '5-shot']"
    assert second == "('stl', 'equal'): ['10-shot', '10-shot']"
    assert third == "ratios of ['5-shot', '10-shot']"
    assert last.startswith("The weights")


def test_ratios_of_weights_the_largest_first(tmp_path: Path) -> None:
    runs = [
        replace(made("5-shot", method, seed, weight), tasks=("fine", "coarse"))
        for method, ends in {"equal": ((1.0, 1.0), (1.0, 1.0)), "famo": ((0.5, 1.0), (0.1, 0.5))}.items()
        for seed, weight in enumerate(ends, start=1)
    ]
    text = ratios(commit(tmp_path / "cifar100-coarse", runs), ("5-shot",))
    assert text.endswith("mean over the runs: `famo` 3.5, `equal` 1.0 (5-shot).")
