"""The command, on records of the toy suite: tables, merges, the paper's layout; mistakes in one line with status 2."""

import csv
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from benchmark.commands import run_app
from benchmark.files import write_whole
from benchmark.plan import Options, make_plan
from benchmark.planned import keep
from benchmark.published import COLUMNS
from benchmark.record import Record
from benchmark.report import session
from benchmark.report.__main__ import app
from benchmark.report.paper import paper_tables
from tests.benchmark.helpers import Ended, Toy, a_failure, a_record, a_spec
from tests.benchmark.report.campaigns import campaign, left_by

Report = Callable[..., Ended]


@pytest.fixture
def report(toy: Toy, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Report:
    def run(*arguments: str | Path, figures: bool = False) -> Ended:
        """Run the command; figures, which take most of its time, are drawn where a test is about them."""
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["report", *map(str, arguments)])
            if not figures:
                patch.setattr(session, "write_drawings", lambda *_: [])
            status = run_app(app, "python -m benchmark.report")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


def store(folder: Path, records: Iterable[Record], *commands: Options) -> Path:
    """Write records and what the commands left that asked for them; return the file of the records."""
    (folder / "toy").mkdir(parents=True)
    path = folder / "toy" / "records.jsonl"
    path.write_text("".join(json.dumps(record.to_json(), separators=(",", ":")) + "\n" for record in records))
    for plan in left_by(*commands):
        keep(plan, path.parent)
    return path


def stored(folder: Path, *commands: Options) -> Path:
    """Write all records of commands that came to their end; return their file."""
    return store(folder, [record for each in commands for record in campaign(make_plan(each))], *commands)


def test_a_suite_with_several_plans_has_a_table_of_each(toy: Toy, report: Report, tmp_path: Path) -> None:
    plans = [Options("toy"), Options("toy", trials=3, sampler="random")]
    stored(tmp_path, *plans)
    ended = report("--suite", "toy", "--results-dir", tmp_path, figures=True)
    assert ended.status == 0, ended.err
    text = (tmp_path / "toy" / "table.md").read_text()
    assert text.count("# Results of suite toy\n") == 1
    assert "# Results of suite toy: equal-budget of 3 trials by random" in text
    with (tmp_path / "toy" / "table.csv").open() as file:
        assert {row["table"].partition(": ")[2] for row in csv.DictReader(file)} == {
            "",
            "equal-budget of 3 trials by random",
        }
    for name in ("table.tex", "table.html", "comparison.csv", "weights.pdf"):
        assert (tmp_path / "toy" / name).stat().st_size


def test_methods_that_were_asked_for_without_records_are_missing_with_the_command(
    toy: Toy, report: Report, tmp_path: Path
) -> None:
    store(tmp_path, campaign(make_plan(Options("toy", methods=("stl",), seeds=4))), Options("toy", seeds=4))
    out = report("--suite", "toy", "--results-dir", tmp_path, "--output", tmp_path / "out").out
    for setting in ("few", "many"):
        command = f"python -m benchmark.run --suite toy --settings {setting} --methods equal --seeds=4"
        how = f"run, RESULTS_DIR being the folder of these results: {command} --results-dir=RESULTS_DIR"
        assert f"4 of 4 final runs missing; {how}" in out
    assert not (tmp_path / "toy" / "table.md").exists(), "all is written to --output"


