"""What commands write and print, and what they leave alone."""

import os
import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmark import __main__ as overview
from benchmark import train
from benchmark.tracking import Mirror
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT, Ended, Toy, environment, lines

SUITE = ("--suite", "toy")


def test_a_command_writes_the_table_and_the_second_one_trains_nothing(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*SUITE, "--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path)
    first = cli(*arguments)
    assert first.status == 0, first.err
    assert len(lines(tmp_path, "toy")) == 2 * 2 * (4 + 2)
    folder = tmp_path / "toy"
    for name in ("table.md", "table.csv", "table.tex"):
        assert "stl" in (folder / name).read_text()
    for word in ("stl", "equal", "toy, few", "toy, many", "top1", "top2", "±", "table.md"):
        assert word in first.out
    before = (folder / "records.jsonl").read_bytes()
    monkeypatch.setattr(train, "run", None)
    second = cli(*arguments)
    assert second == Ended(0, first.out, "")
    assert (folder / "records.jsonl").read_bytes() == before


def test_failures_are_told_and_stop_nothing(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = train.build_method

    def fall(name: str, *arguments: object, **keywords: object) -> object:
        if name == "stl":
            raise RuntimeError("[red]the sky[/red]")
        return build(name, *arguments, **keywords)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(train, "build_method", fall)
    ended = cli(*SUITE, "--settings", "few", "--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path)
    assert ended.status == 1
    assert ended.err.count("failed: stl in few") == 4
    assert "[red]the sky[/red]" in ended.err
    assert sum(line["status"] == "ok" for line in lines(tmp_path, "toy")) == 4 + 2


@pytest.mark.usefixtures("toy", "untrained")
def test_a_dry_run_prints_the_plan_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    ended = cli(*SUITE, "--dry-run", "--results-dir", tmp_path / "results", "--seeds", "5")
    assert ended.status == 0
    assert f"{2 * 2 * (4 + 5)} runs, 36 left" in ended.out
    assert "stl searches lr 0.1, 0.01; weight_decay 0.0, 0.01" in ended.out
    assert not (tmp_path / "results").exists()


def test_records_of_other_plans_are_not_mirrored(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(Mirror, "_mirror", lambda _, record: told.append((record.spec.method, record.spec.setting)))
    fixed = ("--set", "lr=0.1", "--set", "weight_decay=0")
    rest = ("--settings", "few", *fixed, "--workers", "0", "--results-dir", tmp_path)
    both = ("--methods", "stl,equal")
    assert cli("--suite", "toy", *both, *rest, "--wandb", "disabled").status == 0
    assert not told
    (tmp_path / "toy" / "wandb").mkdir()  # as W&B does, where the list of what is mirrored lies
    for _ in range(2):  # the second time all are mirrored
        assert cli("--suite", "toy", "--methods", "stl", *rest, "--wandb", "offline").status == 0
        assert set(told) == {("stl", "few")}
        assert len(told) == toy.final_seeds


def test_no_trace_of_the_user_in_the_records(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, key = tmp_path / "home-of-somebody", "0123456789abcdef" * 2 + "01234567"
    home.mkdir()
    monkeypatch.setattr("socket.gethostname", lambda: "machine-of-somebody")
    for name, value in {"USER": "somebody", "LOGNAME": "somebody", "HOME": str(home), "WANDB_API_KEY": key}.items():
        monkeypatch.setenv(name, value)
    fixed = ("--set", "lr=0.1", "--set", "weight_decay=0", "--wandb", "disabled", "--workers", "0")
    assert cli(*SUITE, *fixed, "--results-dir", home).status == 0
    text = (home / "toy" / "records.jsonl").read_text()
    for word in ("somebody", str(home), str(ROOT), key, os.uname().nodename + '"'):
        assert word not in text


HELP = """
import sys
from benchmark.commands import run_app
from benchmark.run import app
sys.argv = ["run", "--help"]
status = run_app(app, "run")
slow = {"torch", "optuna", "wandb", "distributed", "dask", "sklearn", "pandas"} & set(sys.modules)
sys.exit(f"imported {slow}" if slow else status)
"""


def test_help_imports_nothing_slow() -> None:
    words = [sys.executable, "-c", HELP]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    options = (
        "suite settings methods seeds workers scheduler device set grid epochs protocol trials sampler storage "
        "results-dir wandb dry-run list"
    )
    for name in options.split():
        assert f"--{name} " in done.stdout


def test_the_package_names_commands_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert overview.main(["report", "--suite", "toy"]) == 2
    assert capsys.readouterr().err.endswith("such as python -m benchmark.report\n")
    assert overview.main([]) == 0
    named = re.findall(r"python -m (benchmark\.\w+)  ", capsys.readouterr().out)
    assert len(named) == len(overview.COMMANDS)
    assert all(isinstance(find_spec(name), ModuleSpec) for name in named)
