"""The command line with a budget of trials, and with a storage whose URL has a password."""

import logging
import shlex
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmark import driver, train
from benchmark.display import Display
from benchmark.record import Record
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, lines, results

HERE = ("--workers", "0", "--wandb", "disabled")
PLAN = ("--suite", "toy", "--settings", "few", "--epochs", "1", *HERE)
BUDGET = ("--protocol", "equal-budget", "--trials", "3")
SECRETS = ("s3cr3t", "p%40ss", "p@ss")
URLS = (
    "postgresql://me:s3cr3t@host:5432/studies",
    "mysql+pymysql://me:p%40ss@host/studies",
    "postgresql://host/studies?user=me&password=s3cr3t",
    "sqlite:///studies.db?password=p%40ss",
)


def check_no_secret(*texts: str | bytes) -> None:
    for text in texts:
        data = text.encode() if isinstance(text, str) else text
        assert not [secret for secret in SECRETS if secret.encode() in data]


def test_a_budget_from_search_to_table_and_nothing_twice(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*PLAN, *BUDGET, "--results-dir", tmp_path)
    first = cli(*arguments)
    assert first.status == 0, first.err
    assert "(equal-budget: 3 trials a method, failed ones included, by the sampler tpe)" in first.out
    assert "3 tpe" in first.out
    found = [(line["spec"]["phase"], line["spec"]["search"]) for line in lines(tmp_path, "toy")]
    assert [phase for phase, _ in found].count("search") == 2 * 3
    assert {search["trials"] for phase, search in found if phase == "final"} == {3}
    assert {name for line in lines(tmp_path, "toy") for name in line["spec"]["hyper"]} == {"lr", "weight_decay"}
    monkeypatch.setattr(train, "run", None)
    second = cli(*arguments)
    assert (second.status, second.out, second.err) == (0, first.out, "")


