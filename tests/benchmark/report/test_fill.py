"""Notes on missing runs: a command that makes these very runs or none, and nothing of the user's folders in a page."""

import base64
import json
import re
import shlex
import zlib
from pathlib import Path

import pytest

from benchmark.fill import command_under, fill_in_report, shown_place
from benchmark.plan import Options, make_plan
from benchmark.planned import keep
from benchmark.record import Store
from benchmark.report.suites import suite_results
from tests.benchmark.helpers import Toy, by_digest
from tests.benchmark.report.campaigns import campaign, left_by
from tests.benchmark.report.test_report import Report, report

__all__ = ["report"]  # the fixture

OTHER = Options("toy", trials=4, sampler="random", grid={"lr": ("0.5", "0.001")})
OWN = Options("toy", trials=4, sampler="random")


def test_a_search_with_a_budget_has_its_command(toy: Toy) -> None:
    fixed = Options("toy", trials=4, sampler="random", fixed={"lr": "0.5"})
    for plan, words in ((OWN, ""), (fixed, " --set=lr=0.5"), (OTHER, " --grid=lr=0.5,0.001")):
        lacking = by_digest(campaign(make_plan(plan))[:-1])
        (results,) = suite_results("toy", lacking, planned=left_by(plan), results_dir=Path("results"))
        (note,) = results.notes
        command = "python -m benchmark.run --suite toy --settings many --methods equal --protocol equal-budget"
        assert note.text == f"1 of 2 final runs missing; run: {command} --trials 4 --sampler random{words}"


def test_a_sampler_that_learns_needs_its_storage(toy: Toy) -> None:
    arms = make_plan(Options("toy", trials=4, sampler="tpe"))
    found = fill_in_report(Options("toy"), arms, results=Path("results"))
    assert found.text.startswith("run, with the same --storage as before if there was one: python -m benchmark.run")


def test_folders_are_named_from_the_working_directory_on_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_place(Path("mine/results")) == Path("mine/results")
    assert shown_place(tmp_path / "mine") == Path("mine")
    for outside in (tmp_path.parent, Path("/somewhere"), Path(".."), Path("../../home/me")):
        assert shown_place(outside) == Path("RESULTS_DIR")


def everything(page: Path) -> bytes:
    """Return the bytes of a page and of what it carries compressed, but for plotly."""
    text = page.read_text()
    packed = json.loads(re.findall(r'id="packed">(.*?)</script>', text, re.DOTALL)[0])
    parts = [packed["curves"], *strings(packed["records"])]
    return b"".join([text.encode(), *(zlib.decompress(base64.b64decode(part)) for part in parts)])


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) and len(value) > 40 else []


def test_no_path_of_the_user_is_in_a_page_or_a_table(toy: Toy, report: Report, tmp_path: Path) -> None:
    plan = Options("toy", methods=("stl",), seeds=4)
    lacking = campaign(make_plan(plan))[:-1]
    with Store(tmp_path / "home" / "someone" / "toy").writing() as kept:
        for record in lacking:
            kept.append(record)
        keep(left_by(plan)[0], kept.folder)
    words = ("--results-dir", tmp_path / "home" / "someone", "--output", tmp_path / "out")
    ended = report("--suite", "toy", *words, figures=True)
    assert ended.status == 0, ended.err
    page = everything(tmp_path / "out" / "toy" / "report.html")
    assert b"RESULTS_DIR" in page
    assert b"final runs missing" in page
    assert b"evaluation_sec" in page, "the records were looked into"
    places = [tmp_path, tmp_path.parent, Path.home(), Path.cwd()]
    for word in [*(str(place) for place in places if len(place.parts) > 2), "someone"]:
        assert word.encode() not in page, word
        for path in (tmp_path / "out" / "toy").iterdir():
            assert word.encode() not in path.read_bytes(), (word, path)


def test_a_command_names_no_hyper_parameter_of_methods_that_are_not_its_own(toy: Toy) -> None:
    fixed = {"temperature": "3", "gradnorm.learning_rate": "0.5", "lr": "0.1"}
    options = Options("toy", methods=("stl", "dwa", "gradnorm"), settings=("few",), fixed=fixed)
    given = {"stl": {"lr"}, "dwa": {"lr", "temperature"}, "gradnorm": {"lr", "gradnorm.learning_rate"}}
    for arm in make_plan(options):
        words = shlex.split(command_under(options, [arm]))
        assert {word.removeprefix("--set=").partition("=")[0] for word in words if word.startswith("--set=")} == (
            given[arm.method]
        )
        asked = dict(word.removeprefix("--set=").split("=") for word in words if word.startswith("--set="))
        assert make_plan(Options("toy", methods=(arm.method,), settings=("few",), fixed=asked)) == [arm]
