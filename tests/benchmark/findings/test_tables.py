"""The short table of a committed command says what the command's own files say."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from benchmark.findings.runs import RESULTS
from benchmark.findings.tables import compared, results_of
from benchmark.planned import PLANS
from tests.benchmark.made_up import rows

DIGITS = RESULTS / "reference/digits"
WORDS = {"better": "better", "worse": "worse", "no significant difference": "≈"}


def read(name: str) -> list[dict[str, str]]:
    with (DIGITS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_verdicts_and_trials_are_those_of_the_committed_files() -> None:
    found = {row["method"].strip("`"): row for row in rows(compared(DIGITS, ("stl", "rlw")))}
    expected = [row for row in read("table.csv") if row["metric"] in ("top1", "top3")]
    assert len(expected) == 2 * 2 * len(found)
    for row in expected:
        text = f"{100 * float(row['mean']):.2f} ± {100 * float(row['sem']):.2f}"
        assert found[row["method"]][f"{row['setting']} {row['metric']}"] == text
        assert found[row["method"]][f"{row['setting']} trials"] == row["trials"]
    comparisons = [row for row in read("comparison.csv") if row["reference"] in ("stl", "rlw")]
    assert comparisons
    for row in comparisons:
        assert found[row["method"]][f"{row['setting']} vs {row['reference']}"] == WORDS[row["verdict"]]
    assert found["stl"]["5-shot vs stl"] == "–"


def test_chosen_records_alone_count() -> None:
    text = compared(DIGITS, (), chosen=lambda record: record.spec.method == "stl" and record.spec.seed <= 3)
    (row,) = rows(text)
    (single,) = (each for each in results_of(DIGITS).rows if (each.method, each.setting) == ("stl", "5-shot"))
    values = [100 * single.cells[0].values[seed] for seed in (1, 2, 3)]
    assert row["5-shot top1"].startswith(f"{sum(values) / 3:.2f} ± ")
    assert "Percent, mean ± standard error of 3 final runs. " in text


def test_a_method_of_which_all_runs_diverged_has_no_share_of_controls(tmp_path: Path) -> None:
    lines = (RESULTS / "reference/cifar100-coarse/records.jsonl").read_text(encoding="utf-8").splitlines()
    kept = []
    for record in map(json.loads, lines):
        spec = record["spec"]
        if spec["setting"] == "5-shot" and spec["method"] in ("stl", "equal", "famo"):
            if spec["method"] == "famo":
                record |= {"status": "diverged", "reason": "not finite", "test": {}}
            kept.append(json.dumps(record) + "\n")
    folder = tmp_path / "cifar100-coarse"
    folder.mkdir()
    (folder / "records.jsonl").write_text("".join(kept))
    shutil.copy(RESULTS / "reference/cifar100-coarse" / PLANS, folder)
    text = compared(folder, ("stl",))
    last = {row["method"]: row for row in rows(text)}["`famo`"]
    assert last["5-shot share of controls"] == last["5-shot top1"] == "–"
    assert "3 of 9 final runs gave no result (`famo`)." in text


def test_a_folder_without_records_is_no_table() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        results_of(RESULTS / "nothing")


@pytest.mark.parametrize("setting", ["5-shot", "10-shot"])
def test_the_share_of_controls_is_that_of_the_weights_at_the_end(setting: str) -> None:
    folder = RESULTS / "reference/cifar100-coarse"
    shares: dict[str, list[float]] = {}
    for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        spec = record["spec"]
        if (spec["phase"], spec["setting"]) == ("final", setting):
            weights = dict(zip(record["tasks"], record["epochs"][-1]["weight"], strict=True))
            of_controls = sum(abs(weight) for task, weight in weights.items() if task.startswith("control: "))
            shares.setdefault(spec["method"], []).append(of_controls / sum(map(abs, weights.values())))
    found = rows(compared(folder, (), chosen=lambda record: record.spec.setting == setting))
    assert {row["method"].strip("`") for row in found} == set(shares)
    for row in found:
        own = shares[row["method"].strip("`")]
        assert row[f"{setting} share of controls"] == f"{100 * sum(own) / len(own):.1f} %"
