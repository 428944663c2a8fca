"""Comparisons: paired by seed, corrected within each setting and reference, said in plain words."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark import train
from benchmark.comparison import COLUMNS, Comparison, compare, verdict
from benchmark.plan import Arm, Options, make_plan
from benchmark.record import Record
from benchmark.statistics import holm, paired_difference
from benchmark.suite import Metric
from benchmark.tables.notes import final_records
from benchmark.tables.table import make_table
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest

FIXED = {"lr": "1", "weight_decay": "0", "temperature": "2"}
Scores = Mapping[str, Iterable[float]]
SCORES: Scores = {
    "stl": (0.5, 0.6, 0.7, 0.6),
    "equal": (0.6, 0.8, 1.0, 0.8),
    "gcs": (0.91, 1.0, 1.09, 1.0),
    "dwa": (0.5, 0.7, 0.6, 0.6),
}


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    return make_plan(Options("toy", methods=tuple(SCORES), fixed=FIXED, seeds=4))


def finals(arm: Arm, scores: Scores = SCORES) -> list[Record]:
    tests = scores.get(arm.method, ())
    return [a_record(spec, test=test) for spec, test in zip(arm.finals({}), tests, strict=False)]


def comparison(arms: list[Arm], records: Iterable[Record], *references: str) -> Comparison:
    found = by_digest(records)
    return compare(arms, {(arm.setting, arm.method): final_records(arm, found) for arm in arms}, references)


def complete(arms: list[Arm], scores: Scores = SCORES) -> list[Record]:
    return [record for arm in arms for record in finals(arm, scores)]


def rows(found: Comparison, **where: str) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = found.numbers.to_dict("records")  # type: ignore[assignment]
    return [row for row in every if all(row[key] == value for key, value in where.items())]


def test_a_row_is_the_paired_difference_of_the_selecting_metric(arms: list[Arm]) -> None:
    (row,) = rows(comparison(arms, complete(arms)), setting="few", reference="stl", method="equal")
    pair = paired_difference(tuple(SCORES["equal"]), tuple(SCORES["stl"]))
    assert (row["suite"], row["metric"], row["seeds"]) == ("toy", "top1", 4)
    assert row["difference"] == pytest.approx(0.2)
    for name in ("difference", "low", "high", "p", "bootstrap_low", "bootstrap_high", "sign_flip_p"):
        assert row[name] == getattr(pair, name)


def test_runs_are_paired_by_seed_whatever_their_order_and_those_of_one_side_are_left_out(arms: list[Arm]) -> None:
    records = complete(arms)
    lost = [a_failure(arms[0].finals({})[1])]  # stl, seed 2
    kept = [record for record in reversed(records) if record.spec != lost[0].spec]
    (row,) = rows(comparison(arms, [*kept, *lost]), setting="few", reference="stl", method="equal")
    assert row["seeds"] == 3
    assert row["p"] == paired_difference([0.6, 1.0, 0.8], [0.5, 0.7, 0.6]).p


def test_holm_corrects_within_a_setting_and_a_reference(arms: list[Arm]) -> None:
    few = [arm for arm in arms if arm.setting == "few"]
    scores = {**SCORES, "gcs": SCORES["stl"]}
    records = [*complete(few), *complete([arm for arm in arms if arm.setting == "many"], scores)]
    found = comparison(arms, records)
    assert len(found.numbers) == 2 * 2 * 3
    for setting in ("few", "many"):
        for reference in ("stl", "equal"):
            family = rows(found, setting=setting, reference=reference)
            assert [row["method"] for row in family] == [name for name in SCORES if name != reference]
            assert [row["p_holm"] for row in family] == holm([row["p"] for row in family]).tolist()
    assert rows(found, setting="few") != rows(found, setting="many")


def test_words_follow_from_the_corrected_p_value(arms: list[Arm]) -> None:
    found = comparison(arms, complete(arms), "stl", "gcs")
    words = {row["method"]: row["verdict"] for row in rows(found, setting="few", reference="stl")}
    assert words == {"equal": "better", "gcs": "better", "dwa": "no significant difference"}
    against = {row["method"]: row["verdict"] for row in rows(found, setting="few", reference="gcs")}
    assert against["stl"] == "worse"


@pytest.mark.parametrize(
    ("difference", "p", "higher", "word"),
    [
        (0.1, 0.049, True, "better"),
        (-0.1, 0.049, True, "worse"),
        (0.1, 0.049, False, "worse"),
        (-0.1, 0.049, False, "better"),
        (0.1, 0.05, True, "no significant difference"),
        (0.0, 1.0, True, "no significant difference"),
        (0.1, math.nan, True, "not tested"),
    ],
)
def test_words(difference: float, p: float, higher: bool, word: str) -> None:
    assert verdict(difference, p, Metric("metric", higher_is_better=higher)) == word


def test_the_default_references_are_those_in_the_table(arms: list[Arm]) -> None:
    found = comparison(arms, complete(arms))
    assert list(dict.fromkeys(found.numbers["reference"])) == ["stl", "equal"]
    others = [arm for arm in arms if arm.method in ("dwa", "gcs")]
    assert comparison(others, complete(others)).numbers.empty
    assert [row["method"] for row in rows(comparison(others, complete(others), "dwa", "dwa"))] == ["gcs", "gcs"]


def test_what_is_not_there_is_not_tested_and_no_part_of_the_family(arms: list[Arm]) -> None:
    scores = {**SCORES, "gcs": (), "dwa": (0.9,)}
    found = comparison(arms, complete(arms, scores))
    family = {row["method"]: row for row in rows(found, setting="few", reference="stl")}
    assert [family[name]["seeds"] for name in ("equal", "gcs", "dwa")] == [4, 0, 1]
    assert [family[name]["verdict"] for name in ("gcs", "dwa")] == ["not tested"] * 2
    assert family["equal"]["p_holm"] == family["equal"]["p"]
    text = dict(found.by_setting())["few"].set_index(["reference", "method"])
    assert list(text.loc[("stl", "gcs")]) == [0, "–", "–", "–", "–", "not tested"]
    assert list(text.loc[("stl", "dwa")]) == [1, "+40.00", "–", "–", "–", "not tested"]


def test_lines_name_what_differs_significantly(arms: list[Arm]) -> None:
    lines = list(comparison(arms, complete(arms), "stl", "gcs").lines())
    tests = "(test top1, paired t-tests over the seeds, Holm's correction)."
    told = "from stl 2 of 3, better equal, gcs; from gcs 3 of 3, worse stl, equal, dwa"
    assert lines[0] == f"few, significant differences: {told} {tests}"
    alike = {**SCORES, "equal": SCORES["dwa"], "gcs": (0.9,)}
    lines = list(comparison(arms, complete(arms, alike), "stl", "gcs").lines())
    assert lines[1] == f"many, significant differences: from stl none of 2, 1 not tested; from gcs not tested {tests}"


def test_of_single_runs_a_line_says_that_nothing_is_tested(arms: list[Arm]) -> None:
    lines = list(comparison(arms, complete(arms, dict.fromkeys(SCORES, (0.5,)))).lines())
    assert lines[0] == "few: no differences are tested, which takes two runs of each method."


def test_lines_count_many(toy: Toy) -> None:
    names = ("stl", "equal", "dwa", "gcs", "rlw", "pcgrad", "mgda")
    arms = make_plan(Options("toy", methods=names, fixed={**FIXED, "mgda.normalise": "none"}, seeds=4))
    better = {name: [0.8, 0.91, 1.0, 0.9] for name in names[1:]}
    (line, _) = comparison(arms, complete(arms, {**SCORES, **better}), "stl").lines()
    assert "from stl 6 of 6, better 6 (" in line


def test_a_method_that_declines_is_not_compared(toy: Toy) -> None:
    arms = make_plan(Options("toy", methods=("stl", "equal", "dwa", "auxilearn-convnet"), fixed=FIXED, seeds=4))
    found = comparison(arms, complete(arms), "stl", "auxilearn-convnet")
    assert {row["method"] for row in rows(found)} == {"equal", "dwa"}
    assert {row["reference"] for row in rows(found)} == {"stl"}


def test_text_by_hand(toy: Toy, arms: list[Arm]) -> None:
    scores = {"stl": (0.5, 0.6, 0.7), "equal": (0.6, 0.8, 1.0), "gcs": (0.5, 0.6, 0.69999), "dwa": (0.9001, 1.0, 1.1)}
    text = dict(comparison(arms, complete(arms, scores)).by_setting())["few"]
    cells = text[text["reference"] == "stl"].set_index("method")
    low, high = 20 - 100 * 0.4302653 / 3**0.5, 20 + 100 * 0.4302653 / 3**0.5
    assert list(cells.loc["equal"])[1:] == [
        3, "+20.00", f"{low:.2f} to +{high:.2f}", "0.074", "0.148", "no significant difference"
    ]  # fmt: skip
    assert list(cells.loc["gcs"])[1:] == [3, "+0.00", "+0.00 to +0.00", "0.423", "0.423", "no significant difference"]
    assert list(cells.loc["dwa"])[4:] == ["<0.001", "<0.001", "better"]
    toy.metrics = (replace(toy.metrics[0], percent=False),)  # pyright: ignore[reportAttributeAccessIssue]
    text = dict(comparison(arms, complete(arms, scores)).by_setting())["few"]
    assert list(text["difference"])[:2] == ["+0.200", "+0.000"]


def test_files_hold_the_comparison_and_name_its_test(arms: list[Arm], tmp_path: Path) -> None:
    table = make_table(arms, by_digest(complete(arms)), references=("dwa",))
    assert "comparison.csv" in table.write(tmp_path)
    with (tmp_path / "comparison.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert tuple(found[0]) == (*COLUMNS, "table")
    assert [row["method"] for row in found] == ["stl", "equal", "gcs"] * 2
    assert float(found[1]["difference"]) == pytest.approx(0.2)
    text = (tmp_path / "table.md").read_text()
    for word in ("paired t-test", "Holm", "in percentage points", "0.05", "reference methods, many\n", "| +20.00 "):
        assert word in text


def test_without_a_reference_there_is_no_section_and_an_empty_file(arms: list[Arm], tmp_path: Path) -> None:
    others = [arm for arm in arms if arm.method == "gcs"]
    make_table(others, by_digest(complete(others))).write(tmp_path)
    assert "t-test" not in (tmp_path / "table.md").read_text()
    assert (tmp_path / "comparison.csv").read_text().strip() == ",".join([*COLUMNS, "table"])


FEW = ("--suite", "toy", "--settings", "few", "--set", "lr=0.1", "--set", "weight_decay=0", "--seeds", "3")
HERE = ("--workers", "0", "--wandb", "disabled")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--reference", "stl,rwl"), "unknown reference method 'rwl'; choose one of: "),
        (("--reference", "all"), "unknown reference method 'all'"),
        (("--reference", ","), "--reference takes names, by comma"),
    ],
)
def test_a_wrong_reference_is_told_before_any_work(
    words: tuple[str, ...], told: str, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "run", None)
    ended = cli(*FEW, *HERE, *words, "--results-dir", tmp_path / "results")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert told in ended.err
    assert not (tmp_path / "results").exists()


def test_a_reference_that_was_not_run_has_its_row_and_the_command_that_fills_it(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*FEW, *HERE, "--results-dir", tmp_path)
    assert cli(*words, "--methods", "stl,gcs").status == 0
    monkeypatch.setattr(train, "run", None)
    again = cli(*words, "--methods", "gcs", "--reference", "equal,stl")
    assert again.status == 0, again.err
    text = (tmp_path / "toy" / "table.md").read_text()
    (note,) = [line for line in text.splitlines() if line.startswith("- [1] 3 of 3 final runs missing")]
    assert "--methods equal" in note
    assert "--reference=equal,stl" in note
    with (tmp_path / "toy" / "comparison.csv").open(newline="") as file:
        found = [(row["reference"], row["method"], row["seeds"]) for row in csv.DictReader(file)]
    assert found == [("equal", "stl", "0"), ("equal", "gcs", "0"), ("stl", "equal", "0"), ("stl", "gcs", "3")]
