"""The table: numbers by hand, gaps named with the command that fills them, published numbers apart."""

import csv
import math
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from benchmark.plan import Arm, Options, make_plan
from benchmark.published import COLUMNS, published
from benchmark.record import Record
from benchmark.spec import PROTOCOL
from benchmark.tables import gather as gathering
from benchmark.tables.table import Table, make_table
from benchmark.tables.write import by_setting
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest

FIXED = {"lr": "1", "weight_decay": "0"}
TESTS = (0.5, 0.6, 0.9)
MEAN, SEM = 2.0 / 3, math.sqrt(((1 / 6) ** 2 + (1 / 15) ** 2 + (7 / 30) ** 2) / 2 / 3)


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    """Return stl and equal in both settings, nothing to search, three seeds."""
    return make_plan(Options("toy", fixed=FIXED, seeds=3))


def finals(arm: Arm, tests: Iterable[float] = TESTS) -> list[Record]:
    return [a_record(spec, test=test) for spec, test in zip(arm.finals({}), tests, strict=False)]


def complete(arms: Iterable[Arm]) -> dict[str, Record]:
    return by_digest(record for arm in arms for record in finals(arm))


def cell(table: Table, setting: str, method: str, column: str) -> str:
    frame = dict(by_setting(table.results))[setting].set_index("method")
    return str(frame.loc[method, column])


def note(table: Table, text: str) -> str:
    """Return the footnote that the mark of a cell stands for."""
    (mark,) = re.findall(r"\[\d+\]", text)
    (found,) = [line for line in table.notes if line.startswith(mark + " ")]
    return found


def test_mean_and_standard_error_by_hand(arms: list[Arm]) -> None:
    table = make_table(arms, complete(arms))
    assert cell(table, "few", "stl", "top1") == f"{100 * MEAN:.2f} ± {100 * SEM:.2f}" == "66.67 ± 12.02"
    assert not table.notes
    row = table.numbers.set_index(["setting", "method", "metric"]).loc[("few", "stl", "top1")]
    assert (row["count"], row["mean"], row["sem"]) == (3, pytest.approx(MEAN), pytest.approx(SEM))
    assert (row["min"], row["median"], row["max"]) == (0.5, 0.6, 0.9)
    assert row["std"] == pytest.approx(SEM * math.sqrt(3))
    assert cell(table, "few", "stl", "s/step") == "0.50000"


def test_one_run_has_no_error_bar(arms: list[Arm]) -> None:
    table = make_table([replace(arm, seeds=1) for arm in arms], complete(arms))
    assert cell(table, "few", "stl", "top1") == "50.00"
    assert table.caption.startswith("One final run with a new seed, without a standard error, ")
    assert "±" not in table.caption


def test_numbers_that_are_no_fractions_stay_as_they_are(toy: Toy, arms: list[Arm]) -> None:
    metrics = tuple(replace(metric, percent=False) for metric in toy.metrics)
    toy.metrics = metrics  # pyright: ignore[reportAttributeAccessIssue]
    assert cell(make_table(arms, complete(arms)), "few", "stl", "top1") == "0.667 ± 0.120"


def test_only_final_runs_at_the_chosen_point_count(toy: Toy) -> None:
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",)))
    best, other = arm.points()[2], arm.points()[0]
    search = [a_record(arm.spec(point), score=0.9 if point == best else 0.1) for point in arm.points()]
    ours = [a_record(spec, test=0.25) for spec in arm.finals(best)]
    others = [a_record(spec, test=1.0) for spec in arm.finals(other)]
    table = make_table([arm], by_digest([*search, *ours, *others]))
    assert cell(table, "few", "stl", "top1") == "25.00 ± 0.00"
    assert cell(table, "few", "stl", "trials") == "4"


def plan_of(text: str) -> list[Arm]:
    """Return the plan of the command that a footnote names."""
    words = shlex.split(text.partition("python -m benchmark.run ")[2].rstrip("."))
    values = dict(zip(words[::2], words[1::2], strict=True))
    methods = tuple(values["--methods"].split(","))
    return make_plan(Options(values["--suite"], settings=(values["--settings"],), methods=methods))


