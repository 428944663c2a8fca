"""The W&B mirror, judged by the files it wrote."""

import getpass
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import tracking
from benchmark.errors import UserError
from benchmark.tracking import Mirror, choose_mode
from tests.benchmark.helpers import a_failure, a_record, a_spec
from tests.benchmark.mirrored import files, ids, mirror, read, tells


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
