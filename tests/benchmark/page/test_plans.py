"""A page of several plans, of missing and failed runs, of drawn data: nothing is mixed, each gap has its command."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.report.browser import draw
from benchmark.report.page.build import write_page
from benchmark.report.page.source import Source, read_lines
from benchmark.report.suites import Plan
from benchmark.tables.gather import gather
from tests.benchmark.helpers import Toy, a_record
from tests.benchmark.page.browser import column, opened
from tests.benchmark.page.conftest import MakePage

FIXED = {"lr": "1", "weight_decay": "0"}


def test_a_missing_cell_has_its_command_and_copies_it(browser: Browser, toy: Toy, make_page: MakePage) -> None:
    arms = make_plan(Options("toy", fixed=FIXED, seeds=3))
    path = make_page(arms, [a_record(spec) for spec in arms[0].finals({})])
    with opened(browser, path, permissions=["clipboard-read", "clipboard-write"]) as page:
        assert column(page, "few", "top1")["stl"].startswith("50.00 ± 0.00")
        assert column(page, "few", "top1")["equal"].startswith("missing[")
        command = page.locator("#notes code").first.inner_text()
        assert command.startswith("python -m benchmark.run --suite toy")
        page.locator("#notes button").first.click()
        expect(page.locator("#notes button").first).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == command
        page.locator('[data-setting="few"] sup a').first.click()
        assert page.evaluate("document.activeElement.tagName") == "LI", "a mark leads to its note"


def test_plans_are_shown_one_at_a_time(browser: Browser, toy: Toy, tmp_path: Path) -> None:
    short, long = (make_plan(Options("toy", fixed=FIXED, seeds=2, epochs=epochs)) for epochs in (1, 2))
    with Store(tmp_path).writing() as store:
        for arms, test in ((short, 0.25), (long, 0.75)):
            for spec in (spec for arm in arms for spec in arm.finals({})):
                store.append(a_record(spec, test=test))
    plans = [Plan(gather(arms, store.records, title=f"{arms[0].epochs} epochs"), arms) for arms in (short, long)]
    write_page(Source(plans, store.records, read_lines([store.path])), tmp_path)
    with opened(browser, tmp_path / "report.html") as page:
        assert column(page, "few", "top1")["stl"].startswith("25.00")
        draw(page)
        page.get_by_label("Plan").select_option("2 epochs")
        assert column(page, "few", "top1")["stl"].startswith("75.00")
        assert page.locator("h1").inner_text() == "2 epochs", "the title is that of the plan"
        address = page.url
    with opened(browser, address) as page:
        assert column(page, "few", "top1")["stl"].startswith("75.00")
        page.locator("#reset").click()
        assert column(page, "few", "top1")["stl"].startswith("25.00")


@pytest.mark.parametrize("sample", [True, False])
def test_drawn_data_are_marked(browser: Browser, toy: Toy, make_page: MakePage, sample: bool) -> None:
    toy.fingerprint = lambda: "SAMPLE-toy" if sample else "toy-1"  # pyright: ignore[reportAttributeAccessIssue]
    arms = make_plan(Options("toy", fixed=FIXED, seeds=2))
    records = [a_record(spec) for arm in arms for spec in arm.finals({})]
    with opened(browser, make_page(arms, records)) as page:
        assert page.locator("#sample").is_visible() is sample
        assert ("SAMPLE" in page.title()) is sample


def test_a_record_that_did_not_fit_says_where_it_is(
    browser: Browser, toy: Toy, make_page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.report.page.build.BUDGET", 0)
    arms = make_plan(Options("toy", fixed=FIXED, seeds=1))
    path = make_page(arms, [a_record(arms[0].finals({})[0])])
    with opened(browser, path) as page:
        page.locator("#runs-table tbody button").click()
        expect(page.locator("#record-text")).to_contain_text(f"sed -n 1p {path.parent.name}/records.jsonl")
        assert str(path.parent) not in page.content(), "a page may be sent to others"


def test_a_run_that_diverged_is_listed_with_its_reason(browser: Browser, toy: Toy, make_page: MakePage) -> None:
    arms = make_plan(Options("toy", fixed=FIXED, seeds=1))
    record = a_record(arms[0].finals({})[0])
    broken = replace(record, status="diverged", reason="loss is nan", selected={}, test={}, timing={}, epochs=[])
    with opened(browser, make_page(arms, [broken])) as page:
        draw(page)
        expect(page.locator("#runs-table")).to_contain_text("diverged: loss is nan")
        assert column(page, "few", "top1")["stl"].startswith("failed[")
