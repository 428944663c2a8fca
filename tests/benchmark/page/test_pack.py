"""What a page carries is whole and safe: records to the last bit, JSON inside a script, a size that is kept."""

import base64
import json
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.plan import Options, make_plan
from benchmark.report.merge import FILE
from benchmark.report.page import build
from benchmark.report.page.curves import POINTS, curve
from benchmark.report.page.pack import packed_record, packed_records, script_json
from benchmark.report.page.source import commands_for, read_lines, shown_names
from tests.benchmark.helpers import Toy, a_record, a_spec
from tests.benchmark.page.conftest import MakePage

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
FLOAT64 = st.floats(allow_nan=False, allow_infinity=False)


def unpacked(text: str) -> Any:
    """Return what a browser makes of a packed record."""

    def revive(value: dict[str, Any]) -> Any:
        if isinstance(value.get("f32"), list):
            return [None if number is None else float(np.float32(number)) for number in value["f32"]]
        return value

    return json.loads(zlib.decompress(base64.b64decode(text)), object_hook=revive)


@given(st.lists(st.one_of(FLOAT32, FLOAT64, st.none()), max_size=6), st.lists(FLOAT32, min_size=1, max_size=6))
def test_a_packed_record_is_the_record_to_the_last_bit(mixed: list[float | None], single: list[float]) -> None:
    line = {"epochs": [{"epoch": 1, "loss": single, "weight": mixed, "validation": {"top1": 0.1}}], "digest": "d"}
    assert repr(unpacked(packed_record(json.dumps(line).encode()))) == repr(line)


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_in_a_script_ends_nothing_and_means_the_same(value: Any) -> None:
    text = script_json({"value": value, "nasty": "</script><!--<script>\u2028\u2029&amp;"})
    assert json.loads(text)["value"] == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_json_in_a_script_has_no_numbers_that_json_lacks() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def test_records_that_do_not_fit_are_left_out_from_the_end() -> None:
    lines = [(f"{number:016x}", json.dumps({"epochs": [], "number": number}).encode()) for number in range(10)]
    whole = packed_records(lines, 10**6)
    assert list(whole) == [digest for digest, _ in lines]
    room = len(json.dumps(dict(list(whole.items())[:4]), separators=(",", ":")))
    assert list(packed_records(lines, room)) == [digest for digest, _ in lines[:4]]


def test_a_page_keeps_its_size_and_says_what_it_left_out(
    toy: Toy, make_page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=3))
    records = [a_record(spec) for arm in arms for spec in arm.finals({})]
    whole = make_page(arms, records).stat().st_size
    monkeypatch.setattr(build, "BUDGET", whole - 100)
    page = make_page(arms, [])
    assert page.stat().st_size <= whole - 100
    assert 0 < len(json.loads(element(page, "packed"))["records"]) < len(records)
    assert len(json.loads(element(page, "data"))["runs"]) == len(records), "every run is listed"


def element(page: Path, identity: str) -> str:
    """Return the text of a script element as an HTML parser finds it."""

    class Parser(HTMLParser):
        inside, text = False, ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.inside = dict(attrs).get("id") == identity

        def handle_data(self, data: str) -> None:
            self.text += data if self.inside else ""

        def handle_endtag(self, tag: str) -> None:
            self.inside = False

    parser = Parser()
    parser.feed(page.read_text())
    return parser.text


def test_own_script_and_style_end_no_element() -> None:
    assert "</script" not in build._script()
    assert "<!--" not in build._script()
    assert "</style" not in (build.ASSETS / "style.css").read_text()
    assert "innerHTML" not in build._script(), "no text is read as markup"
    assert {path.stem for path in build.ASSETS.glob("*.js")} == set(build.SCRIPTS)


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    row = {"lr": 0.1, "loss": [1.0] * 3, "weight": [1.0] * 3, "diagnostics": {}, "validation": {"top1": 0.123456789}}
    found = curve(a_record(epochs=[{**row, "epoch": number} for number in range(1, 1001)]))
    assert len(found["epoch"]) == POINTS
    assert (found["epoch"][0], found["epoch"][-1]) == (1, 1000)
    assert found["series"]["validation top1"] == [0.12346] * POINTS


def test_many_tasks_become_the_main_one_and_the_mean_of_the_others() -> None:
    tasks = tuple(f"task {number}" for number in range(313))
    row = {"epoch": 1, "lr": 0.1, "loss": [5.0, *[2.0] * 311, None], "weight": [1.0, *[0.5] * 312], "diagnostics": {}}
    series = curve(a_record(tasks=tasks, epochs=[{**row, "validation": {"top1": 0.5}}]))["series"]
    assert series["loss task 0"] == [5.0]
    assert series["loss (mean of 312 auxiliary tasks)"] == [2.0]
    assert series["weight (mean of 312 auxiliary tasks)"] == [0.5]
    assert len(series) == 6


def test_files_are_named_without_folders_of_their_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "me"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    ours, theirs = home / "ours" / "digits" / FILE, tmp_path / "disk" / "theirs" / "digits" / FILE
    assert list(shown_names([Path("results/digits") / FILE]).values()) == [Path("results/digits") / FILE]
    assert list(shown_names([home / "work" / "results" / FILE]).values()) == [Path("results") / FILE]
    assert list(shown_names([ours]).values()) == [Path("digits") / FILE]
    assert list(shown_names([Path("..") / FILE]).values()) == [Path(FILE)]
    assert list(shown_names([ours, theirs]).values()) == [
        Path("ours/digits") / FILE,
        Path("disk/theirs/digits") / FILE,
    ]
    told = dict(commands_for("digits", ours))
    assert told["Make this page again"] == "python -m benchmark.report --suite digits --results-dir ."


def test_a_line_is_found_by_the_digest_at_its_end(tmp_path: Path) -> None:
    path, other = tmp_path / "records.jsonl", tmp_path / "other.jsonl"
    failed, good = (json.dumps(a_record(status=status).to_json(), separators=(",", ":")) for status in ("failed", "ok"))
    path.write_text(f"{failed}\n{good}\n{good[:50]}")
    other.write_text(f"{failed}\n")
    found = read_lines([path, other, tmp_path / "none.jsonl"])[a_spec().digest]
    assert (found.path, found.number, found.text.decode()) == (path, 2, good)
