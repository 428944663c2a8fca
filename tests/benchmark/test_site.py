"""The site's pages are the repository's own text, whole, with links that lead somewhere."""

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest

import baselines
from tests.benchmark.markdown import ROOT

hooks = pytest.importorskip("docs.hooks", exc_type=ImportError, reason="the documentation's tools are not installed")


@pytest.mark.parametrize("file", sorted({source.file for source in hooks.PAGES.values()}))
def test_every_section_is_on_one_page(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    pages = [hooks.text_of(source) for source in hooks.PAGES.values() if source.file == file]
    for title, part in hooks.sections(text).items():
        if title not in hooks.LEFT_OUT.get(file, ()):
            lines = [line for line in part.splitlines()[1:] if line and not line.startswith("#")]
            assert sum(all(line in page for line in lines) for page in pages) == 1 or not lines, title
    assert all(page.startswith("# ") for page in pages)


def test_a_heading_within_code_begins_no_section() -> None:
    text = "# Title\n\n## One\n\n```\n## no section\n```\n\n## Two\n"
    assert list(hooks.sections(text)) == ["", "One", "Two"]
    assert "".join(hooks.sections(text).values()) == text


@pytest.mark.parametrize(
    ("page", "file", "text", "expected"),
    [
        ("index.md", "README.md", "[a](docs/cluster.md)", "[a](cluster.md)"),
        ("index.md", "README.md", "[a](docs/suites/cub.md)", "[a](suites/cub.md)"),
        ("index.md", "README.md", "[a](CONTRIBUTING.md#add-a-suite)", "[a](add-a-suite.md)"),
        ("index.md", "README.md", "[a](CONTRIBUTING.md#add-a-data-set)", "[a](add-a-suite.md#add-a-data-set)"),
        ("index.md", "README.md", "[a](CONTRIBUTING.md)", "[a](contributing.md)"),
        ("index.md", "README.md", "[a](#methods)", "[a](methods.md)"),
        ("index.md", "README.md", "[a](#suites)", "[a](suites/index.md)"),
        ("protocol.md", "README.md", "[a](benchmark/data.py)", "`a`"),  # the site has no copy of the code
        ("protocol.md", "README.md", "[`a`](benchmark/data.py)", "`a`"),
        ("suites/cub.md", "docs/suites/cub.md", "[a](../cluster.md)", "[a](../cluster.md)"),
        ("suites/cub.md", "docs/suites/cub.md", "[a](../../README.md#methods)", "[a](../methods.md)"),
        ("suites/cub.md", "docs/suites/cub.md", "![a](cub.png)", "![a](cub.png)"),
        ("index.md", "README.md", "[a](https://arxiv.org/abs/1)", "[a](https://arxiv.org/abs/1)"),
        ("index.md", "README.md", "`[a](docs/cluster.md)`", "`[a](docs/cluster.md)`"),
        ("faithful.md", "docs/faithful.md", "[a](#what-moves-numbers)", "[a](#what-moves-numbers)"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(page: str, file: str, text: str, expected: str) -> None:
    assert hooks.rewritten(text, page, file) == expected


def test_pictures_outside_the_folder_come_along() -> None:
    found: dict[str, Any] = {}
    picture = "results/reference/digits/weights.png"
    text = hooks.rewritten(f"![a]({picture})", "index.md", "README.md", pictures=found)
    assert text == f"![a](assets/{picture})"
    assert found == {f"assets/{picture}": ROOT / picture}


def test_a_link_to_nothing_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        hooks.rewritten("[a](no-such-file.md)", "index.md", "README.md")
    assert "README.md links to no-such-file.md, which is not there" in caplog.text


def test_patterns_of_the_navigation_take_what_nothing_else_names() -> None:
    nav = ["b.md", {"More": ["*.md"]}, {"Suites": ["s/index.md", "s/*.md"]}]
    there = ["a.md", "b.md", "s/index.md", "s/x.md", "s/x-y.md"]
    expected = ["b.md", {"More": ["a.md"]}, {"Suites": ["s/index.md", "s/x.md", "s/x-y.md"]}]
    assert hooks.expanded(nav, there) == expected


@pytest.mark.parametrize(
    ("html", "warned"),
    [
        ('<script src="https://unpkg.com/x"></script>', True),
        ('<link rel="stylesheet" href="//fonts.example/css">', True),
        ('<img alt="" src="https://example.org/x.png">', True),
        ('<a href="https://arxiv.org/abs/1">a link</a><script src="assets/x.js"></script>', False),
    ],
)
def test_what_a_browser_would_fetch_from_elsewhere_is_a_warning(
    html: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri="x.md"))
    with caplog.at_level(logging.WARNING):
        hooks.on_post_page(html, page, None)
    assert ("fetches from elsewhere" in caplog.text) == warned


def test_every_method_says_its_departures() -> None:
    headings = re.findall(r"^## `(.+)`$", hooks.departures(), re.MULTILINE)
    assert headings == baselines.names()
