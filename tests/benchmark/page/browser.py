"""Headless Chromium, a page opened in it, and what its tables show."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

FIGURES = ("curves", "weights", "search", "cost")

ERRORS: dict[Page, list[str]] = {}
"""What each open page complained about: errors of scripts, and all that reached its console."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium, or skip the tests that need it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; .ci/browser.sh installs it")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str | Path, *, complains: bool = False, **options: Any) -> Iterator[Page]:
    """Open a page and wait until its tables are there; no script error and no word in the console may come of it.

    Args:
        browser: A running one.
        address: An address, or a file.
        complains: Whether the page may.
        options: Of the browser's context, such as `color_scheme`.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    found = ERRORS.setdefault(page, [])
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("console", lambda message: found.append(f"{message.type}: {message.text}"))
    page.goto(address.as_uri() if isinstance(address, Path) else address)
    page.wait_for_function("performance.getEntriesByName('shown').length === 1")
    yield page
    errors = ERRORS.pop(page)
    context.close()
    assert complains or not errors, errors


def draw(page: Page, *sections: str) -> None:
    """Scroll to figures and wait until they are drawn."""
    for section in sections or FIGURES:
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{section} [data-drawn]")


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
    head = page.locator(
        f'#tables [data-setting="{setting}"] thead th', has=page.get_by_role("button", name=label, exact=True)
    )
    head.get_by_role("button").click()
    return str(head.get_attribute("aria-sort"))
