"""What a test reads in the documentation: files, code, links and headings of Markdown."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)


def documents() -> list[Path]:
    """Return every page that a reader of the repository or the site meets."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "auxilearn/README.md", "results/README.md")
    return [*(ROOT / name for name in names), *sorted((ROOT / "docs").rglob("*.md"))]


def fences(text: str, language: str | None = None) -> list[str]:
    """Return the blocks of code, of one language if one is asked for."""
    return [body for name, body in FENCE.findall(text) if language in (None, name)]


def pieces(text: str) -> Iterator[str]:
    """Yield each line of each block of code, and each piece of code within a line."""
    for body in fences(text):
        yield from body.replace("\\\n", " ").splitlines()
    yield from SPAN.findall(FENCE.sub("", text))


def links(text: str) -> list[str]:
    """Return the targets of links and pictures outside code."""
    prose = SPAN.sub("", re.sub(r"\[(`[^`]*`)\]", "[code]", FENCE.sub("", text)))
    return [inline or defined for inline, defined in LINK.findall(prose)]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
