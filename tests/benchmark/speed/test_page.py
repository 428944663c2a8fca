"""The page's time to load: what is written, and what a machine may lack for it; the browser is a stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.commands import DEFAULT_RESULTS
from benchmark.plan import Options
from benchmark.planned import keep
from benchmark.record import Store
from benchmark.report import browser
from benchmark.speed import page
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.helpers import ROOT, Toy, a_record, install
from tests.benchmark.report.campaigns import left_by
from tests.benchmark.speed.conftest import Cli


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stand for the browser: the n-th page is shown after n seconds and drawn after 2 n; return sizes."""
    sizes: list[int] = []

    def seconds(_running: object, path: Path) -> tuple[float, float]:
        sizes.append(path.stat().st_size)
        return float(len(sizes)), 2.0 * len(sizes)

    @contextmanager
    def chromium() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(version="1.2")

    monkeypatch.setattr(browser, "lacking", lambda: None)
    monkeypatch.setattr(browser, "chromium", chromium)
    monkeypatch.setattr(page, "_seconds", seconds)
    return sizes


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    install(monkeypatch, Toy())
    with Store(tmp_path / "records" / "toy").writing() as store:
        store.append(a_record())
        keep(left_by(Options("toy", methods=("stl",), settings=("few",)))[0], store.folder)
    return tmp_path / "records"


def test_one_command_measures_writes_and_prints(loads: list[int], records: Path, cli: Cli, tmp_path: Path) -> None:
    where = ("--records", records, "--results-dir", tmp_path / "results")
    ended = cli("page", "--suite", "toy", "--repeats", "3", *where)
    assert ended.status == 0, ended.err
    found = {row.what: row for row in read(tmp_path / "results" / page.FILE, Measurement)}
    shown, drawn = found["seconds to tables, filters and runs of toy"], found["seconds to the first curves of toy"]
    assert (shown.lowest, shown.value, shown.highest, shown.turns) == (2.0, 3.0, 4.0, 3)  # the first warms up
    assert (drawn.lowest, drawn.value, drawn.highest, drawn.turns) == (4.0, 6.0, 8.0, 3)
    assert found["MB of the page of toy"].value == pytest.approx(loads[0] / 1e6, rel=1e-3)
    assert shown.detail.startswith("1 records")
    assert "Chromium 1.2" in shown.detail
    assert str(tmp_path / "results" / page.FILE) in ended.out


def test_what_is_missing_is_one_line(
    loads: list[int], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("page", "--records", tmp_path / "none", "--results-dir", tmp_path)
    assert cli(*words) == (2, "", f"error: no records of suite 'digits' in {tmp_path / 'none'}\n")
    monkeypatch.setattr(browser, "lacking", lambda: "there is no Chromium")
    assert cli(*words) == (2, "", "error: there is no Chromium\n")
    assert loads == []
    assert not (tmp_path / page.FILE).exists()


def test_nothing_is_missing_where_the_reference_is() -> None:
    assert page.lacking("digits", ROOT / DEFAULT_RESULTS / "reference") in (None, browser.lacking())


def test_a_machine_without_chromium_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    assert browser.lacking() == f"there is no Chromium; install one of: {', '.join(browser.NAMES)}"
    monkeypatch.setattr(browser.importlib.util, "find_spec", lambda name: None)
    assert (browser.lacking() or "").startswith("there is no playwright")
