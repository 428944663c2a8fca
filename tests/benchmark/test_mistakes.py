"""Every mistake is one line and status 2, before any training and with nothing left behind."""

from pathlib import Path

import distributed
import pytest

from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Ended

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