def test_a_missing_cell_names_the_command_that_fills_it(toy: Toy) -> None:
    arms = make_plan(Options("toy"))
    table = make_table(arms, {})
    for arm in arms:
        text = cell(table, arm.setting, arm.method, "top1")
        assert text.startswith("missing [")
        (again,) = [found for found in plan_of(note(table, text)) if found.method == arm.method]
        assert [again.spec(point) for point in again.points()] == [arm.spec(point) for point in arm.points()]


def test_some_missing_runs_are_counted(arms: list[Arm]) -> None:
    table = make_table(arms, by_digest(finals(arms[0], TESTS[:2])))
    text = cell(table, "few", "stl", "top1")
    assert text.startswith("55.00 ± 5.00 [")
    assert "1 of 3 final runs missing; run: python -m benchmark.run " in note(table, text)


def test_a_failed_final_run_has_a_footnote(arms: list[Arm]) -> None:
    first, *others = finals(arms[0])
    records = {**complete(arms[1:]), **by_digest([*others, a_failure(first.spec, "loss is nan")])}
    table = make_table(arms, records)
    text = cell(table, "few", "stl", "top1")
    assert text.startswith("75.00 ± 15.00 [")
    assert "1 of 3 final runs failed (loss is nan)" in note(table, text)


def test_final_runs_and_searches_that_failed_in_several_ways_say_each(arms: list[Arm], toy: Toy) -> None:
    first, second, third = finals(arms[0])
    lost = replace(first, status="diverged", reason="loss is nan", test={}, selected={})
    table = make_table(arms, {**complete(arms[1:]), **by_digest([lost, a_failure(second.spec, "no memory"), third])})
    expected = "1 of 3 final runs diverged (loss is nan); 1 of 3 final runs failed (no memory)"
    assert expected in note(table, cell(table, "few", "stl", "top1"))
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",)))
    one, *others = (arm.spec(point) for point in arm.points())
    failed = [
        replace(a_failure(one, "loss is nan"), status="diverged"),
        *(a_failure(spec, "no memory") for spec in others),
    ]
    table = make_table([arm], by_digest(failed))
    expected = "1 of 4 search runs diverged (loss is nan); 3 of 4 search runs failed (the first: no memory)"
    assert expected in note(table, cell(table, "few", "stl", "top1"))


def test_a_search_that_failed_throughout_says_so_and_names_no_command(toy: Toy) -> None:
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",)))
    failed = by_digest(a_failure(arm.spec(point), "loss is nan") for point in arm.points())
    table = make_table([arm], failed)
    text = cell(table, "few", "stl", "top1")
    assert text.startswith("failed [")
    assert "loss is nan" in note(table, text)
    assert "benchmark.run" not in note(table, text), "running it again changes nothing"


def test_a_method_that_declines_is_a_dash_with_its_reason(toy: Toy) -> None:
    arms = make_plan(Options("toy", settings=("few",), methods=("stl", "auxilearn-convnet"), fixed=FIXED))
    table = make_table(arms, complete(arms[:1]))
    text = cell(table, "few", "auxilearn-convnet", "top1")
    assert text.startswith("– [")
    assert note(table, text).endswith(f"auxilearn-convnet declines: {arms[1].declined}")


def test_weights_of_methods_that_failed_in_different_settings_all_stand(arms: list[Arm]) -> None:
    records = {**complete(arms[:1]), **complete(arms[3:])}  # stl in few, equal in many
    table = make_table(arms, records)
    assert table.weights is not None
    grids = {setting: frame.set_index("method") for setting, frame in by_setting(table.weights)}
    assert list(grids["few"].loc["stl"]) == list(grids["many"].loc["equal"]) == ["1.000", "0.500", "0.250"]
    assert list(grids["few"].loc["equal"]) == ["–"] * 3


PUBLISHED = [
    ["toy", "few", "stl", "top1", 12.34, 0.56, 3],
    ["toy", "few", "nobody", "top1", 99.0, 0.1, 3],
    ["digits", "few", "equal", "top1", 77.0, 0.1, 3],
]


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "paper"
    folder.mkdir()
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *PUBLISHED])
    (folder / "other.csv").write_text("suite,size\ntoy,3\n")
    monkeypatch.setattr(gathering, "published", partial(published, folder=folder))
    return folder


