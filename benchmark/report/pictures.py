"""Pictures of the page and of the searches for the documentation: python -m benchmark.report.pictures."""

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.commands import DEFAULT_RESULTS, run_app
from benchmark.errors import UserError
from benchmark.report.browser import chromium, draw, wait_for_tables

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK: dict[str, Any] = {"viewport": {"width": 1100, "height": 780}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}
SUITE = "digits"
DASHBOARD_PORT = 8099
PATIENCE_SEC = 60

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    results_dir: Annotated[Path, typer.Option(help="Folder of the results of suite digits.")] = DEFAULT_RESULTS
    / "reference",
    journal: Annotated[
        Path | None, typer.Option(help="A studies.journal, to picture optuna-dashboard on it. [default: none]")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("docs") / "report",
) -> None:
    """Take pictures of the report page, light, dark and on a phone, and of optuna-dashboard."""
    from benchmark.engine import tell
    from benchmark.report.page.build import write_page
    from benchmark.report.reading import Request, read_suite
    from benchmark.report.session import page_source

    request = Request(SUITE, False, "", (), (), 0, False, results_dir, None)
    found = read_suite(request, tell)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / write_page(page_source(request, SUITE, found), Path(folder))
        take(browser, path.as_uri(), output)
        if journal is not None:
            with dashboard(journal) as address:
                take_dashboard(browser, address, output)


def take(browser: "Browser", address: str, output: Path) -> None:
    """Picture the page at an address."""
    with browser.new_context(**DESK) as context:
        page = _open(context.new_page(), f"{address}#?sort=m:top1&order=down")
        page.screenshot(path=output / "page-light.png")
        _section(page, "curves").screenshot(path=output / "page-curves.png")
        _section(page, "cost").screenshot(path=output / "page-cost.png")
        page.locator("#runs-table tbody button").first.click()
        page.wait_for_selector("#record-text:has-text('digest')")
        page.screenshot(path=output / "page-record.png")
    with browser.new_context(**DESK, color_scheme="dark") as context:
        page = _open(context.new_page(), f"{address}#?q=auxilearn-")
        _section(page, "curves")
        page.locator("#results").scroll_into_view_if_needed()
        page.screenshot(path=output / "page-dark.png")
    with browser.new_context(**PHONE) as context:
        page = _open(context.new_page(), f"{address}#?sort=m:top1&order=down")
        page.locator("#results").evaluate("(found) => found.scrollIntoView()")
        page.screenshot(path=output / "page-phone.png")


def _open(page: "Page", address: str) -> "Page":
    page.goto(address)
    wait_for_tables(page)
    return page


def _section(page: "Page", name: str) -> Any:
    draw(page, name)
    return page.locator(f"#{name}")


@contextmanager
def dashboard(journal: Path) -> Iterator[str]:
    """Serve a journal by optuna-dashboard and yield its address.

    Raises:
        UserError: There is no such file, or no optuna-dashboard.
    """
    program = Path(sys.executable).with_name("optuna-dashboard")
    if not journal.is_file() or not program.exists():
        missing = "such journal" if program.exists() else "optuna-dashboard; pip install optuna-dashboard"
        raise UserError(f"there is no {missing}")
    process = subprocess.Popen(
        [program, journal, "--port", str(DASHBOARD_PORT)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{DASHBOARD_PORT}/"
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    end = time.monotonic() + PATIENCE_SEC
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise UserError(f"optuna-dashboard does not answer at {address}") from None
            time.sleep(0.2)


def take_dashboard(browser: "Browser", address: str, output: Path) -> None:
    """Picture the list of searches, and the first one."""
    with browser.new_context(**DESK) as context:
        page = context.new_page()
        page.goto(address)
        first = page.locator(f"a:has-text('{SUITE}/')").first
        first.wait_for()
        page.screenshot(path=output / "optuna-studies.png")
        first.click()
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=output / "optuna-study.png")


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.report.pictures"))
