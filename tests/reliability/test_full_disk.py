"""A disk that fills up: the command ends in one line, and goes on when there is room."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmark.helpers import command, lines, results
from tests.reliability.notes import DEADLINE_SEC

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "equal,uncertainty", "--epochs", "3", "--seeds", "8"),
    *("--set", "lr=0.01", "--set", "weight_decay=0.0005", "--wandb", "disabled"),
)
CELLS = 2 * 8


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of its own, of half a MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_in_one_line_and_the_command_goes_on(disk: Path, tmp_path: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(496 * 1024))  # room for some records
    words = (*PLAN, "--workers", "1", "--results-dir", disk)
    ended = command(*words, timeout_sec=DEADLINE_SEC)
    assert ended.status == 2, ended
    told = ended.err.splitlines()[-1]
    assert told.startswith("error: ")
    assert "No space left on device" in told
    assert "make room and run the command again" in told
    assert "Traceback" not in ended.err
    kept = lines(disk)
    assert 0 < len(kept) < CELLS
    ballast.unlink()
    again = command(*words, timeout_sec=DEADLINE_SEC)
    assert again.status == 0, again.err
    assert lines(disk)[: len(kept)] == kept
    calm = command(*PLAN, "--workers", "0", "--results-dir", tmp_path / "calm", timeout_sec=DEADLINE_SEC)
    assert calm.status == 0, calm.err
    assert results(disk) == results(tmp_path / "calm")
    assert len(lines(disk)) == CELLS
