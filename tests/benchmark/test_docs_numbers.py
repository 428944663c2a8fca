"""Results that the documentation quotes in its own words are those of the committed records."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from benchmark.findings import digits_by_default
from benchmark.findings.runs import RESULTS, by_seed, final_runs, records_of, succeeded
from benchmark.statistics import holm
from tests.benchmark.helpers import ROOT
from tests.benchmark.made_up import rows

DIGITS = RESULTS / "reference/digits"
QUICK_START = (ROOT / "docs/quick-start.md").read_text(encoding="utf-8")
HOW_TO_READ = re.sub(r"\s+", " ", (ROOT / "docs/how-to-read-a-table.md").read_text(encoding="utf-8"))
METHODS = ("stl", "equal", "auxilearn-linear")


@pytest.mark.parametrize("method", METHODS)
def test_the_quick_start_prints_what_the_readme_does(method: str) -> None:
    (line,) = re.findall(rf"^│ {method} +│ .*±.*$", QUICK_START, flags=re.MULTILINE)
    top1, top3, _, _, trials = [cell.strip() for cell in line.strip("│").split("│")[1:]]
    (row,) = (row for row in rows(digits_by_default()) if row["method"] == f"`{method}`")
    assert [top1, top3, trials] == [row[f"5-shot {name}"] for name in ("top1", "top3", "trials")]


def test_the_quick_start_says_what_all_runs_took() -> None:
    records = records_of(DIGITS)
    minutes = sum(record.timing["total_sec"] for record in records) / 60
    assert f"{len(records):,} runs that took {minutes:.0f} minutes of one core" in QUICK_START


def test_what_three_seeds_do_not_tell() -> None:
    runs = [record for record in succeeded(final_runs(DIGITS), setting="5-shot") if record.spec.seed <= 3]
    scores = {name: by_seed(succeeded(runs, name), "top1") for name in METHODS}
    tests: list[Any] = [
        stats.ttest_rel([scores[name][seed] for seed in (1, 2, 3)], [scores["stl"][seed] for seed in (1, 2, 3)])
        for name in METHODS[1:]
    ]
    low, high = tests[0].confidence_interval(0.95)
    difference = sum(scores["equal"][seed] - scores["stl"][seed] for seed in (1, 2, 3)) / 3
    corrected = holm([test.pvalue for test in tests]).tolist()[0]
    assert f"They differ by {100 * difference:.2f} points" in HOW_TO_READ
    assert f"interval goes from {100 * low:.2f} to {100 * high:.2f} points" in HOW_TO_READ
    assert f"p is {tests[0].pvalue:.3f}, and {corrected:.3f} after Holm's correction" in HOW_TO_READ
    for method in ("equal", "stl"):
        (row,) = (row for row in rows(digits_by_default()) if row["method"] == f"`{method}`")
        assert f"`{method}` {row['5-shot top1']}" in HOW_TO_READ
    three, ten = (stats.t.ppf(0.975, n - 1) for n in (3, 10))
    assert (
        f"interval is {three:.2f} standard errors to either side, not 2; with ten runs it is {ten:.2f}" in HOW_TO_READ
    )


@pytest.mark.parametrize("folder", sorted(RESULTS.glob("*/*/records.jsonl")), ids=lambda path: path.parent.name)
def test_every_record_says_where_it_comes_from(folder: Path) -> None:
    for line in folder.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        assert {"commit", "torch", "device", "python"} <= record["environment"].keys()
        assert re.fullmatch(r"[0-9a-f]{12,40}", record["environment"]["commit"]), "of a clean checkout"
        assert re.match(r"20\d\d-\d\d-\d\dT", record["finished"])
