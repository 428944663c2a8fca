"""The W&B mirror, judged by the files it wrote."""

import contextlib
import getpass
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from google.protobuf.message import DecodeError

from benchmark import tracking
from benchmark.errors import UserError
from benchmark.record import Record
from benchmark.tracking import Mirror, Mode, choose_mode
from tests.benchmark.helpers import ROOT, a_failure, a_record, a_spec
from tests.benchmark.mirrored import messages, read, tells


def mirror(folder: Path, *records: Record, mode: Mode = "offline") -> None:
    """Mirror as a command does: what is recorded first, then what it adds."""
    with Mirror(folder, mode) as given:
        given.catch_up(records[:1])
        for record in records[1:]:
            given.add(record)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.wandb"))


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give this process a user, a home and a key; return what nobody may read in a result."""
    home = tmp_path / "home-of-somebody"
    home.mkdir()
    key = "0123456789abcdef" * 2 + "01234567"
    for name, value in {"USER": "somebody", "LOGNAME": "somebody", "HOME": str(home), "WANDB_API_KEY": key}.items():
        monkeypatch.setenv(name, value)
    assert getpass.getuser() == "somebody"
    return ["somebody", str(home), key, socket.gethostname()]


ROWS = [
    {
        "epoch": epoch,
        "lr": 0.1,
        "loss": [1.0 / epoch, 2.0, 3.0],
        "weight": [1.0, 0.5 * epoch, 0.25],
        "validation": {"top1": 0.1 * epoch, "top2": 0.2},
        "diagnostics": {"cosine": 0.5},
    }
    for epoch in (1, 2, 3)
]


def test_files_hold_metrics_weights_config_and_identity(tmp_path: Path, private: list[str]) -> None:
    final = a_record(a_spec(phase="final", seed=2), test=0.75, epochs=ROWS)
    folder = tmp_path / "toy"
    folder.mkdir()
    mirror(folder, final, a_record(a_spec()), a_failure(a_spec(seed=5), "it broke"))
    by_id = {found["run"].run_id: found for found in map(read, files(folder))}
    assert set(by_id) == {final.spec.digest, a_spec().digest, a_spec(seed=5).digest}
    found = by_id[final.spec.digest]
    assert (found["run"].run_group, found["run"].job_type) == ("toy/stl", "final")
    assert by_id[a_spec().digest]["run"].job_type == "search"
    expected = json.loads(json.dumps(final.spec.to_json()))
    assert {key: found["config"][key] for key in expected} == expected
    assert set(found["history"]) == {1, 2, 3}
    for epoch, row in found["history"].items():
        assert row["loss/main"] == pytest.approx(1 / epoch)
        assert row["weight/side"] == pytest.approx(0.5 * epoch)
        assert row["validation/top1"] == pytest.approx(0.1 * epoch)
        assert (row["lr"], row["diagnostics/cosine"], row["weight/value"]) == (0.1, 0.5, 0.25)
    assert found["summary"]["test/top1"] == 0.75
    assert found["summary"]["status"] == "ok"
    failed = by_id[a_spec(seed=5).digest]["summary"]
    assert (failed["status"], failed["reason"]) == ("failed", "it broke")
    for path in files(folder):
        assert not [word for word in private if tells(path, word)], "somebody can be told from the file"
    assert not any(found["run"].host for found in by_id.values()), "the host can be told from the file"


def test_each_run_is_mirrored_once(tmp_path: Path) -> None:
    mirror(tmp_path, a_record())
    before = files(tmp_path)
    assert len(before) == 1
    mirror(tmp_path, a_record())
    assert files(tmp_path) == before
    mirror(tmp_path, a_record(), a_record(a_spec(seed=1)))
    assert len(files(tmp_path)) == 2


def test_disabled_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "WRITER", ("no such program",))
    mirror(tmp_path, a_record(), mode="disabled")
    assert not list(tmp_path.iterdir())


BROKEN = """
import os, time
from types import SimpleNamespace

