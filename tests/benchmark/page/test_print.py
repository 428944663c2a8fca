"""Figures are there for who prints the page or takes a picture of all of it, without scrolling."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from benchmark.report.browser import FIGURES
from tests.benchmark.page.browser import opened


def assert_drawn(page: Page) -> None:
    for section in FIGURES:
        page.wait_for_selector(f"#{section} [data-drawn]", state="attached")
        assert page.locator(f"#{section} .plot .main-svg").count() >= 2, section


def test_all_figures_are_drawn_when_nothing_else_is_to_do(page: Page) -> None:
    assert_drawn(page)
    assert page.evaluate("scrollY") == 0


def test_all_figures_are_drawn_for_a_print(browser: Browser, reference: Path) -> None:
    never = "window.requestIdleCallback = () => 0;"
    with opened(browser, reference, before=never) as page:
        assert page.locator(".main-svg").count() == 0
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert_drawn(page)


def test_a_print_has_the_names_of_columns_and_nothing_to_press(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("#tables thead button").first).to_be_visible()
    expect(page.locator("#runs-table tbody th button").first).to_be_visible()
    for hidden in ("#reset", ".controls", "nav", ".pages button"):
        expect(page.locator(hidden).first).to_be_hidden()
