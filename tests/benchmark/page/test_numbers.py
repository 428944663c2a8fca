"""What the page shows is what the records say, worked out here from the lines of the file and nothing else."""

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmark.plan import Options, make_plan
from benchmark.report.browser import draw, wait_for_tables
from tests.benchmark.helpers import Toy, a_record
from tests.benchmark.page.browser import column, opened
from tests.benchmark.page.conftest import REFERENCE, MakePage

SETTINGS = ("5-shot", "10-shot")


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (REFERENCE / "records.jsonl").read_text().splitlines()]


def finals(lines: list[dict[str, Any]]) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
    found = defaultdict(list)
    for line in lines:
        if line["spec"]["phase"] == "final":
            found[line["spec"]["setting"], line["spec"]["method"]].append(line)
    return found


def mean_and_error(values: list[float], scale: float, digits: int) -> str:
    error = statistics.stdev(values) / len(values) ** 0.5
    return f"{scale * statistics.mean(values):.{digits}f} ± {scale * error:.{digits}f}"


def test_every_mean_and_error_is_that_of_the_records(page: Page, lines: list[dict[str, Any]]) -> None:
    expected = finals(lines)
    for metric in ("top1", "top3"):
        for setting in SETTINGS:
            shown = {name: text for name, text in column(page, setting, metric).items() if not text.startswith("–")}
            assert len(shown) == 22
            for method, text in shown.items():
                values = [line["test"][metric] for line in expected[setting, method]]
                assert text.rstrip("★≈") == mean_and_error(values, 100, 2), (setting, method)


def test_every_cost_is_that_of_the_records(page: Page, lines: list[dict[str, Any]]) -> None:
    shown = {
        (setting, label): column(page, setting, label) for setting in SETTINGS for label in ("runs", "s/step", "MiB")
    }
    for (setting, method), runs in finals(lines).items():
        assert shown[setting, "runs"][method] == "10"
        step = statistics.mean(line["timing"]["step_sec"] for line in runs)
        assert shown[setting, "s/step"][method] == f"{step:.5f}"
        peak = statistics.mean(line["memory"]["peak_bytes"] for line in runs)
        assert shown[setting, "MiB"][method] == f"{peak / 2**20:.0f}"


def test_curves_are_means_of_the_records(page: Page, lines: list[dict[str, Any]]) -> None:
    draw(page, "curves")
    figure = page.locator("#curve-plots figure").first
    figure.locator("summary").click()
    table = figure.locator("table").evaluate(
        "(table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    head, *rows = table
    assert len(rows) == 20
    runs = finals(lines)
    for method in head[1:]:
        for row in rows:
            values = [line["epochs"][int(row[0]) - 1]["validation"]["top1"] for line in runs["5-shot", method]]
            mean, error = map(float, row[head.index(method)].split(" ± "))
            assert mean == pytest.approx(100 * statistics.mean(values), abs=0.006)
            assert error == pytest.approx(100 * statistics.stdev(values) / 10**0.5, rel=0.06)


def test_a_setting_without_runs_of_a_method_has_no_axes(browser: Browser, toy: Toy, make_page: MakePage) -> None:
    arms = make_plan(Options("toy", methods=("stl", "equal"), fixed={"lr": "1", "weight_decay": "0"}, seeds=2))
    runs = [a_record(spec) for arm in arms for spec in arm.finals({}) if (arm.setting, arm.method) != ("many", "equal")]
    with opened(browser, make_page(arms, runs)) as page:
        draw(page)
        page.locator("#weight-method").select_option("equal")
        expect(page.locator("#weight-plots figcaption")).to_have_text(["equal, few"])
        assert page.locator("#curve-plots figcaption").all_inner_texts() == ["few", "many"]


def test_every_record_of_the_page_is_the_line_of_the_file(page: Page, lines: list[dict[str, Any]]) -> None:
    """All are unpacked by the code that the dialog uses, and each number must be the same float64."""
    packed = page.locator("#packed").evaluate("(element) => Object.keys(JSON.parse(element.textContent).records)")
    assert set(packed) == {line["digest"] for line in lines}
    for line in (lines[0], lines[len(lines) // 2], lines[-1]):
        page.evaluate("(digest) => { location.hash = `#?run=${digest}`; }", line["digest"])
        expect(page.locator("#record-text")).to_contain_text(f'"digest": "{line["digest"]}"')
        assert json.loads(page.locator("#record-text").inner_text()) == line


def test_the_size_is_below_the_limit(reference: Path) -> None:
    assert reference.stat().st_size < 8_000_000


def test_the_page_asks_for_nothing(browser: Browser, reference: Path) -> None:
    asked: list[str] = []
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(reference.as_uri())
        wait_for_tables(page)
        draw(page)
    assert [address for address in asked if not address.startswith("data:")] == [reference.as_uri()]


def test_the_same_records_give_the_same_page(toy: Toy, make_page: MakePage) -> None:
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=1))
    first = make_page(arms, [a_record(arms[0].finals({})[0])]).read_bytes()
    assert make_page(arms, []).read_bytes() == first
