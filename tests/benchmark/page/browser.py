"""A page opened in Chromium, and what its tables show."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmark.report.browser import wait_for_tables


@contextmanager
def opened(
    browser: Browser, address: str | Path, *, complains: bool = False, before: str = "", **options: Any
) -> Iterator[Page]:
    """Open a page and wait until its tables are there; no script error and no word in the console may come of it.

    Args:
        browser: A running one.
        address: An address, or a file.
        complains: Whether the page may.
        before: A script that runs before the page's own.
        options: Of the browser's context, such as `color_scheme`.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    if before:
        page.add_init_script(before)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"error: {error}"))
    page.on("console", lambda message: errors.append(f"{message.type}: {message.text}"))
    page.goto(address.as_uri() if isinstance(address, Path) else address)
    wait_for_tables(page)
    yield page
    context.close()
    assert complains or not errors, errors


def column(page: Page, setting: str, label: str) -> dict[str, str]:
    """Return the cells of one column of a setting's table by method, in the order of the rows."""
    rows = page.locator(f'#tables [data-setting="{setting}"] table').evaluate(
        """(table, label) => {
            const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
            const place = heads.indexOf(label);
            return [...table.tBodies[0].rows].map((row) => [row.cells[0].textContent, row.cells[place].textContent]);
        }""",
        label,
    )
    return dict(rows)


def sort_by(page: Page, setting: str, label: str) -> str:
    """Press the name of a column and return what a screen reader hears of its order."""
    button = page.get_by_role("button", name=label, exact=True)
    head = page.locator(f'#tables [data-setting="{setting}"] thead th', has=button)
    head.get_by_role("button").click()
    return str(head.get_attribute("aria-sort"))
