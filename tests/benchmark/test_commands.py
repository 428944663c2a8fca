"""The command line: every mistake is one line and status 2, before any training and with nothing left behind."""

import os
import re
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import distributed
import pytest
from optuna.storages.journal import JournalFileBackend

from benchmark import __main__ as overview
from benchmark import train
from benchmark.cluster import start
from benchmark.tracking import Mirror
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT, Ended, Toy, environment, lines

SUITE = ("--suite", "toy")
LONG = "x" * 5000
SECRET = "s3cr3t"

MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "no suite": ((), "--suite is missing; choose one of: "),
    "empty suite": (("--suite", ""), "--suite is missing; choose one of: "),
    "suite": (("--suite", "cubs"), "unknown suite 'cubs' (did you mean cub?); choose one of: "),
    "two suites": (("--suite", "toy,digits"), "--suite takes one suite, not 'toy,digits'"),
    "unicode suite": (("--suite", "дигитс\u202e✓"), "unknown suite 'дигитс"),
    "long suite": (("--suite", LONG), "unknown suite 'xxx"),
    "path as suite": (("--suite", "../digits"), "unknown suite '../digits'"),
    "sample without files": (("--suite", "digits", "--sample"), "suite 'digits' reads no files and has no --sample; "),
    "setting": ((*SUITE, "--settings", "few,lots"), "unknown setting 'lots'; choose one of: few, many"),
    "method": ((*SUITE, "--methods", "stl,pgrad"), "unknown method 'pgrad' (did you mean pcgrad?); choose one of: "),
    "unicode method": ((*SUITE, "--methods", "stl,gräd"), "unknown method 'gräd'"),
    "commas for methods": ((*SUITE, "--methods", ",,"), "--methods takes names, by comma, not ',,'"),
    "commas for settings": ((*SUITE, "--settings", " , "), "--settings takes names, by comma, not ' , '"),
    "key": ((*SUITE, "--set", "rl=0.1"), "unknown hyper-parameter 'rl' of the methods that run"),
    "key of the grid": ((*SUITE, "--grid", "rl=0.1,1"), "unknown hyper-parameter 'rl' of the methods that run"),
    "no value": ((*SUITE, "--set", "lr"), "--set takes name=value, not 'lr'"),
    "empty value": ((*SUITE, "--set", "lr="), "--set takes name=value, not 'lr='"),
    "empty pair": ((*SUITE, "--set", ""), "--set takes name=value, not ''"),
    "empty key": ((*SUITE, "--set", "=1"), "--set takes name=value, not '=1'"),
    "blank key": ((*SUITE, "--set", " =1"), "--set takes name=value, not ' =1'"),
    "commas for values": ((*SUITE, "--grid", "lr=,,"), "--grid takes name=value, not 'lr=,,'"),
    "word for a number": ((*SUITE, "--set", "lr=fast"), "lr takes a finite number, not 'fast'"),
    "long value": ((*SUITE, "--set", f"lr={LONG}"), "lr takes a finite number, not 'xxx"),
    "nan": ((*SUITE, "--set", "lr=nan"), "lr takes a finite number, not 'nan'"),
    "infinity in a grid": ((*SUITE, "--grid", "lr=0.1,inf"), "lr takes a finite number, not 'inf'"),
    "negative rate": ((*SUITE, "--set", "lr=-1"), "stl: "),
    "negative temperature": (
        (*SUITE, "--methods", "dwa", "--set", "temperature=-2"),
        "dwa: temperature must be positive",
    ),
    "both": ((*SUITE, "--set", "lr=1", "--grid", "lr=1,2"), "--set and --grid both name 'lr'"),
    "set of no method": ((*SUITE, "--set", ".lr=1"), "'.lr' names no method that runs"),
    "set twice": ((*SUITE, "--set", "lr=1", "--set", "lr=2"), "--set names 'lr' twice"),
    "grid twice": ((*SUITE, "--grid", "lr=1,2", "--grid", "lr =3,4"), "--grid names 'lr' twice"),
    "unknown protocol": (
        (*SUITE, "--protocol", "papers"),
        "unknown protocol 'papers' (did you mean paper?); choose one of: paper, equal-b",
    ),
    "no trials": ((*SUITE, "--protocol", "equal-budget"), "equal-budget needs a number of trials; give --trials N"),
    "zero trials": ((*SUITE, "--protocol", "equal-budget", "--trials", "0"), "'--trials'"),
    "trials of grids": (
        (*SUITE, "--protocol", "paper", "--trials", "9"),
        "--trials belongs to --protocol equal-budget",
    ),
    "sampler of grids": ((*SUITE, "--sampler", "random"), "--sampler belongs to --protocol equal-budget"),
    "seed of grids": ((*SUITE, "--sampler-seed", "1"), "--sampler-seed belongs to --protocol equal-budget"),
    "sampler": (
        (*SUITE, "--protocol", "equal-budget", "--trials", "9", "--sampler", "tp"),
        "unknown sampler 'tp' (did you mean tpe?)",
    ),
    "device": ((*SUITE, "--device", "tpu"), "unknown device 'tpu'; choose one of: auto, cpu"),
    "absent device": ((*SUITE, "--device", "cuda:99"), "unknown device 'cuda:99'; choose one of: auto, cpu"),
    "no device": ((*SUITE, "--device", "cuda"), "this machine has no CUDA device; choose one of: auto, cpu"),
    "empty device": ((*SUITE, "--device", ""), "unknown device ''"),
    "wandb mode": ((*SUITE, "--wandb", "sometimes"), "unknown W&B mode 'sometimes'; choose one of: "),
    "wandb without key": ((*SUITE, "--wandb", "online"), "--wandb online needs a key"),
    "no seeds": ((*SUITE, "--seeds", "0"), "'--seeds'"),
    "negative epochs": ((*SUITE, "--epochs", "-3"), "'--epochs'"),
    "fraction of a worker": ((*SUITE, "--workers", "1.5"), "'--workers'"),
    "unknown option": ((*SUITE, "--folds", "3"), "No such option: --folds"),
    "option without value": ((*SUITE, "--seeds"), "--seeds"),
    "set without value": ((*SUITE, "--set"), "--set"),
    "argument": ((*SUITE, "digits"), "extra argument"),
    "storage": ((*SUITE, "--storage", "nonsense"), "--storage cannot be opened"),
    "storage of a dry run": ((*SUITE, "--storage", "nonsense://x", "--dry-run"), "--storage cannot be opened"),
    "no driver in a dry run": (
        (*SUITE, "--storage", f"postgresql://me:{SECRET}@127.0.0.1:1/x", "--dry-run"),
        "--storage cannot be opened",
    ),
    "no folder in a dry run": (
        (*SUITE, "--storage", "sqlite:////no/such/folder/studies.db", "--dry-run"),
        "--storage cannot be opened: the folder of the SQLite file does not exist",
    ),
    "storage with password": ((*SUITE, "--storage", f"foo://me:{SECRET}@host/x"), "--storage cannot be opened"),
    "no database": ((*SUITE, "--storage", f"postgresql://me:{SECRET}@127.0.0.1:1/x"), "--storage cannot be opened"),
    "address": ((*SUITE, "--scheduler", "nonsense"), "no Dask scheduler answers at 'nonsense'"),
    "protocol": ((*SUITE, "--scheduler", "foo://host:1"), "no Dask scheduler answers at 'foo://host:1'"),
    "nobody there": ((*SUITE, "--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler answers at 'tcp://127.0.0.1:9'"),
    "password": (
        (*SUITE, "--scheduler", "tcp://me:secret@127.0.0.1:9"),
        "no Dask scheduler answers at 'tcp://127.0.0.1:9'",
    ),
    "no certificates": (
        (*SUITE, "--scheduler", "tls://127.0.0.1:9"),
        "Dask cannot connect to 'tls://127.0.0.1:9': TLS expects a `ssl_context` argument",
    ),
    "empty address": ((*SUITE, "--scheduler", ""), "no Dask scheduler answers at ''"),
}


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training an error, and a scheduler that does not answer a matter of a moment."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr(train, "run", refuse)
    monkeypatch.setattr(start, "PATIENCE", 0.5)


