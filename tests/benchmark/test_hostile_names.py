"""Names with markup in them stay text in every file and on the terminal, or are refused in one line."""

import csv
import html
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from benchmark.display import Display
from benchmark.errors import UserError
from benchmark.figures import draw_weights, final_weights, style
from benchmark.figures.style import short
from benchmark.figures.weights import MOST_CHARACTERS
from benchmark.markdown import literal
from benchmark.plan import Options, make_plan
from benchmark.record import Record, Store
from benchmark.tables import latex, markdown
from benchmark.tables.sheet import of_frame
from benchmark.tables.table import make_table
from benchmark.terminal import print_table
from benchmark.text import is_plain, plain, spreadsheet
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, by_digest
from tests.benchmark.mirrored import files, mirror, read

NAMES = (
    "[bold red]x[/bold red]",
    "<script>alert(1)</script>",
    "a|b `code` *c* _d_ ~~e~~ [f](javascript:g)",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    r"50% & a_b #1 $x$ {y} \z ~t ^u \input{secret} $\frac{",
    ":bomb: &lt;b&gt;",
)
UNSEEN = ("a\nb", "a\x1b[31mb", "a\u202eb", "a\rb", "a\u2028b", "a\x9b1mb", "a\x00b", "\ud800")


def named(toy: Toy, name: str) -> dict[str, Record]:
    """Give a setting, a task and the reason of a failure this name; return the records of a command."""
    toy.settings = (name,)  # pyright: ignore[reportAttributeAccessIssue]
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}))
    good = [a_record(spec, tasks=("main", name, "value"), environment={"device": name}) for spec in arms[0].finals({})]
    return by_digest([*good, a_failure(arms[1].finals({})[0], name)])


@pytest.mark.filterwarnings("ignore:constrained_layout not applied")  # so long a name leaves no room for shares
@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_in_every_file_and_on_the_terminal(
    name: str, toy: Toy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    records = named(toy, name)
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}))
    table = make_table(arms, records)
    print_table(table, tmp_path, table.write(tmp_path))
    out = capfd.readouterr().out
    assert out.count(name) >= 4, "title, weights, caption and note"
    assert "\x1b" not in out
    text = (tmp_path / "table.md").read_text()
    assert text.count(literal(name)) >= 4
    assert name == literal(name) or name not in text
    for file, column in (("table.csv", "setting"), ("comparison.csv", "setting")):
        with (tmp_path / file).open(newline="") as opened:
            found = {row[column] for row in csv.DictReader(opened)}
        assert found == {spreadsheet(name)}
        assert not any(cell.startswith(tuple("=+-@")) for cell in found)
    body = "\n".join(line for line in (tmp_path / "table.tex").read_text().splitlines() if not line.startswith("%"))
    assert "\\input" not in body
    assert "\\frac" not in body
    with style(math=False):
        figure = draw_weights(final_weights(list(records.values())[:2]))
        labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
        assert short(name, MOST_CHARACTERS) in labels
        figure.savefig(io.BytesIO(), format="pdf")
    assert isinstance(figure, Figure)


def cells(line: str) -> list[str]:
    """Return the cells of a row as Markdown's readers do: a bar that is escaped is text."""
    return [cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]]


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")) | st.sampled_from("|`\\<*_[]($&~"))


@given(TEXT)
def test_a_cell_of_markdown_is_one_cell_of_literal_text(text: str) -> None:
    sheet = of_frame("", "", pd.DataFrame([[text, "x"]], columns=pd.Index([text or "a", "b"])))
    lines = markdown.markdown(sheet).splitlines()
    assert len(lines) == 3
    assert [len(cells(line)) for line in lines] == [2, 2, 2]
    shown = re.sub(
        r"\\([!-/:-@\[-`{-~])", lambda found: html.escape(found[1]) if found[1] in "<&" else found[1], literal(text)
    )
    assert html.unescape(shown) == html.unescape(text) or shown == text or html.unescape(shown) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*|~$]", literal(text)), "nothing that marks is left alone"
    assert not re.search(r"(?<!\\)(?:\\\\)*<[A-Za-z/!?]", literal(text))


@given(st.text())
def test_plain_text_is_one_line_of_visible_text_and_stays_as_it_is(text: str) -> None:
    shown = plain(text)
    assert is_plain(shown)
    assert shown.isprintable() or set(shown) & {"\u200c", "\u200d"}
    assert plain(shown) == shown
    if is_plain(text):
        assert shown == text


@given(st.text())
def test_no_cell_of_a_spreadsheet_is_a_formula(text: str) -> None:
    shown = spreadsheet(text)
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@"))
    assert shown in (text, f"'{text}")
    assert spreadsheet(-1.5) == -1.5


@pytest.mark.parametrize("name", UNSEEN)
def test_what_cannot_be_seen_is_refused_in_names_and_shown_in_reasons(
    name: str, toy: Toy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    toy.settings = (name,)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(UserError, match="is not one line of visible text; rename it") as told:
        make_plan(Options("toy"))
    assert is_plain(str(told.value))
    reason = a_record(a_spec(), status="diverged", reason=name).to_json()
    assert is_plain(Record.from_json(reason).reason)
    for values in (a_record(tasks=("main", name, "value")).to_json(), a_record(a_spec(setting=name)).to_json()):
        (tmp_path / "records.jsonl").write_text(json.dumps(values) + "\n")
        with pytest.raises(UserError, match="line 1: not a record") as told:
            Store(tmp_path).read()
        assert is_plain(str(told.value))


@given(TEXT)
@example("--")
@example("a---b----")
def test_nothing_in_a_cell_of_latex_is_a_command(text: str) -> None:
    assert "--" not in latex.escape(text.replace("–", ""))
    assert "---" not in latex.escape(text)
    left = re.sub(r"\\(?:[%_&#${}]|text[a-z]+\{\})|(?<=-)\{\}(?=-)|\$(?:\\[A-Za-z]+|\^2)\$", "", latex.escape(text))
    assert not set(left) & set("\\%_&#${}~^")


def test_dashes_of_latex_stay_dashes() -> None:
    assert latex.escape("–") == "--"
    assert latex.escape("3 – 4, a--b") == "3 -- 4, a-{}-b"
    assert latex.escape("-–-") == "-{}--{}-"


def test_the_live_display_and_mistakes_show_text(
    toy: Toy, cli: Cli, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    named(toy, NAMES[0])
    display = Display(make_plan(Options("toy")), {})
    with display:
        display.done(a_record(a_spec(setting=NAMES[0]), status="diverged", reason=":bomb: [red]\\[x]"))
        display.again(a_failure(a_spec(setting=NAMES[0]), "[/]"), " (attempt 1 of 2)")
    told = capfd.readouterr().err
    assert f"stl in {NAMES[0]}, search run" in told
    assert ":bomb: [red]\\[x]" in told
    assert told.splitlines()[-1].endswith(": [/]")
    ended = cli("--suite", "x\x1b[31m\u202e")
    assert (ended.status, is_plain(ended.err.rstrip("\n"))) == (2, True)


def test_wandb_takes_any_name(tmp_path: Path) -> None:
    records = [a_record(a_spec(setting=name * 5, seed=seed)) for seed, name in enumerate(NAMES)]
    mirror(tmp_path, *records)
    assert {found["config"]["setting"] for found in map(read, files(tmp_path))} == {name * 5 for name in NAMES}
