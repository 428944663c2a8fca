"""The commands and the code that the documentation prints run as they are printed."""

import inspect
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmark import suites
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import lines
from tests.benchmark.markdown import ROOT, fences
from tests.contract import test_suites

RUN = "python -m benchmark.run "
PAGES = ("quick-start", "how-to-read-a-table", "faithful", "cluster", "bring-your-own-data")
ALONE = ("--workers", "0", "--wandb", "disabled")


def commands(page: str) -> list[str]:
    """Return the runs that a page shows, their user's data replaced by a drawn sample."""
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    shown = [line for body in fences(text, "bash") for line in body.splitlines() if line.startswith(RUN)]
    mine = [line for line in shown if "--weights" not in line]  # a file that only its user has
    if page == "bring-your-own-data":  # a plan of many methods on pictures takes long, and has tests of its own
        mine = [line for line in mine if "--methods" in line and "--methods all" not in line]
    for folder in ("my-trees", "my-rooms"):
        mine = [line.replace(f"--data-dir {folder}", "--sample") for line in mine]
    return list(dict.fromkeys(line.removeprefix(RUN) for line in mine))


CASES = [(page, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(("page", "line"), CASES)
def test_every_command_has_a_plan(page: str, line: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli(*shlex.split(line), *([] if "--list" in line else ["--dry-run"]), "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert not any(tmp_path.iterdir())


def test_the_pages_show_commands() -> None:
    assert {page for page, _ in CASES} >= set(PAGES) - {"cluster"}


def test_the_quick_start(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, run = commands("quick-start")[:2]
    assert plan == f"{run} --dry-run"
    page = (ROOT / "docs/quick-start.md").read_text(encoding="utf-8")
    planned = cli(*shlex.split(plan), "--results-dir", tmp_path)
    for line in page.splitlines():
        if line.startswith("│ 5-shot"):
            counts = line.rpartition("│")[0].rpartition("│")[0]  # all but the time, which differs from day to day
            assert counts in planned.out
    assert "33 runs, 33 left: about " in page
    assert "33 runs, 33 left: about " in planned.out
    ended = cli(*shlex.split(run), "--epochs", "1", *ALONE, "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert len(lines(tmp_path)) == 33
    for name in (
        "table.md",
        "table.csv",
        "table.tex",
        "table.html",
        "comparison.csv",
        "weights.csv",
        "weights.png",
        "weights.pdf",
    ):
        assert f"`{name}`" in page
        assert (tmp_path / "digits" / name).exists()
    (tmp_path / "results").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    (code,) = fences(page, "python")
    names: dict[str, Any] = {}
    exec(code, names)
    means = names["finals"].groupby(["spec.setting", "spec.method"])["test.top1"].mean()
    table = pd.read_csv(tmp_path / "digits" / "table.csv")
    for row in table.to_dict("records"):
        assert row["metric"] != "top1" or means[row["setting"], row["method"]] == pytest.approx(row["mean"])
    assert "spec.hyper.lr" in names["runs"].columns


# the suite of CONTRIBUTING.md


@pytest.fixture
def circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the name of the suite that the guide shows, as one more file that the registry finds."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a suite")[2]
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "circle.py").write_text(fences(section, "python")[0])
    monkeypatch.setattr(suites, "__path__", [*suites.__path__, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield "circle"
    sys.modules.pop("benchmark.suites.circle", None)
    if hasattr(suites, "circle"):
        delattr(suites, "circle")


def test_the_suite_of_the_guide_keeps_the_rules(circle: str) -> None:
    given = {"name": circle, "setting": "30-labels", "seed": 1, "part": "test"}
    made = 0
    for name, check in vars(test_suites).items():
        if name.startswith("test_") and set(wanted := inspect.signature(check).parameters) <= set(given):
            check(**{key: given[key] for key in wanted})
            made += 1
    assert made >= 7


def test_the_suite_of_the_guide_runs(circle: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli("--suite", circle, "--seeds", "1", "--set", "lr=0.01", *ALONE, "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert {line["status"] for line in lines(tmp_path, circle)} == {"ok"}
    assert "30-labels top1" in (tmp_path / circle / "table.md").read_text()
    single, equal = (
        line["test"]["top1"]
        for method in ("stl", "equal")
        for line in lines(tmp_path, circle)
        if line["spec"]["method"] == method and line["spec"]["phase"] == "final"
    )
    assert min(single, equal) > 0.6, "chance is a third"