def check_one_line(ended: Ended, told: str) -> None:
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1, ended.err
    assert told in ended.err
    assert SECRET not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.usefixtures("toy", "untrained")
@pytest.mark.parametrize(("arguments", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line(arguments: tuple[str, ...], told: str, cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    check_one_line(cli("--results-dir", folder, *arguments), told)
    assert not folder.exists() or not list(folder.rglob("*")), "something was left behind"


@pytest.mark.usefixtures("toy", "untrained")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9"])
def test_no_client_stays_half_open(address: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python closes one when it collects garbage, and that waits forever where the next one is being opened."""
    opened: list[distributed.Client] = []

    class Watched(distributed.Client):
        def start(self, **options: object) -> None:
            opened.append(self)
            super().start(**options)

    monkeypatch.setattr(distributed, "Client", Watched)
    assert cli("--results-dir", tmp_path, *SUITE, "--scheduler", address).status == 2
    assert [client.status for client in opened] == ["closed"]


@pytest.mark.usefixtures("toy", "untrained")
@pytest.mark.parametrize("place", ["file", "/proc/nowhere", LONG])
def test_a_folder_that_cannot_be_written_is_one_line(place: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_one_line(cli(*SUITE, "--results-dir", tmp_path / place), "cannot write to")


@pytest.mark.usefixtures("toy", "untrained")
def test_a_dry_run_does_not_plan_for_a_folder_that_cannot_be(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_one_line(cli(*SUITE, "--results-dir", tmp_path / "file", "--dry-run"), "file/toy (Not a directory)")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("toy", "untrained")
def test_a_folder_that_cannot_be_read_stops_a_dry_run_in_one_line_at_most(cli: Cli, tmp_path: Path) -> None:
    ended = cli(*SUITE, "--results-dir", tmp_path / LONG, "--dry-run")
    if ended.status:
        check_one_line(ended, "cannot read")
    else:
        assert "left" in ended.out


@pytest.mark.usefixtures("toy", "untrained")
@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_damaged_records_are_one_line(words: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "toy" / "records.jsonl"
    path.parent.mkdir()
    path.write_text("no record\n")
    check_one_line(cli(*SUITE, "--results-dir", tmp_path, *words), "records.jsonl, line 1: not a record")
    assert path.read_text() == "no record\n"


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("write", range(0, 20, 4))
def test_a_signal_in_the_middle_of_a_write_waits_for_its_end(
    number: int, write: int, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = [], []
    append_logs = JournalFileBackend.append_logs

    def interrupted(self: JournalFileBackend, logs: list) -> None:
        begun.append(logs)
        if len(begun) == write + 1:
            os.kill(os.getpid(), number)
        append_logs(self, logs)
        ended.append(logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", interrupted)
    few = (*SUITE, "--settings", "few", "--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path)
    stopped = cli(*few)
    assert len(begun) > write
    assert stopped.status == 130
    assert stopped.err.endswith("the same command goes on from here\n")
    assert ended == begun, "a write to the journal was cut short"
    assert cli(*few).status == 0
    assert len(lines(tmp_path, "toy")) == 2 * (4 + 2)


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
