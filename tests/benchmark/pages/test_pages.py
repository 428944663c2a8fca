"""The committed pages are what the code and the measurements say, and every suite has one."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmark import suites
from benchmark.commands import run_app
from benchmark.pages import __main__ as command
from benchmark.pages.index import readme
from tests.benchmark.helpers import Ended, png_size

NAMES = suites.names()
MOST_PICTURE_BYTES = 300_000
LINK = re.compile(r"\]\(([^)\s]+)\)")


def committed(name: str) -> str:
    return (command.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_up_to_date(name: str) -> None:
    (text,) = (text for file, text in command.texts([name]).items() if file == f"{name}.md")
    assert committed(f"{name}.md") == text, "run: python -m benchmark.pages"


def test_the_index_is_up_to_date_and_has_every_suite() -> None:
    assert committed("index.md") == command.texts([])["index.md"], "run: python -m benchmark.pages"
    assert re.findall(r"^\| \[`([\w-]+)`\]\(([\w-]+)\.md\)", committed("index.md"), re.M) == [(n, n) for n in NAMES]
    assert re.findall(r"^\| \[`[\w-]+`\]\(docs/suites/([\w-]+)\.md\)", readme(), re.M) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_a_small_png(name: str) -> None:
    path = command.FOLDER / f"{name}.png"
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert path.stat().st_size < MOST_PICTURE_BYTES
    width, height = png_size(path)
    assert 800 < width < 1200
    assert 200 < height < 1500


def test_no_page_is_left_of_a_suite_that_is_gone() -> None:
    files = {path.name for path in command.FOLDER.iterdir()}
    assert files == {"index.md", *(f"{name}.{suffix}" for name in NAMES for suffix in ("md", "png"))}


@pytest.mark.parametrize("name", ["index", *NAMES])
def test_links_resolve(name: str) -> None:
    for link in LINK.findall(committed(f"{name}.md")):
        if urlsplit(link).scheme:
            assert urlsplit(link).scheme in ("http", "https"), link
            assert urlsplit(link).hostname, link
        else:
            assert (command.FOLDER / link).is_file(), link


# the command

Cli = Callable[..., Ended]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setattr(command, "FOLDER", tmp_path / "suites")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pages", *arguments])
        status = run_app(command.app, "python -m benchmark.pages")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


def test_the_command_writes_and_check_compares(cli: Cli, tmp_path: Path) -> None:
    ended = cli("--suite", "noisy-auxiliaries", "--check")
    assert ended.status == 1
    assert "docs/suites/index.md is not up to date; run: python -m benchmark.pages\n" in ended.err
    assert not (tmp_path / "suites").exists()
    assert cli("--suite", "noisy-auxiliaries").status == 0
    assert {path.name for path in (tmp_path / "suites").iterdir()} == {
        "index.md", "noisy-auxiliaries.md", "noisy-auxiliaries.png"
    }  # fmt: skip
    assert cli("--suite", "noisy-auxiliaries", "--check") == Ended(0, "docs/suites is up to date\n", "")
    page = tmp_path / "suites" / "noisy-auxiliaries.md"
    page.write_text(page.read_text().replace("500", "501", 1))
    assert "noisy-auxiliaries.md is not up to date" in cli("--suite", "noisy-auxiliaries", "--check").err
    assert cli("--suite", "noisy-auxiliaries").status == 0
    (tmp_path / "suites" / "noisy-auxiliaries.png").unlink()
    assert "noisy-auxiliaries.png is not up to date" in cli("--suite", "noisy-auxiliaries", "--check").err


def test_an_unknown_suite_is_one_line(cli: Cli) -> None:
    ended = cli("--suite", "nothing")
    assert ended.status == 2
    assert ended.err.startswith("error: unknown suite 'nothing'; choose one of: ")
    assert ended.err.count("\n") == 1