def test_published_numbers_stand_in_columns_of_their_own(arms: list[Arm], paper: Path) -> None:
    table = make_table(arms, complete(arms))
    assert cell(table, "few", "stl", "top1 published") == "12.34 ± 0.56"
    assert cell(table, "few", "equal", "top1 published") == "–"
    assert [column for column in table.results.columns if "published" in column[1]] == [("few", "top1 published")]
    assert cell(table, "few", "stl", "top1") == "66.67 ± 12.02"
    ours = table.numbers.set_index(["setting", "method", "metric"])
    assert ours.loc[("few", "stl", "top1"), ["mean", "published_mean"]].tolist() == pytest.approx([MEAN, 0.1234])
    assert not (ours[[name for name in ours if not name.startswith("published")]] == 0.1234).to_numpy().any()
    alone = make_table(arms, {})
    assert cell(alone, "few", "stl", "top1").startswith("missing"), "a published number fills no cell of ours"
    assert alone.numbers.empty


def test_without_published_numbers_there_are_no_such_columns(arms: list[Arm]) -> None:
    assert not [name for _, name in make_table(arms, complete(arms)).results.columns if "published" in name]


def test_records_of_another_protocol_are_not_used(arms: list[Arm]) -> None:
    old = [replace(record, spec=replace(record.spec, protocol=PROTOCOL + 1)) for record in complete(arms).values()]
    table = make_table(arms, by_digest(old))
    assert cell(table, "few", "stl", "top1").startswith("missing")
    assert table.numbers.empty


def test_files_hold_the_table(arms: list[Arm], tmp_path: Path) -> None:
    table = make_table(arms, complete(arms[:2]))
    table.write(tmp_path)
    markdown = (tmp_path / "table.md").read_text()
    assert re.search(r"^\| stl +\| \*\*66\.67 ± 12\.02\*\* +\|", markdown, re.MULTILINE)
    assert re.search(r"^\| equal +\| _66\.67 ± 12\.02_ +\|", markdown, re.MULTILINE)
    assert "missing [1]" in markdown
    assert "- [1] 3 of 3 final runs missing" in markdown
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = {(row["setting"], row["method"], row["metric"]): row for row in csv.DictReader(file)}
    assert set(rows) == {("few", m, k) for m in ("stl", "equal") for k in ("top1", "top2", "step_sec")}
    assert float(rows["few", "stl", "top1"]["mean"]) == pytest.approx(MEAN)


NASTY = r"50% & a_b #1 $x$ {y} \z ~t ^u"


@pytest.fixture
def nasty(toy: Toy, tmp_path: Path) -> str:
    """Return the LaTeX of a table whose setting and machine are full of special characters."""
    toy.settings = (NASTY,)  # pyright: ignore[reportAttributeAccessIssue]
    arms = make_plan(Options("toy", fixed=FIXED))
    records = [replace(record, environment={"device": NASTY}) for record in finals(arms[0])]
    failure = a_failure(arms[1].finals({})[0], NASTY)
    make_table(arms, by_digest([*records, failure])).write(tmp_path)
    return (tmp_path / "table.tex").read_text()


def test_latex_escapes_special_characters(nasty: str) -> None:
    escaped = r"50\% \& a\_b \#1 \$x\$ \{y\} \textbackslash{}z \textasciitilde{}t \textasciicircum{}u"
    assert nasty.count(escaped) == 5, "in the caption, the header and the notes: setting, reason, setting in a command"
    assert NASTY not in nasty


def test_latex_compiles(nasty: str, tmp_path: Path) -> None:
    engine = next(filter(None, map(shutil.which, ("pdflatex", "xelatex", "tectonic"))), None)
    if engine is None:
        pytest.skip("no LaTeX on this machine")
    page = f"\\documentclass{{article}}\\usepackage{{booktabs,longtable}}\\begin{{document}}{nasty}\\end{{document}}"
    (tmp_path / "page.tex").write_text(page)
    words = [engine, "-interaction=nonstopmode", "-halt-on-error"] if "tectonic" not in engine else [engine]
    done = subprocess.run([*words, "page.tex"], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
