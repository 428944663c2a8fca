"""How long the report page of many records takes to load, by the browser's own clock, and how large it is."""

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmark.errors import UserError
from benchmark.report.browser import chromium
from benchmark.report.page.build import write_page
from benchmark.report.session import Request, load, page_source
from benchmark.speed.timing import provenance
from benchmark.terminal import console

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIMIT_SEC = 2.0
LIMIT_BYTES = 8_000_000


def report(*, suite: str, repeats: int, results: Path) -> None:
    """Print size and seconds to load of the page of a suite's records, and whether they are within the limits.

    Args:
        suite: Name of the suite.
        repeats: Times that the page is loaded, each in a fresh profile.
        results: Folder of the results.

    Raises:
        UserError: There are no records, or no browser.
    """
    request = Request(suite, False, "", (), (), 0, False, results, None)
    records = load(request).get(suite)
    if not records:
        raise UserError(f"no records of suite {suite!r} in {results}")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / write_page(page_source(request, suite, records), Path(folder))
        size = path.stat().st_size
        times = [_seconds(browser, path) for _ in range(repeats + 1)][1:]
        version = browser.version
    shown, drawn = ([each[part] for each in times] for part in (0, 1))
    console().print(
        f"the page of {len(records)} records: {size / 1e6:.2f} MB (limit {LIMIT_BYTES / 1e6:.0f} MB)\n"
        f"tables, filters and runs are there after {_spread(shown)}, the first curves after {_spread(drawn)} "
        f"(limit {LIMIT_SEC:.0f} s)\n"
        f"median and range of {repeats} loads from a file in fresh profiles, Chromium {version}; "
        f"{provenance(torch.device('cpu'))}",
        soft_wrap=True,
    )


def _seconds(browser: "Browser", path: Path) -> tuple[float, float]:
    """Return the seconds from navigation until tables are there, and until curves are drawn as well."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{path.as_uri()}#curves")  # near the view, so that they are drawn at once
    page.wait_for_selector("#curves [data-drawn]")
    shown, drawn = page.evaluate(
        "['shown', 'drawn curves'].map((name) => performance.getEntriesByName(name)[0].startTime / 1000)"
    )
    context.close()
    return shown, drawn


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
