"""The commands that results/README.md and its like print are those that the committed records were made by."""

import functools
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from benchmark import suites
from benchmark.findings.runs import final_runs, records_of
from benchmark.planned import PLANS, Planned, read_plans
from benchmark.record import Record, Store
from benchmark.report.experiments import unasked
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT
from tests.benchmark.markdown import fences

PAGES = ("results/README.md", "docs/faithful.md")
ECHO = 'python() { printf "%s\\0" "$@"; printf "\\n"; }\n'
"""A shell function that prints what python is given."""

GENERATED = ("digits", "illustrative", "noisy-auxiliaries")
"""Suites whose data are always at hand."""


@functools.cache
def commands(page: str) -> list[list[str]]:
    """Return the arguments of all runs that a page prints, as a shell hands them over."""
    text = (ROOT / page).read_text(encoding="utf-8")
    script = "\n".join([ECHO, *fences(text, "bash")])
    shown = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True
    ).stdout
    words = [line.split("\0")[:-1] for line in shown.splitlines()]
    return [each[2:] for each in words if each[:2] == ["-m", "benchmark.run"] and "--results-dir" in each]


def option(words: list[str], name: str) -> str:
    """Return the value of an option; empty where it is not given."""
    return words[words.index(name) + 1] if name in words else ""


def is_asked_for(record: Record, words: list[str]) -> bool:
    """Return whether a run has the length, the controls and the values of hyper-parameters that a command gives."""
    hyper, controls = dict(record.spec.hyper), option(words, "--controls")
    length = option(words, "--epochs")
    if length and record.spec.epochs != int(length):
        return False
    if set(record.spec.controls) != set(filter(None, controls.split(","))):
        return False
    for name, value in pairwise(words):
        if name in ("--set", "--grid"):
            full, _, texts = value.partition("=")
            method, _, key = full.rpartition(".")
            if method in ("", record.spec.method) and key in hyper and not same(hyper[key], texts.split(",")):
                return False
    return True


def same(value: object, texts: list[str]) -> bool:
    """Return whether a value is one of those that a command gives as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return any(float(text) == value for text in texts)
    return str(value).lower() in texts


@pytest.fixture(autouse=True, scope="module")
def _each_file_is_read_once() -> Iterator[None]:
    """Let the many commands that ask for the same records share them: they are frozen, and nothing adds to them."""
    read, known = Store.read, dict[tuple[Path, bool], dict[str, Record]]()

    def once(store: Store, *, failed: bool = False) -> None:
        key = store.path.resolve(), failed
        if key not in known:
            read(store, failed=failed)
            known[key] = store.records
        store.records = dict(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "read", once)
        yield


CASES = [(page, shlex.join(words)) for page in PAGES for words in commands(page)]


def test_pages_print_commands() -> None:
    folders = {option(words, "--results-dir") for page in PAGES for words in commands(page)}
    assert folders == {f"results/{path.parent.parent.name}" for path in ROOT.glob("results/*/*/records.jsonl")}


@pytest.mark.parametrize("suite", GENERATED)
def test_a_run_without_anything_left_writes_the_tables_that_are_committed(suite: str, cli: Cli, tmp_path: Path) -> None:
    line = next(line for _, line in CASES if f"--suite {suite} " in line and line.endswith("results/reference"))
    shutil.copytree(ROOT / "results/reference" / suite, tmp_path / suite)
    ended = cli(*shlex.split(line)[:-1], tmp_path, "--workers", "0", "--wandb", "disabled")
    assert ended.status == 0, ended.err
    for name in (PLANS, "table.md", "table.tex", "table.html", "table.csv", "comparison.csv"):
        assert (tmp_path / suite / name).read_text() == (ROOT / "results/reference" / suite / name).read_text(), name


@pytest.mark.parametrize(("page", "line"), CASES)
def test_every_run_of_a_command_is_committed(page: str, line: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line)
    suite, folder = option(words, "--suite"), option(words, "--results-dir")
    if suite in GENERATED:
        monkeypatch.chdir(ROOT)
        ended = cli(*words, "--dry-run", "--workers", "0")
        assert ended.status == 0, ended.err
        assert " 0 left" in ended.out
    else:  # whose plan needs the data
        runs = [record for record in final_runs(ROOT / folder / suite) if is_asked_for(record, words)]
        settings = option(words, "--settings") or ",".join(suites.load(suite).settings)
        for setting in settings.split(","):
            for method in option(words, "--methods").split(","):
                seeds = {r.spec.seed for r in runs if (r.spec.setting, r.spec.method) == (setting, method)}
                assert len(seeds) >= int(option(words, "--seeds")), (setting, method)


def says(plan: Planned, words: list[str]) -> bool:
    """Return whether a plan is what a command asks for, as far as the command says it."""
    values = [value.partition("=") for name, value in pairwise(words) if name in ("--set", "--grid")]
    numbers = {"seeds": plan.seeds, "epochs": plan.epochs, "trials": plan.trials, "sampler-seed": plan.sampler_seed}
    asked = option(words, "--methods"), option(words, "--settings")
    return (
        plan.values == {name: tuple(texts.split(",")) for name, _, texts in values}
        and plan.controls == tuple(filter(None, option(words, "--controls").split(",")))
        and all(option(words, f"--{name}") in ("", str(number)) for name, number in numbers.items())
        and all(asked[0] in ("all", ",".join(names)) for names in plan.methods.values())
        and asked[1] in ("", ",".join(plan.methods))
    )


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("results/*/*/records.jsonl")), ids=lambda path: path.parent.relative_to(ROOT).as_posix()
)
def test_every_command_left_its_line_and_nothing_else_did(path: Path) -> None:
    suite, folder = path.parent.name, f"results/{path.parent.parent.name}"
    given = [(option(line.split(), "--suite"), option(line.split(), "--results-dir")) for _, line in CASES]
    plans, records = read_plans(path.with_name(PLANS)), records_of(path.parent)
    words = [shlex.split(line) for (_, line), each in zip(CASES, given, strict=True) if each == (suite, folder)]
    assert len(plans) == len(words)
    assert all(any(says(plan, each) for plan in plans) for each in words)
    assert {plan.data for plan in plans} == {record.spec.data for record in records}
    assert not unasked(suite, records, plans)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("results/*/*/records.jsonl")), ids=lambda path: path.parent.relative_to(ROOT).as_posix()
)
def test_every_committed_run_is_one_of_a_command(path: Path) -> None:
    suite, folder = path.parent.name, f"results/{path.parent.parent.name}"
    asking = [
        words
        for page in PAGES
        for words in commands(page)
        if (option(words, "--suite"), option(words, "--results-dir")) == (suite, folder)
    ]

    def is_named(name: str, words: list[str], value: str) -> bool:
        return option(words, name) in ("", "all") or value in option(words, name).split(",")

    def is_of(record: Record, words: list[str]) -> bool:
        method, setting = (is_named(f"--{name}s", words, getattr(record.spec, name)) for name in ("method", "setting"))
        return method and setting and is_asked_for(record, words)

    stray = [r.spec for r in records_of(path.parent) if not any(is_of(r, words) for words in asking)]
    assert not stray
