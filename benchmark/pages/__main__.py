"""Write the pages of the suites, their pictures and their index: python -m benchmark.pages."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmark import suites
from benchmark.commands import DEFAULT_RESULTS, chosen, run_app

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "suites"
OUTDATED = 1
"""Exit status of --check where a page is not what would be generated."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    suite: Annotated[str | None, typer.Option(help="Suites, by comma. [default: all]")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with status 1 where a page would change.")
    ] = False,
) -> None:
    """Write a page and a picture of each suite, and the index, into docs/suites."""
    names = chosen("suite", suite, suites.names())
    made = texts(names)
    outdated = outdated_files(FOLDER, made)
    if check:
        for name in outdated:
            print(f"docs/suites/{name} is not up to date; run: python -m benchmark.pages", file=sys.stderr)
        if outdated:
            raise typer.Exit(OUTDATED)
        print("docs/suites is up to date")
        return
    from benchmark.pages.picture import write_picture

    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for name in names:
        write_picture(name, FOLDER / f"{name}.png")
    print(f"{len(names)} pages are in {FOLDER}")


def texts(names: Iterable[str]) -> Mapping[str, str]:
    """Return the text of the index and of the suites' pages, by file name."""
    from benchmark.pages.facts import facts_of
    from benchmark.pages.index import index
    from benchmark.pages.page import page
    from benchmark.speed.rows import read
    from benchmark.speed.suite_costs import FILE, SuiteCost

    costs = read(ROOT / DEFAULT_RESULTS / FILE, SuiteCost)
    pages = {f"{name}.md": page(facts_of(name), costs) for name in names}
    return {"index.md": index(), **pages}


def outdated_files(folder: Path, made: Mapping[str, str]) -> list[str]:
    """Return which pages are not in a folder as they were made, and which have no picture."""
    pages = {name: folder / name for name in made}
    changed = [name for name, path in pages.items() if not path.exists() or path.read_text("utf-8") != made[name]]
    pictures = [path.with_suffix(".png") for name, path in pages.items() if name != "index.md"]
    return changed + [path.name for path in pictures if not path.exists()]


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.pages"))
