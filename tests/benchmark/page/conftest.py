"""A browser, and pages of real records and of the toy suite's."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmark.errors import UserError
from benchmark.plan import Arm, Options, make_plan
from benchmark.record import Record, Store
from benchmark.report.browser import chromium
from benchmark.report.page.build import write_page
from benchmark.report.page.source import Source, read_lines
from benchmark.report.suites import Plan
from benchmark.tables.gather import gather
from tests.benchmark.helpers import ROOT
from tests.benchmark.page.browser import opened

REFERENCE = ROOT / "results" / "reference" / "digits"

COMMANDS = [("Run", "python -m benchmark.run --suite toy")]

MakePage = Callable[[Sequence[Arm], Iterable[Record]], Path]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(chromium())
        except UserError as error:
            pytest.skip(f"{error}; .ci/chromium does where it may")
        yield running


@pytest.fixture(scope="package")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the 1,064 records that the repository carries."""
    arms = make_plan(Options("digits", methods=("all",), seeds=10))
    folder = tmp_path_factory.mktemp("reference")
    return folder / write_page(source_of(arms, REFERENCE), folder)


@pytest.fixture
def page(browser: Browser, reference: Path) -> Iterator[Page]:
    """Return that page, opened."""
    with opened(browser, reference) as found:
        yield found


@pytest.fixture
def make_page(tmp_path: Path) -> MakePage:
    """Return a function that writes records and the page of them."""

    def make(arms: Sequence[Arm], records: Iterable[Record]) -> Path:
        with Store(tmp_path).writing() as store:
            for record in records:
                store.append(record)
        return tmp_path / write_page(source_of(arms, tmp_path), tmp_path)

    return make


def source_of(arms: Sequence[Arm], folder: Path) -> Source:
    """Return what a page is made from where the records of `arms` lie in `folder`."""
    store = Store(folder)
    store.read()
    return Source([Plan(gather(arms, store.records), arms)], store.records, read_lines([store.path]), COMMANDS)
