"""What the documentation names is there: files, anchors, options, commands, tests, measured numbers."""

import importlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import typer
import yaml
from scipy import stats

from benchmark import suites
from benchmark.spec import PROTOCOL
from tests.benchmark.markdown import ROOT, anchors, documents, links, pieces

COMMAND = re.compile(r"python -m benchmark\.(\w+(?:\.\w+)*)(?: ([a-z]+)\b)?")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OTHER_PROGRAM = re.compile(r"(#SBATCH|dask|wandb|optuna-dashboard|sbatch|srun|ssh|mkdocs|git|.*\bpip) ")
OF_OTHERS = {"--partial-data", "--gres", "--mem", "--name", "--cpus-per-task", "--no-nanny"}
"""Options of the public code that `faithful.md` speaks of, and in `cluster.md` of Slurm's sbatch and of dask worker."""

EVERY_DOCUMENT = pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())


@EVERY_DOCUMENT
def test_links_lead_to_files_and_headings(path: Path) -> None:
    wrong = []
    for target in links(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            wrong.append(target)
    assert not wrong, f"{path.name} links to what is not there"


@cache
def command(module: str) -> Any:
    """Return the command line of `python -m benchmark.<module>`."""
    found = importlib.import_module(f"benchmark.{module}")
    app = getattr(found, "app", None) or importlib.import_module(f"benchmark.{module}.__main__").app
    return typer.main.get_command(app)


def options(found: Any) -> set[str]:
    """Return the options of a command and of its sub-commands."""
    own = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    return own.union(*(options(other) for other in getattr(found, "commands", {}).values()))


def wrong_options(text: str, known: set[str]) -> Iterator[str]:
    """Yield the options in a text's code that its command has not, or no command where none stands beside them."""
    for piece in pieces(text):
        if OTHER_PROGRAM.match(piece.strip()):
            continue
        named = COMMAND.search(piece)
        allowed = known
        if named:
            module, sub = named.groups()
            found = command(module)
            allowed = options(getattr(found, "commands", {}).get(sub or "", found))
            piece = piece[named.start() :]
        yield from (f"{option} in {piece!r}" for option in OPTION.findall(piece) if option not in allowed | OF_OTHERS)


def commands_in(text: str) -> set[str]:
    return {match[1] for match in COMMAND.finditer(text)}


@EVERY_DOCUMENT
def test_options_belong_to_a_command(path: Path) -> None:
    everything = " ".join(other.read_text(encoding="utf-8") for other in documents())
    known = set().union(*(options(command(module)) for module in commands_in(everything)))
    assert not list(wrong_options(path.read_text(encoding="utf-8"), known))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`--no-such-option`", 1),
        ("`python -m benchmark.run --verify`", 1),  # an option of another command
        ("`python -m benchmark.prepare --verify`", 0),
        ("```bash\npython -m benchmark.speed methods --variants\n```", 0),
        ("```bash\npython -m benchmark.speed data --variants\n```", 1),
        ("`dask worker --nthreads 1`, `--workers`, a -- dash", 0),
    ],
)
def test_an_option_that_is_gone_is_found(text: str, wrong: int) -> None:
    assert len(list(wrong_options(text, options(command("run"))))) == wrong


@EVERY_DOCUMENT
def test_suites_that_commands_name_exist(path: Path) -> None:
    named = re.findall(r"--suite ([\w-]+)", path.read_text(encoding="utf-8"))
    assert set(named) <= {*suites.names(), "my-suite", "circle"}


def test_tests_that_pages_name_exist() -> None:
    named = [
        found
        for path in documents()
        for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text(encoding="utf-8"))
    ]
    assert len(named) > 15
    for file, function in named:
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{function}"


def test_what_the_protocol_cites_is_where_it_says() -> None:
    named = re.findall(r"`([\w.]+)` in\s+\[([\w/]+\.py)\]", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(named) >= 10
    for name, file in named:
        kind = re.compile(rf"^ *(?:def|class) {name.rpartition('.')[2]}\b", re.MULTILINE)
        assert kind.search((ROOT / file).read_text(encoding="utf-8")), f"{name} is not in {file}"


def test_the_navigation_has_every_page_and_no_page_twice() -> None:
    hooks = pytest.importorskip("docs.hooks", exc_type=ImportError)
    docs = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    made = {*hooks.PAGES, hooks.DEPARTURES}
    assert not docs & made, "a page is written and made"
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = list(hooks._named(hooks.expanded(nav, sorted(docs | made))))
    assert sorted(named) == sorted(docs | made)


def test_the_protocols_number_is_the_changelogs() -> None:
    assert f"## Protocol {PROTOCOL} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# numbers


def test_the_cosines_are_those_of_the_records() -> None:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in (ROOT / "results/reference/digits/records.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line) if '"auxilearn-' in line else {}
        rows = [row["diagnostics"]["cosine_to_identity"] for row in record.get("epochs", ()) if row["diagnostics"]]
        if rows:
            found[record["spec"]["method"]][record["spec"]["phase"]] += rows
    page = (ROOT / "docs/faithful.md").read_text(encoding="utf-8")
    assert len(found) == 3
    for method, phases in found.items():
        cells = [f"{value:.4f}" for phase in ("final", "search") for value in (mean(phases[phase]), min(phases[phase]))]
        assert f"| `{method}` | {' | '.join(cells)} |" in page


def test_how_far_three_seeds_reach() -> None:
    page = " ".join((ROOT / "docs/how-to-read-a-table.md").read_text(encoding="utf-8").split())
    three, ten = (f"{stats.t.ppf(0.975, seeds - 1):.2f}" for seeds in (3, 10))
    assert f"{three} standard errors to either side, not 2; with ten runs it is {ten}" in page
