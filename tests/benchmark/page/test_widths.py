"""Nothing is cut or wider than its screen, on a desk or a phone: numbers of axes, filters, long names of plans."""

import itertools
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.report.browser import draw
from benchmark.report.page.build import write_page
from benchmark.report.page.source import Source, read_lines
from benchmark.report.suites import Plan
from benchmark.tables.gather import gather
from tests.benchmark.helpers import Toy, a_record
from tests.benchmark.page.browser import opened

WIDTHS = (360, 1100)
BOXES = """(found) => found.map((each) => {
    const box = each.getBoundingClientRect();
    return [each.textContent, box.x, box.right];
})"""
HELD = """(input) => {
    const pen = document.createElement("canvas").getContext("2d"), looks = getComputedStyle(input);
    pen.font = looks.font;
    const room = input.clientWidth - parseFloat(looks.paddingLeft) - parseFloat(looks.paddingRight);
    return [pen.measureText(input.placeholder).width, room];
}"""


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("width", WIDTHS)
def test_costs_stand_on_an_axis_of_few_plain_numbers(browser: Browser, reference: Path, width: int) -> None:
    with opened(browser, reference, viewport={"width": width, "height": 800}) as page:
        draw(page, "cost")
        for axes in page.locator("#cost .plot").all():
            ticks = axes.locator(".xtick text").evaluate_all(BOXES)
            assert 2 <= len(ticks) <= 7
            assert all(re.fullmatch(r"\d+(\.\d+)?", text) and float(text) > 0 for text, _, _ in ticks)
            ends = sorted((left, right) for _, left, right in ticks)
            assert all(one[1] + 3 < other[0] for one, other in itertools.pairwise(ends)), "none covers another"
        assert not overflows(page)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["#runs-query", "#query"])
def test_what_a_filter_takes_can_be_read_in_it(browser: Browser, reference: Path, width: int, name: str) -> None:
    with opened(browser, reference, viewport={"width": width, "height": 800}) as page:
        wide, room = page.locator(name).evaluate(HELD)
        assert wide + 12 < room, "with the cross that empties it"


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_of_plans_widen_no_page(browser: Browser, toy: Toy, tmp_path: Path, width: int) -> None:
    plans = [make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=2, epochs=each)) for each in (1, 2)]
    with Store(tmp_path).writing() as store:
        for spec in (spec for arms in plans for arm in arms for spec in arm.finals({})):
            store.append(a_record(spec))
    titles = ["Results of suite toy", f"Results of suite toy: with {'lr 0.1, 0.01 or 0.001, ' * 8}"]
    made = [Plan(gather(arms, store.records, title=title), arms) for arms, title in zip(plans, titles, strict=True)]
    write_page(Source(made, store.records, read_lines([store.path])), tmp_path)
    with opened(browser, tmp_path / "report.html", viewport={"width": width, "height": 800}) as page:
        menu = page.get_by_label("Plan")
        assert menu.locator("option").all_inner_texts()[0] == "the suite's own plan"
        menu.select_option(index=1)
        assert not overflows(page)
