"""Site pages from the files that a reader of the repository meets, so that no text stands twice."""

import ast
import inspect
import logging
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from markdown.extensions.toc import slugify
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
PICTURES = (".png", ".svg", ".jpg")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"(```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
ELSEWHERE = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?(?:https?:)?//[^>]*>")

log = logging.getLogger("mkdocs.hooks")


@dataclass(frozen=True)
class Source:
    """Where a page's text is from.

    Attributes:
        file: Path in the repository.
        sections: Titles of those of its sections that make the page; none for all that no other page takes.
    """

    file: str
    sections: tuple[str, ...] = ()


PAGES = {
    "index.md": Source("README.md"),
    "methods.md": Source("README.md", ("Methods", "What methods do to harmful tasks")),
    "protocol.md": Source("README.md", ("Protocol",)),
    "costs.md": Source("README.md", ("What things cost",)),
    "add-a-method.md": Source("CONTRIBUTING.md", ("Add a method",)),
    "add-a-suite.md": Source("CONTRIBUTING.md", ("Add a suite", "Add a data set")),
    "contributing.md": Source("CONTRIBUTING.md"),
    "use-the-library.md": Source("auxilearn/README.md"),
    "changelog.md": Source("CHANGELOG.md"),
    "results/digits.md": Source("results/reference/digits/table.md"),
}
DEPARTURES = "departures.md"
LEFT_OUT = {"README.md": ("Suites",)}
"""Sections that the site has in another form: a page of its own for each suite, and their index."""


def sections(text: str) -> dict[str, str]:
    """Return the parts of a text by the title of their second-level heading; what stands first has an empty one."""
    found, title, fenced = {"": ""}, "", False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            title = line[3:].strip()
            if title in found:
                raise ValueError(f"two sections are called {title!r}")
            found[title] = ""
        found[title] += line
    return found


def text_of(source: Source, root: Path = ROOT) -> str:
    """Return a page's text, its first heading of the first level.

    Raises:
        KeyError: The file has no section of a name.
    """
    parts = sections((root / source.file).read_text(encoding="utf-8"))
    if not source.sections:
        taken = {name for other in PAGES.values() if other.file == source.file for name in other.sections}
        taken.update(LEFT_OUT.get(source.file, ()))
        return "".join(part for name, part in parts.items() if name not in taken)
    first, *others = (parts[name] for name in source.sections)
    if not others:
        first = re.sub(r"^##(?=#+ )", "#", first, flags=re.MULTILINE)
    return first.removeprefix("#") + "".join(others)


def slugs(text: str) -> Iterator[str]:
    """Yield the anchors of a text's headings."""
    for heading in re.findall(r"^#+ (.+)$", CODE.sub(lambda m: "" if m[0].startswith("```") else m[0], text), re.M):
        yield slugify(re.sub(r"[`*]", "", heading), "-")


def page_of(file: str, anchor: str, root: Path = ROOT) -> tuple[str, str] | None:
    """Return page and anchor on the site for a file and an anchor of the repository; None if it is no page."""
    if file.startswith(DOCS):
        return file.removeprefix(DOCS), anchor
    pages = [name for name, source in PAGES.items() if source.file == file]
    for name in pages:
        headings = list(slugs(text_of(PAGES[name], root)))
        if anchor in headings:
            return name, "" if anchor == headings[0] else anchor
    if file == "README.md" and anchor == "suites":
        return "suites/index.md", ""
    rest = [name for name in pages if not PAGES[name].sections]
    return (rest[0], anchor) if rest else None


def rewritten(text: str, page: str, root: Path = ROOT, pictures: dict[str, Path] | None = None) -> str:
    """Return a page's text with the links of its source turned into links of the site.

    Args:
        text: Markdown.
        page: Path of the page on the site.
        root: The repository.
        pictures: Gets the pictures outside `docs` by their path on the site.
    """
    file = PAGES[page].file if page in PAGES else DOCS + page

    def link(match: re.Match[str]) -> str:
        bang, label, target = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        path, _, anchor = target.partition("#")
        there = posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) if path else file
        if not (root / there).exists():
            log.warning("%s links to %s, which is not there", file, target)
            return match[0]
        if there.endswith(PICTURES) and not there.startswith(DOCS):
            place = f"assets/{there}"
            if pictures is not None:
                pictures[place] = root / there
        elif found := page_of(there, anchor, root):
            place, anchor = found
        else:  # a file of code: named, as the site has no copy of it
            return label if "`" in label else f"`{label}`"
        relative = posixpath.relpath(place, posixpath.dirname(page) or ".") if place != page else ""
        target = relative or ("" if anchor else posixpath.basename(page))
        return f"{bang}[{label}]({target}{'#' * bool(anchor)}{anchor})"

    parts = CODE.split(text)
    return "".join(part if CODE.fullmatch(part) else LINK.sub(link, part) for part in parts)


def expanded(nav: list[Any], there: list[str]) -> list[Any]:
    """Return the navigation with each pattern replaced by the pages that nothing else in it names."""
    named = set(_named(nav))

    def expand(items: list[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, dict):
                ((title, value),) = item.items()
                yield {title: list(expand(value)) if isinstance(value, list) else value}
            elif "*" in item:
                same_folder = (p for p in there if fnmatch(p, item) and p.count("/") == item.count("/"))
                yield from sorted(set(same_folder) - named)
            else:
                yield item

    return list(expand(nav))


def departures(root: Path = ROOT) -> str:
    """Return a page with what each method's docstring says of where it differs from its source."""
    parts = ["# Departures of every method", "From the docstrings in `baselines/`, a file a method."]
    for path in sorted((root / "baselines").glob("[!_]*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            text = inspect.cleandoc(ast.get_docstring(node) or "") if isinstance(node, ast.ClassDef) else ""
            first, *others = text.split("\n\n")
            if told := [other for other in others if other.startswith("Departures:")]:
                said = " ".join(told[0].removeprefix("Departures:").split())
                parts += [f"## `{path.stem.replace('_', '-')}`", f"{first}\n", said[:1].upper() + said[1:]]
    return "\n\n".join(parts) + "\n"


def _named(nav: list[Any]) -> Iterator[str]:
    for item in nav:
        value = next(iter(item.values())) if isinstance(item, dict) else item
        yield from _named(value) if isinstance(value, list) else (value,)


def on_config(config: Any) -> None:
    """Expand the patterns of the navigation."""
    docs = Path(config.docs_dir)
    there = [*PAGES, DEPARTURES, *(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))]
    config.nav = expanded(config.nav, there)


def on_files(files: Files, config: Any) -> None:
    """Add the pages made from other files."""
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=text_of(source)))
    files.append(File.generated(config, DEPARTURES, content=departures()))


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Turn links of the repository into links of the site, and add the pictures they show."""
    pictures: dict[str, Path] = {}
    text = rewritten(markdown, page.file.src_uri, pictures=pictures)
    for place, path in pictures.items():
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return text


def on_post_page(output: str, page: Page, config: Any) -> None:
    """Warn of what a reader's browser would fetch from elsewhere."""
    for found in ELSEWHERE.findall(output):
        log.warning("%s fetches from elsewhere: %s", page.file.src_uri, found)
