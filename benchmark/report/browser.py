"""Headless Chromium, for pictures and measurements of the page; needs playwright, which the tests bring."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmark.errors import UserError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FIGURES = ("curves", "weights", "search", "cost")
"""Sections of the page that are drawn when they come near the view."""


def lacking() -> str | None:
    """Return in one line what this machine lacks for a browser; None where there is one."""
    if importlib.util.find_spec("playwright") is None:
        return 'there is no playwright; pip install "auxilearn-benchmark[test]"'
    return None if _chromium() else f"there is no Chromium; install one of: {', '.join(NAMES)}"


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Run the Chromium of this machine.

    Raises:
        UserError: There is none, or no playwright to steer it.
    """
    if reason := lacking():
        raise UserError(reason)
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=flags)
        yield browser
        browser.close()


def wait_for_tables(page: "Page") -> None:
    """Wait until the page's tables are there; its policy lets no script be evaluated that could ask more."""
    page.wait_for_selector("html[data-shown]", state="attached")


def draw(page: "Page", *sections: str) -> None:
    """Scroll to figures, all where none are named, and wait until they are drawn."""
    for section in sections or FIGURES:
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{section} [data-drawn]")
