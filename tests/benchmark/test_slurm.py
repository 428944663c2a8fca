"""Workers as jobs of a real Slurm of one node: the same bits, jobs that are ended are replaced, none is left."""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.helpers import command, lines, results
from tests.benchmark.processes import running, wait_until

PLAN = (
    *("--suite", "digits", "--settings", "5-shot", "--methods", "stl,equal", "--epochs", "4", "--seeds", "2"),
    *("--grid", "lr=0.01,0.003", "--set", "weight_decay=0.0005", "--wandb", "disabled"),
)
JOBS = ("--cluster", "slurm", "--workers", "1", "--memory", "1G", "--interface", "lo")


def slurm(*words: str) -> str:
    """Return what a command of Slurm prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def answers() -> bool:
    if shutil.which("sbatch") is None:
        return False
    try:
        return bool(slurm("sinfo", "--noheader", "--states", "idle,mix,alloc"))
    except (OSError, subprocess.SubprocessError):
        return False


needs_slurm = pytest.mark.skipif(
    not answers(), reason="no Slurm answers here; as root, `eval $(.ci/slurm start)` starts one of a single node"
)


def jobs(*, layout: str = "%i") -> list[str]:
    """Return this benchmark's jobs that wait or run."""
    return slurm("squeue", "--noheader", "--name", "auxilearn", "--format", layout).split()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with running(*PLAN, "--workers", "0", "--results-dir", folder) as driver:  # as patient as the other side
        ended = driver.end()
    assert ended.status == 0, ended.err
    return results(folder)


@needs_slurm
def test_the_same_bits_as_in_one_process_though_a_job_is_cancelled(
    undisturbed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "with blanks"
    with running(*PLAN, *JOBS, "--time-limit", "0:20:00", "--results-dir", folder) as driver:
        wait_until(lambda: lines(folder), "the first record")
        before = set(jobs())
        assert set(jobs(layout="%l")) == {"20:00"}
        assert list((folder / "digits" / "slurm").glob("*.log"))
        slurm("scancel", min(before))
        wait_until(lambda: set(jobs()) - before or driver.process.poll() is not None, "the job in its place")
        ended = driver.end()
    assert ended.status == 0, ended.err
    assert "±" in ended.out
    assert "Traceback" not in ended.err
    assert results(folder) == undisturbed
    wait_until(lambda: not jobs(), "the jobs' end")
    assert not (folder / "digits" / "slurm").exists()


@needs_slurm
def test_ctrl_c_cancels_the_jobs(tmp_path: Path) -> None:
    with running(*PLAN, *JOBS, "--results-dir", tmp_path) as driver:
        wait_until(jobs, "the jobs")
        driver.signal(signal.SIGINT, group=True)
        ended = driver.end()
    assert ended.status == 130, ended
    assert "Traceback" not in ended.err
    wait_until(lambda: not jobs(), "the jobs' end")


@needs_slurm
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--partition", "nowhere"), "invalid partition specified: nowhere"),
        (("--memory", "900T"), "Memory specification can not be satisfied"),
        (("--slurm-option", "no-such-option=1"), "unrecognized option"),
    ],
)
def test_what_slurm_refuses_is_told_in_one_line(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ended = command(*PLAN, *JOBS, *words, "--results-dir", tmp_path / "results")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: Slurm refuses the job: ")
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert not jobs()
    assert not (tmp_path / "results" / "digits").exists()


@needs_slurm
def test_a_refusal_leaves_no_scripts_in_a_folder_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    ended = command(*PLAN, *JOBS, "--partition", "nowhere", "--results-dir", tmp_path)
    assert ended.status == 2
    assert (tmp_path / "digits").exists()
    assert not (tmp_path / "digits" / "slurm").exists()
