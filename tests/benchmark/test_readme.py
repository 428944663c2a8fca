"""The README's generated blocks are what the code and the measurements say."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import baselines
from auxilearn import Method
from benchmark import method_table, readme
from benchmark.commands import run_app
from benchmark.errors import UserError
from benchmark.method_table import rule, source
from benchmark.readme import END, opening, rewritten
from benchmark.speed import costs
from benchmark.speed.costs import Cost
from benchmark.speed.rows import add
from tests.benchmark.helpers import Ended
from tests.benchmark.made_up import ORIGIN, WHERE

PAGE = f"# Title\n\n{opening('one')}\nold\n{END}\n\nbetween\n\n{opening('two')}\n\n{END}\nafter\n"
MAKERS = {"one": lambda: "new 1\n", "two": lambda: "\nnew 2"}
MADE = f"# Title\n\n{opening('one')}\n\nnew 1\n\n{END}\n\nbetween\n\n{opening('two')}\n\nnew 2\n\n{END}\nafter\n"


@pytest.mark.parametrize("path", readme.pages(), ids=lambda path: path.relative_to(readme.ROOT).as_posix())
def test_every_number_is_that_of_code_and_records(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert rewritten(text, readme.pages()[path]) == text, "run: python -m benchmark.readme"


# blocks


def test_blocks_are_made_anew_and_nothing_else_changes() -> None:
    assert rewritten(PAGE, MAKERS) == MADE
    assert rewritten(MADE, MAKERS) == MADE
    assert rewritten("nothing generated\n", {}) == "nothing generated\n"


def test_a_block_may_be_said_to_come_from_elsewhere() -> None:
    older = PAGE.replace("python -m benchmark.readme", "another command")
    assert rewritten(older, MAKERS) == MADE


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (PAGE.replace("two", "three"), "unknown generated block 'three'; choose one of: one, two"),
        (PAGE.partition("between")[0], "the page needs the generated block 'two' once"),
        (PAGE + PAGE, "the page needs the generated block 'one' once"),
        (PAGE.replace(END, "", 1), f"the generated block 'one' has no {END}"),
        (PAGE.rpartition(END)[0], f"the generated block 'two' has no {END}"),
    ],
    ids=["unknown", "missing", "twice", "no end before another", "no end"],
)
def test_a_page_that_does_not_fit_is_refused(page: str, told: str) -> None:
    with pytest.raises(UserError, match=re.escape(told)):
        rewritten(page, MAKERS)


# the command


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "README.md"
    path.write_text(PAGE)
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "pages", lambda: {path: MAKERS})
    return path


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["readme", *arguments])
        status = run_app(readme.app, "python -m benchmark.readme")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


def test_check_tells_and_writes_nothing(page: Path, cli: Callable[..., Ended]) -> None:
    assert cli("--check") == (1, "", "README.md is not up to date; run: python -m benchmark.readme\n")
    assert page.read_text() == PAGE


def test_the_command_rewrites_and_then_finds_nothing_to_do(page: Path, cli: Callable[..., Ended]) -> None:
    assert cli() == (0, "README.md is rewritten\n", "")
    assert page.read_text() == MADE
    assert cli("--check") == (0, "README.md is up to date\n", "")
    assert cli() == (0, "README.md is up to date\n", "")


def test_a_page_without_its_block_is_one_line(page: Path, cli: Callable[..., Ended]) -> None:
    page.write_text("# Title\n")
    ended = cli()
    assert ended.status == 2
    assert ended.err.startswith("error: the page needs the generated block 'one' once; it begins with <!-- one: ")
    assert ended.err.count("\n") == 1
    assert page.read_text() == "# Title\n"


# the table of methods


SOURCE = '''"""A method that nobody wrote before."""

from typing import ClassVar

from auxilearn import Method, Problem


class Ninth(Method):
    """Weigh by |<g_0, g_i>| * 2 (nobody, Journal 2026).

    More. Departures: none.
    """

    citation = "Nobody, Journal 2026, arXiv:2601.00001"
    needs = ("loss history", "a second pass")
    search_space: ClassVar = {"share": (0.25, 0.5), "depth": (1, 2, 3)}

    def __init__(self, problem: Problem, *, share: float = 0.5, depth: int = 1) -> None:
        super().__init__(problem)
'''


@pytest.fixture
def ninth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "ninth_method.py").write_text(SOURCE)
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("baselines.ninth_method", None)
    if hasattr(baselines, "ninth_method"):
        delattr(baselines, "ninth_method")


def table(path: Path, *measured: Cost) -> tuple[dict[str, list[str]], str]:
    """Return the rows by method, and what follows the table, made from these costs."""
    add(path / "methods.csv", measured, costs.Cost)
    lines, _, rest = method_table.methods(path / "methods.csv").partition("\n\n")
    head, _, *rows = [line.strip("| ").split(" | ") for line in lines.splitlines()]
    assert head == ["method", "rule", "needs", "settings", "cost with 12", "cost with 312", "source"]
    return {row[0].strip("`"): row[1:] for row in rows}, rest


def test_a_new_file_is_a_new_row(ninth: None, tmp_path: Path) -> None:
    rows, _ = table(tmp_path, Cost(12, "ninth-method", "", step=1.5, mean_step=1.5, peak_memory=1.25, **WHERE))
    assert list(rows) == baselines.names()
    assert rows["ninth-method"] == [
        r"Weigh by \|\<g_0, g_i>\| \* 2",
        "loss history, a second pass",
        "6",
        "1.50 (1.25)",
        "–",
        "[Nobody, Journal 2026](https://arxiv.org/abs/2601.00001)",
    ]


def test_what_was_not_measured_is_a_dash(tmp_path: Path) -> None:
    rows, rest = table(tmp_path)
    assert {tuple(row[3:5]) for row in rows.values()} == {("–", "–")}
    assert rest.endswith("by `python -m benchmark.speed methods`.")


def test_costs_are_of_the_defaults_at_their_number_with_the_share_of_outer_steps(tmp_path: Path) -> None:
    bilevel = Cost(12, "gcs", "", step=1.0, outer_step=8.0, outer_every=4, mean_step=3.0, peak_memory=234.4, **WHERE)
    large = Cost(312, "gcs", "", step=45.67, mean_step=45.67, peak_memory=9.995, **WHERE)
    others = [
        Cost(12, "gcs", "gate=sum", step=7.0, mean_step=7.0, peak_memory=7.0, **{**WHERE, "commit": "other"}),
        Cost(40, "gcs", "", step=7.0, mean_step=7.0, peak_memory=7.0, **{**WHERE, "commit": "other"}),
    ]
    rows, rest = table(tmp_path, bilevel, large, *others)
    assert rows["gcs"][3:5] == ["3.00 (234)", "45.7 (9.99)"]
    assert rest.endswith(f"; {ORIGIN}.")


def test_an_origin_that_is_not_the_usual_one_is_named_with_its_methods(tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"step": 1.0, "mean_step": 1.0, "peak_memory": 1.0}
    later = {**WHERE, "commit": "def+", "date": "2026-02-03"}
    measured = [Cost(12, "dwa", "", **numbers, **WHERE), Cost(312, "dwa", "", **numbers, **WHERE)]
    _, rest = table(tmp_path, *measured, Cost(12, "gcs", "", **numbers, **later))
    assert rest.endswith(f"; {ORIGIN}; `gcs`: a machine, torch 9.9, 1 thread, commit def+, 2026-02-03.")


def test_what_cannot_be_measured_is_a_dash_with_its_reason(tmp_path: Path) -> None:
    reason = "no | labels"
    rows, rest = table(tmp_path, *(Cost(12, name, "", note=reason, **WHERE) for name in ("gcs", "stl")))
    assert rows["gcs"][3] == rows["stl"][3] == "– [1]"
    assert rest.endswith("\n\n- [1] no \\| labels")


def test_grouped_tasks_stand_in_where_tasks_apart_are_too_many(tmp_path: Path) -> None:
    grouped = Cost(312, "pcgrad", "28 groups", step=20.0, mean_step=20.0, peak_memory=30.0, **WHERE)
    refused = Cost(312, "pcgrad", "", note="too large", **WHERE)
    rows, rest = table(tmp_path, refused, grouped, Cost(12, "stl", "", note="not today", **WHERE))
    assert rows["pcgrad"][4] == "20.0 (30.0) [1]"
    assert rows["stl"][3] == "– [2]"
    assert rest.endswith("\n\n- [1] auxiliaries in 28 groups; apart: too large\n- [2] not today")
    assert "commit abc" in rest
    refused_too = Cost(312, "pcgrad", "28 groups", note="too large", **WHERE)
    rows, rest = table(tmp_path, refused_too)
    assert rows["pcgrad"][4] == "– [1]"
    assert "- [1] too large" in rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do this (A and B, ICML 2018, algorithm 1).\n\n    More.", "Do this"),
        ("Do this (carefully) (A, 1997) and that.", "Do this (carefully) and that"),
        ("Do this.", "Do this"),
        (None, ""),
    ],
)
def test_the_rule_is_the_first_line_without_the_source(text: str | None, expected: str) -> None:
    assert rule(type("Some", (Method,), {"__doc__": text})) == expected


@pytest.mark.parametrize(
    ("citation", "expected"),
    [
        ("A, ICML 2018, arXiv:1711.02257", "[A, ICML 2018](https://arxiv.org/abs/1711.02257)"),
        ("A, 1997, doi:10.1023/A:1007", "[A, 1997](https://doi.org/10.1023/A:1007)"),
        ("A, ICLR 2021, openreview:IMPn", "[A, ICLR 2021](https://openreview.net/forum?id=IMPn)"),
        ("A, 2019, arXiv:1.2; B, 2020", "[A, 2019](https://arxiv.org/abs/1.2); B, 2020"),
        ("A, 2019", "A, 2019"),
        ("", "–"),
    ],
)
def test_sources_are_links_where_they_can_be(citation: str, expected: str) -> None:
    assert source(type("Some", (Method,), {"citation": citation})) == expected