def test_failures_are_shown_with_their_reason(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan = Options("toy", settings=("few",))
    records = campaign(make_plan(plan))
    stl = [record for record in records if record.spec.method == "stl"]
    failed = [a_failure(record.spec, "no memory") for record in stl]
    equal = [record for record in records if record.spec.method == "equal"]
    equal[0] = a_failure(equal[0].spec, "a worker died")
    store(tmp_path, [*failed, *equal], plan)
    ended = report("--suite", "toy", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    text = (tmp_path / "toy" / "table.md").read_text()
    assert "failed [1]" in text
    assert "stl in few: 4 of 4 search runs failed (the first: no memory)" in text
    assert "equal in few: 1 of 4 search runs failed (a worker died)" in text
    assert "missing" not in text


def test_a_caption_has_the_final_runs_that_there_are(toy: Toy, report: Report, tmp_path: Path) -> None:
    for seeds, words in ((1, "over 1 of 2 final runs"), (2, "over 2 final runs"), (3, "over 3 final runs")):
        place = tmp_path / str(seeds)
        store(place, campaign(make_plan(Options("toy", seeds=seeds))), Options("toy", seeds=max(seeds, 2)))
        assert report("--suite", "toy", "--results-dir", place).status == 0
        assert words in (place / "toy" / "table.md").read_text()


def test_records_of_settings_that_are_gone_are_left_out_with_one_line(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan = Options("toy", methods=("stl",))
    gone = [a_record(a_spec(setting="gone", seed=seed)) for seed in range(2)]
    store(tmp_path / "a", [*campaign(make_plan(plan)), *gone], plan)
    for words in (("--suite", "toy"), ("--paper",)):
        ended = report(*words, "--results-dir", tmp_path / "a")
        assert (ended.status, ended.err) == (0, "2 records of unknown setting gone of suite toy left out\n")


def test_records_of_unknown_methods_are_left_out_with_one_line(toy: Toy, report: Report, tmp_path: Path) -> None:
    gone = [a_record(a_spec(method="gone", seed=seed)) for seed in range(2)]
    plan = Options("toy", methods=("stl",))
    store(tmp_path / "a", [*campaign(make_plan(plan)), *gone], plan)
    ended = report("--suite", "toy", "--results-dir", tmp_path / "a")
    assert (ended.status, ended.err) == (0, "2 records of unknown method gone left out\n")
    store(tmp_path / "b", gone)
    ended = report("--suite", "toy", "--results-dir", tmp_path / "b")
    assert ended.status == 2
    assert "no records of suite 'toy'" in ended.err.splitlines()[-1]


def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.md"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_records_of_two_people_are_one_table(toy: Toy, report: Report, tmp_path: Path) -> None:
    plans = [Options("toy", methods=(method,)) for method in ("stl", "equal")]
    one, other = (campaign(make_plan(plan)) for plan in plans)
    files = store(tmp_path / "a", one, plans[0]), store(tmp_path / "b", [*one[:3], *other], plans[1])
    ended = report("--records", tmp_path / "a", files[1], "--output", tmp_path / "out")
    assert ended.status == 0, ended.err
    text = (tmp_path / "out" / "toy" / "table.md").read_text()
    assert "missing" not in text
    assert "| stl" in text
    assert "| equal" in text


def test_a_conflict_ends_in_one_line_with_status_2_and_writes_nothing(toy: Toy, report: Report, tmp_path: Path) -> None:
    records = campaign(make_plan(Options("toy", methods=("stl",))))
    store(tmp_path / "a", records)
    store(tmp_path / "b", [replace(records[-1], test={**records[-1].test, "top1": 0.9})])
    ended = report("--records", tmp_path / "a", tmp_path / "b", "--output", tmp_path / "out")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert f"run {records[-1].spec.digest} (toy, many, stl, final run of seed 2)" in ended.err
    assert "test top1 is 0.5 and 0.9" in ended.err
    assert not (tmp_path / "out").exists()


LISTS = ("--across", "--reference")
EMPTY = ("", ",", " , ,")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to report; give --suite NAME"),
        (("--suite", "toys"), "unknown suite 'toys'"),
        (("--suite", "toy"), "no records of suite 'toy' in"),
        (("--records", "nowhere"), "--records nowhere: no such file or folder"),
        (("stray",), "stray belongs to no option"),
        (("--suite", "toy", "--reference", "nobody"), "unknown reference method 'nobody'"),
        (("--across", "toy"), "no records of suite 'toy'; python -m benchmark.run --suite toy makes them"),
        (("--across", "all"), "no records below"),
        (("--across", "toy,toys"), "unknown suite 'toys'"),
        *(((option, text), f"{option} takes names, by comma, not '{text}'") for text in EMPTY for option in LISTS),
    ],
)
def test_mistakes_are_one_line(report: Report, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = report(*arguments, "--results-dir", tmp_path / "results")
    assert ended.status == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_two_searches_of_one_budget_are_refused_in_either_order(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan = Options("toy", settings=("few",), methods=("stl",), trials=3, sampler="tpe")
    (arm,) = make_plan(plan)

    def search(rates: Iterable[float]) -> list[Record]:
        points = [dict.fromkeys(arm.space, rate) for rate in rates]
        return [a_record(arm.spec(point, trial=number)) for number, point in enumerate(points)]

    mine, theirs, part = search((0.02, 0.03, 0.04)), search((0.02, 0.05, 0.06)), search((0.02, 0.03))
    for name, records in (("mine", mine), ("theirs", theirs), ("part", part)):
        store(tmp_path / name, records, plan)
    for names in (("mine", "theirs"), ("theirs", "mine")):
        words = [word for name in names for word in ("--records", tmp_path / name)]
        ended = report(*words, "--output", tmp_path / "out")
        assert (ended.status, ended.out) == (2, "")
        assert "trial 1 of stl in few of toy was made at 2 points, in runs " in ended.err
        assert all(records[1].spec.digest in ended.err for records in (mine, theirs))
        assert ended.err.count("\n") == 1
        assert not (tmp_path / "out").exists()
    words = ("--records", tmp_path / "part", "--records", tmp_path / "mine", "--output", tmp_path / "out")
    assert report(*words).status == 0, "two halves of one search are one"


def test_a_ranking_that_is_refused_leaves_no_folder(toy: Toy, report: Report, tmp_path: Path) -> None:
    stored(tmp_path, Options("toy", trials=3, sampler="random"))
    ended = report("--across", "toy", "--results-dir", tmp_path, "--output", tmp_path / "out")
    assert ended.status == 2
    assert "has no run under its own plan" in ended.err
    assert not (tmp_path / "out").exists()


def test_an_empty_list_beside_what_is_asked_for_is_a_mistake_too(toy: Toy, report: Report, tmp_path: Path) -> None:
    stored(tmp_path, Options("toy", settings=("few",)))
    for option in LISTS:
        ended = report("--suite", "toy", option, ",", "--results-dir", tmp_path)
        assert (ended.status, ended.err) == (2, f"error: {option} takes names, by comma, not ','\n")
    there = sorted(path.name for path in (tmp_path / "toy").iterdir())
    assert there == ["plans.jsonl", "records.jsonl"], "nothing was written"


def test_drawn_samples_are_never_with_other_data(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan = Options("toy", methods=("stl",), settings=("few",))
    arms = make_plan(plan)
    real = campaign(arms)
    drawn = campaign([replace(arm, data="SAMPLE-1", space={}, fixed={"lr": 0.1, "weight_decay": 0.0}) for arm in arms])
    better = [replace(r, test={"top1": 0.99, "top2": 0.99} if r.test else {}) for r in drawn]
    path = store(tmp_path / "a", [*real, *better], plan)
    fixed = {"lr": ("0.1",), "weight_decay": ("0",)}
    keep(replace(*left_by(plan), data="SAMPLE-1", values=fixed), path.parent)
    for extra, own in (((), "50.00"), (("--sample",), "99.00")):
        out = report("--records", tmp_path / "a", "--output", tmp_path / "out", *extra).out
        assert own in out
        assert ("SAMPLE" in out) == bool(extra)
        assert ("99.00" in out) == bool(extra)


PRINTED = [
    ["toy", "few", "equal", "top1", 46.0, 3.0, 3],
    ["toy", "few", "stl", "top1", 50.0, 0.0, 3],
    ["toy", "many", "stl", "top1", 60.0, 1.0, 3],
    ["toy", "many", "equal", "top1", 70.0, 1.0, 3],
]


def test_the_papers_layout_with_the_difference_in_standard_errors(
    toy: Toy, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "paper"
    folder.mkdir()
    pd.DataFrame(PRINTED, columns=pd.Index(COLUMNS)).to_csv(folder / "table9.csv", index=False)
    monkeypatch.setattr(session, "paper_tables", partial(paper_tables, folder=folder))
    plan = Options("toy", methods=("equal",), settings=("few",))
    arms = make_plan(plan)
    search = [record for record in campaign(arms) if record.spec.phase == "search"]
    finals = campaign(arms)[len(search) :]
    tests = (0.52, 0.60)  # mean 56, standard error 4: (56 - 46) / sqrt(4^2 + 3^2) = 2
    finals = [a_record(r.spec, test=test) for r, test in zip(finals, tests, strict=True)]
    store(tmp_path, [*search, *finals], plan)
    ended = report("--paper", "--results-dir", tmp_path, figures=True)
    assert ended.status == 0, ended.err
    printed = ended.out.splitlines()
    (counts,) = [[word.strip() for word in line.split("│")[1:-1]] for line in printed if line.startswith("│ toy")]
    assert counts == ["toy", "4", "1", "3", "1 of 1"], "states without cells have no column"
    assert len(printed) < 15, "the whole is in files"
    first = "python -m benchmark.run --suite toy --settings few --methods stl"
    assert any(line.startswith("To go on, run") and first in line for line in printed)
    assert any(str(tmp_path / "paper.md") in line for line in printed)
    assert any(line.startswith(f"Figures: {tmp_path / 'toy'} (") for line in printed)
    lines = (tmp_path / "paper.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == [
        "method",
        *(f"{s} {c}" for s in ("few", "many") for c in ("top1", "top1 published", "top1 Δ/SE")),
    ]
    assert rows[2] == ["equal", "56.00 ± 4.00", "46.00 ± 3.00", "+2.0", "missing [2]", "70.00 ± 1.00", "–"]
    assert rows[3] == ["stl", "missing [1]", "50.00 ± 0.00", "–", "missing [2]", "60.00 ± 1.00", "–"]
    numbers = pd.read_csv(tmp_path / "paper.csv").set_index(["setting", "method", "metric"])
    assert numbers.loc[("few", "equal", "top1"), "difference_se"] == pytest.approx(2)
    assert numbers.loc[("many", "stl", "top1"), "command"].startswith("python -m benchmark.run --suite toy")
    assert numbers.loc[("many", "stl", "top1"), "published_mean"] == 0.6