def test_the_two_protocols_never_share_a_row(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    where = ("--results-dir", tmp_path)
    grid = cli(*PLAN, *where)
    table = (tmp_path / "toy" / "table.md").read_text()
    assert "equal-budget" not in grid.out
    before = results(tmp_path, "toy")
    budget = cli(*PLAN, *BUDGET, "--sampler", "random", "--methods", "stl", *where)
    assert budget.status == 0, budget.err
    assert "equal " not in budget.out, "a method of the other protocol is no row of this one's table"
    assert len(results(tmp_path, "toy")) == len(before) + 3 + 2
    again = cli(*PLAN, *where)
    assert (again.out, (tmp_path / "toy" / "table.md").read_text()) == (grid.out, table)


def test_a_missing_cell_names_a_command_that_fills_it(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    def stop(display: Display, record: Record) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver.Display, "done", stop)
        options = ("--storage", f"sqlite:///{tmp_path}/studies.db", "--methods", "stl", "--sampler", "random")
        stopped = cli(*PLAN, *BUDGET, *options, "--results-dir", tmp_path)
    assert stopped.status == 130
    (line,) = [
        line for line in (tmp_path / "toy" / "table.md").read_text().splitlines() if "final runs missing" in line
    ]
    words = shlex.split(line.partition("python -m benchmark.run ")[2])
    assert "sqlite" not in line
    assert "final runs missing; run, with the same --storage as before: python" in line
    ended = cli(*words, *HERE)
    assert ended.status == 0, ended.err
    assert "final runs missing" not in ended.out
    assert len(results(tmp_path, "toy")) == 3 + 2


def test_a_dry_run_says_what_is_searched(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    words = ("--grid", "stl.lr=0.1,0.3", "--set", "equal.weight_decay=0", "--dry-run", "--results-dir", tmp_path)
    ended = cli(*PLAN, *BUDGET, *words)
    assert ended.status == 0, ended.err
    assert "stl searches lr 0.1, 0.3; weight_decay 0 to 0.01 (uniform)" in ended.out
    assert "equal searches lr 0.01 to 0.1 (logarithmic), has weight_decay=0.0\n" in ended.out
    assert f"{2 * (3 + 2)} runs, 10 left" in ended.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_without_optuna_trials_are_random(
    sampler: str, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_optuna, without = tmp_path / "with", tmp_path / "without"
    options = (*PLAN, *BUDGET, "--sampler", sampler, "--results-dir")
    cli(*options, with_optuna)
    monkeypatch.setattr(driver, "open_storage", lambda url, folder: None)
    ended = cli(*options, without)
    if sampler == "random":
        assert results(without, "toy") == results(with_optuna, "toy")
    else:
        assert ended.status == 2
        assert ended.err == "error: the sampler tpe needs optuna, which is not installed; use --sampler random\n"
        assert not list(without.rglob("*"))


@pytest.mark.parametrize("protocol", [(), BUDGET])
@pytest.mark.parametrize("url", URLS)
def test_a_storage_that_cannot_be_opened_is_told_without_its_password(
    url: str, protocol: tuple[str, ...], toy: Toy, cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(asked: str) -> None:
        raise RuntimeError(f"cannot connect to {asked}, password p@ss")

    caplog.set_level(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optuna.storages, "get_storage", refuse)
        ended = cli(*PLAN, *protocol, "--storage", url, "--results-dir", tmp_path / "results")
    assert ended.status == 2
    assert ended.err.startswith("error: --storage cannot be opened (RuntimeError)")
    assert ended.err.count("\n") == 1
    check_no_secret(ended.out, ended.err, caplog.text)
    assert not list(tmp_path.rglob("*/*")), "something was left behind"


@pytest.mark.parametrize("protocol", [(), BUDGET])
@pytest.mark.parametrize("calls", [0, 2])
def test_a_storage_that_fails_midway_is_told_without_its_password_and_loses_nothing(
    calls: int, protocol: tuple[str, ...], toy: Toy, cli: Cli, tmp_path: Path
) -> None:
    class Failing(JournalStorage):
        left = calls

        def create_new_trial(self, *arguments: Any, **keywords: Any) -> int:
            self.left -= 1
            if self.left < 0:
                raise OSError(f"cannot connect to {URLS[0]}")
            return super().create_new_trial(*arguments, **keywords)

    arguments = (*PLAN, *protocol, "--methods", "stl", "--results-dir", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        backend = JournalFileBackend(str(tmp_path / "remote"))
        patch.setattr(optuna.storages, "get_storage", lambda url: Failing(backend))
        ended = cli(*arguments, "--storage", URLS[0])
        assert ended.status == 2
        assert ended.err == (
            "error: the storage of --storage failed (OSError); finished runs are recorded, run the command again\n"
        )
        made = lines(tmp_path, "toy")
        assert len(made) == calls
    assert cli(*arguments).status == 0
    assert lines(tmp_path, "toy")[: len(made)] == made
    assert len(results(tmp_path, "toy")) == (3 if protocol else 4) + 2


def test_no_password_in_files_output_or_the_arguments_of_workers(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    children: set[str] = set()
    done = driver.Display.done

    def watched(display: Display, record: Record) -> None:
        children.update(" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True))
        done(display, record)

    caplog.set_level(logging.DEBUG)
    backend = JournalFileBackend(str(tmp_path / "remote"))
    monkeypatch.setattr(optuna.storages, "get_storage", lambda url: JournalStorage(backend))
    monkeypatch.setattr(driver.Display, "done", watched)
    words = ("--suite", "digits", "--settings", "5-shot", "--methods", "stl", "--epochs", "1", "--seeds", "1")
    budget = ("--protocol", "equal-budget", "--trials", "2", "--workers", "1", "--wandb", "offline")
    ended = cli(*words, *budget, "--storage", URLS[0], "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert len(results(tmp_path)) == 2 + 1
    assert children
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    check_no_secret(ended.out, ended.err, caplog.text, *children, *(path.read_bytes() for path in files))