class Settings:
    def __init__(self, **values): ...

def init(**values):
    {init}
    return SimpleNamespace(log=lambda *_, **__: None, summary=dict(), finish=lambda **_: None)

def teardown():
    {teardown}
"""
WAYS = {
    "raises": ('raise OSError("no space left for [bold]W&B")', "pass", "OSError: no space left for [bold]W&B"),
    "hangs": ("time.sleep(1000)", "pass", "no answer for 2 s"),
    "hangs at the end": ("pass", "time.sleep(1000)", "no answer for 2 s"),
    "raises, and at the end too": ("raise OSError", "raise SystemExit(3)", "OSError"),
    "crashes": ("os._exit(7)", "pass", "its process ended with status 7"),
    "ends": ("os._exit(0)", "pass", "its process ended"),
}


@pytest.fixture
def broken_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what puts a W&B that fails before the real one."""

    def put(init: str, teardown: str) -> None:
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "wandb.py").write_text(BROKEN.format(init=init, teardown=teardown))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))

    return put


@pytest.mark.parametrize("way", WAYS)
def test_whatever_befalls_wandb_costs_one_warning(
    way: str,
    broken_wandb: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    init, teardown, reason = WAYS[way]
    broken_wandb(init, teardown)
    if "hangs" in way:
        monkeypatch.setattr(tracking, "PATIENCE_SEC", 2.0)
    mirror(tmp_path, a_record(), a_record(a_spec(seed=1)))
    assert capfd.readouterr().err == f"warning: W&B mirror stopped: {reason}\n"
    assert not (tmp_path / "wandb" / "mirrored-offline").exists(), "it would not be tried again"
    assert not [child for child in psutil.Process().children() if "wandb_writer" in " ".join(child.cmdline())]


SLOW = """
import json, sys, time
for line in sys.stdin:
    for _ in range(6):
        time.sleep(0.5)
        print(flush=True)
    print(json.dumps(None), flush=True)
"""


def test_a_long_run_that_goes_on_has_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "WRITER", (sys.executable, "-c", SLOW))
    monkeypatch.setattr(tracking, "PATIENCE_SEC", 2.0)
    mirror(tmp_path, a_record())
    assert capfd.readouterr().err == ""
    assert (tmp_path / "wandb" / "mirrored-offline").read_text().split() == [a_spec().digest]


