"""How long the report page of many records takes to load, by the browser's own clock, and how large it is."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmark.engine import tell
from benchmark.errors import UserError
from benchmark.report import browser
from benchmark.report.page.build import write_page
from benchmark.report.reading import Request, load, read_suite
from benchmark.report.session import page_source
from benchmark.speed import rows
from benchmark.speed.measurement import Measurement, conclude, load_average, measurement

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIMIT_SEC = 2.0
LIMIT_BYTES = 8_000_000


FILE = Path("speed") / "page.csv"
"""Where in the folder of results the measurements are."""


def lacking(suite: str, records: Path) -> str | None:
    """Return in one line what this machine lacks for the measurement; None where it can be made."""
    if reason := browser.lacking():
        return reason
    return None if load(_request(suite, records)).get(suite) else f"no records of suite {suite!r} in {records}"


def report(*, suite: str, repeats: int, records: Path, path: Path) -> None:
    """Measure the page of a suite's records, put its size and its seconds to load into a file and print them.

    Args:
        suite: Name of the suite.
        repeats: Times that the page is loaded, each in a fresh profile.
        records: Folder of results with the records.
        path: The file; measurements of other machines and suites stay in it.

    Raises:
        UserError: There are no records, or no browser.
    """
    rows.read(path, Measurement)  # a file of something else is refused before the work
    if reason := lacking(suite, records):
        raise UserError(reason)
    torch.set_num_threads(1)
    load_before = load_average()
    request = _request(suite, records)
    shown = read_suite(request, tell)
    with tempfile.TemporaryDirectory() as folder, browser.chromium() as running:
        page = Path(folder) / write_page(page_source(request, suite, shown), Path(folder))
        size = page.stat().st_size
        times = [_seconds(running, page) for _ in range(repeats + 1)][1:]
        version = running.version
    tables, curves = ([each[part] for each in times] for part in (0, 1))
    megabytes, limit = LIMIT_BYTES / 1e6, f"limit {LIMIT_SEC:.0f}"
    detail = f"{len(shown.records)} records, loaded from a file in fresh profiles of Chromium {version}"
    found = partial(measurement, load=load_before)
    kept = [
        found(f"MB of the page of {suite}", [size / 1e6], f"{len(shown.records)} records; limit {megabytes:.0f}"),
        found(f"seconds to tables, filters and runs of {suite}", tables, f"{detail}; {limit}"),
        found(f"seconds to the first curves of {suite}", curves, f"{detail}; {limit}"),
    ]
    conclude(kept, path)


def _request(suite: str, records: Path) -> Request:
    return Request(suite, False, "", (), (), 0, False, records, None)


def _seconds(running: "Browser", path: Path) -> tuple[float, float]:
    """Return the seconds from navigation until tables are there, and until curves are drawn as well."""
    context = running.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{path.as_uri()}#curves")  # near the view, so that they are drawn at once
    page.wait_for_selector("#curves [data-drawn]")
    shown, drawn = page.evaluate(
        "['shown', 'drawn curves'].map((name) => performance.getEntriesByName(name)[0].startTime / 1000)"
    )
    context.close()
    return shown, drawn