def writer(change: str, told: str, *, end: bool) -> tuple[int, str]:
    """Tell the process that writes, changed by a statement, one line; return its status and what it answered."""
    words = [sys.executable, "-c", f"from benchmark import wandb_writer as w; {change}; raise SystemExit(w.main())"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        print(told, file=started.stdin, flush=True)
        if end:
            started.stdin.close()
        answered = started.stdout.read() if end else started.stdout.readline()
        return started.wait(60), answered


def test_the_process_says_that_a_long_run_goes_on(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("pass", "pass")
    run = {"init": {}, "rows": [(step, {}) for step in range(7)], "summary": {}, "exit_code": 0}
    assert writer("w.ROWS = 3", json.dumps(run), end=True) == (0, "\n\nnull\n")


def test_no_process_waits_for_ever_whose_command_is_gone(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("time.sleep(1000)", "pass")
    run = {"init": {}, "rows": [], "summary": {}, "exit_code": 0}
    assert writer("w.PATIENCE_SEC = 0.5", json.dumps(run), end=True) == (1, "")


def test_the_process_ends_after_a_failure_though_more_may_come(broken_wandb: Callable[[str, str], None]) -> None:
    broken_wandb("raise OSError('no')", "pass")
    run = {"init": {}, "rows": [], "summary": {}, "exit_code": 0}
    assert writer("pass", json.dumps(run), end=False) == (0, '"OSError: no"\n')


def test_what_failed_is_tried_again_by_the_next_command(
    broken_wandb: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_wandb("raise OSError", "pass")
    mirror(tmp_path, a_record())
    assert not files(tmp_path)
    monkeypatch.undo()
    mirror(tmp_path, a_record())
    assert len(files(tmp_path)) == 1


def test_a_command_that_fails_leaves_the_rest_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(Mirror, "_mirror", lambda self, record: seen.append(record.spec.digest))
    given = Mirror(tmp_path, "offline")
    given.add(a_record())
    given._drop_waiting()
    with pytest.raises(UserError), given:
        raise UserError("stop")
    assert seen == []


@pytest.fixture
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take every key away and return the file that would hold one."""
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".netrc"


def test_modes(no_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_mode(None) == "offline"
    assert choose_mode("disabled") == "disabled"
    with pytest.raises(UserError, match="needs a key"):
        choose_mode("online")
    with pytest.raises(UserError, match="unknown W&B mode 'of'; choose one of: disabled, offline, online"):
        choose_mode("of")
    no_key.write_text("machine api.wandb.ai login user password secret\n")
    no_key.chmod(0o600)
    assert choose_mode(None) == choose_mode("online") == "online"
    assert choose_mode("offline") == "offline"
    no_key.write_text("machine elsewhere login user password secret\n")
    assert choose_mode(None) == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert choose_mode(None) == "online"


def test_without_wandb_nothing_is_mirrored(no_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    assert choose_mode(None) == choose_mode("disabled") == "disabled"
    with pytest.raises(UserError, match="not installed"):
        choose_mode("offline")


def ids(folder: Path) -> list[str]:
    """Return the ids of the runs that have a whole file, to its record of the end."""
    found = []
    for path in files(folder):
        kinds = []
        with contextlib.suppress(DecodeError):  # of a frame that was cut off
            kinds.extend(record.WhichOneof("record_type") for record in messages(path))
        if "exit" in kinds:
            found.append(read(path)["run"].run_id)
    return sorted(found)


@pytest.mark.parametrize("torn", [False, True])
def test_a_command_that_was_killed_while_mirroring_leaves_each_run_once(torn: bool, tmp_path: Path) -> None:
    records = [a_record(a_spec(seed=seed), epochs=ROWS) for seed in range(3)]
    expected = sorted(record.spec.digest for record in records)
    mirror(tmp_path, *records)
    assert ids(tmp_path) == expected
    (tmp_path / "wandb" / "mirrored-offline").unlink()  # which is written last
    if torn:
        whole = files(tmp_path)[0].read_bytes()
        files(tmp_path)[0].write_bytes(whole[: len(whole) // 2])
        assert ids(tmp_path) != expected
    mirror(tmp_path, *records)
    assert ids(tmp_path) == expected
    assert len(files(tmp_path)) == 3
    assert sorted((tmp_path / "wandb" / "mirrored-offline").read_text().split()) == expected


def test_wandb_sync_takes_the_files_and_no_file_tells_who_made_them(
    tmp_path: Path, private: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    here = [
        socket.gethostname(),
        str(Path.cwd()),
        str(Path("~").expanduser()),
        str(tmp_path),
        *([u] if (u := getpass.getuser()) != "root" else []),
    ]
    secret = "fedcba9876543210" * 2 + "fedcba98"
    monkeypatch.setenv("WANDB_API_KEY", secret)
    folder = tmp_path / "toy"
    folder.mkdir()
    mirror(folder, a_record(), a_failure(a_spec(seed=1)))
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert not [word for word in (*here, secret) if tells(path, word)], path
    monkeypatch.delenv("WANDB_API_KEY")
    words = [sys.executable, "-m", "wandb", "sync", "--dry-run", *map(str, (folder / "wandb").glob("offline-run-*"))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for spec in (a_spec(), a_spec(seed=1)):
        assert f"run-{spec.digest}.wandb" in done.stdout + done.stderr
