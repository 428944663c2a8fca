"""Options that say where runs are made: contradictions and misspellings end in one line, before any work."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.seats import Seat
from benchmark.slurm import SlurmJobs, SlurmOptions
from benchmark.where import Where
from tests.benchmark.conftest import Cli

SLURM = ("--cluster", "slurm", "--workers", "2")

REFUSED = {
    "cluster": (("--cluster", "pbs"), "unknown cluster 'pbs'; choose one of: slurm"),
    "both": (("--cluster", "slurm", "--scheduler", "tcp://a:1"), "give one of them"),
    "no number": (("--cluster", "slurm"), "--cluster slurm needs --workers N"),
    "zero": (("--cluster", "slurm", "--workers", "0"), "--cluster slurm needs --workers N"),
    "partition": (("--partition", "gpu"), "--partition belongs to --cluster slurm"),
    "option": (("--slurm-option", "account=me"), "--slurm-option belongs to --cluster slurm"),
    "scheduler": (("--scheduler", "tcp://a:1", "--workers", "2"), "the cluster of --scheduler has its own"),
    "per gpu": ((*SLURM, "--workers-per-gpu", "2"), "--workers-per-gpu belongs to local workers"),
    "per gpu on cpu": (("--device", "cpu", "--workers-per-gpu", "2"), "--workers-per-gpu needs --device cuda"),
    "device": ((*SLURM, "--device", "cuda:1"), "choose one of: auto, cpu, cuda"),
    "gpus": ((*SLURM, "--device", "cpu", "--gpus", "1"), "--gpus and --device cpu contradict"),
    "gpus written": ((*SLURM, "--gpus", "many"), "--gpus takes a number of GPUs"),
    "time": ((*SLURM, "--time-limit", "90"), "--time-limit takes HH:MM:SS or D-HH:MM:SS"),
    "minutes": ((*SLURM, "--time-limit", "1:60:00"), "--time-limit takes HH:MM:SS"),
    "no time": ((*SLURM, "--time-limit", "00:00:00"), "--time-limit takes HH:MM:SS"),
    "memory": ((*SLURM, "--memory", "lots"), "--memory takes a number and its unit"),
    "newline": ((*SLURM, "--slurm-option", "comment=a\n#SBATCH -n 9"), "--slurm-option takes an option of sbatch"),
    "interface": ((*SLURM, "--interface", "nowhere0"), "there is no network interface 'nowhere0'; choose one of: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_end_in_one_line_with_status_two(
    case: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_slurm(tmp_path, monkeypatch)
    words, told = REFUSED[case]
    ended = cli("--suite", "digits", *words, "--results-dir", tmp_path / "results", "--wandb", "disabled")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_machine_without_slurm_is_told_so(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = cli("--suite", "digits", *SLURM, "--results-dir", tmp_path / "results", "--wandb", "disabled")
    assert ended.status == 2
    assert ended.err == "error: --cluster slurm needs Slurm's sbatch, which is not here; run on a login node\n"


@pytest.mark.parametrize(
    ("device", "gpus", "expected"),
    [("auto", None, "cpu"), ("auto", "2", "cuda"), ("cuda", None, "cuda"), ("cpu", None, "cpu")],
)
def test_jobs_ask_for_a_gpu_where_their_runs_need_one(device: str, gpus: str | None, expected: str) -> None:
    where = Where(device, 2, cluster="slurm", slurm=SlurmOptions(gpus=gpus, options=("account=me",)))
    where.check()
    resources, _ = where.resources(_no_device, threads=3, places=Places(), folder=Path("results/a suite"))
    assert resources.device == expected
    assert resources.slurm is not None
    lines = resources.slurm.directives()
    assert [line for line in lines if "gres" in line] == ([f"--gres=gpu:{gpus or 1}"] if expected == "cuda" else [])
    assert "--account=me" in lines
    assert lines[0] == f'--output="{Path("results/a suite").resolve()}/slurm/%x-%j.log"'
    assert (resources.workers, resources.slurm.threads) == (2, 3)


@pytest.mark.parametrize("text", ["00:10:00", "120:00:00", "1-00:00:00", "14-12:30:59"])
def test_time_limits_as_slurm_writes_them(text: str) -> None:
    SlurmOptions(time_limit=text).check()


def test_a_cluster_by_address_is_asked_for_no_device_of_this_machine() -> None:
    resources, warning = Where("cuda", scheduler="tcp://a:1").resources(
        _no_device, threads=1, places=Places(), folder=Path()
    )
    assert (resources.device, resources.scheduler, warning) == ("cuda", "tcp://a:1", "")


def test_local_workers_are_seats_and_too_many_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    resources, warning = Where("auto", 5).resources(lambda _: "cpu", threads=1, places=Places(), folder=Path())
    assert resources.seats == (Seat(1),) * 5
    assert warning.endswith("2 fit")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    pinned, _ = Where("cuda:3", 2).resources(lambda name: name, threads=1, places=Places(), folder=Path())
    assert (pinned.device, pinned.seats) == ("cuda", (Seat(1, "3"), Seat(1, "3")))
    inside, _ = Where("cuda:3", 0).resources(lambda name: name, threads=1, places=Places(), folder=Path())
    assert (inside.device, inside.seats) == ("cuda:3", ())


def test_the_job_script_asks_for_what_was_asked_for(tmp_path: Path) -> None:
    from benchmark.cluster.slurm import _cluster

    options = SlurmOptions("gpu", "1-02:03:04", "a100:1", "16G", options=("account=me", "exclusive"))
    with _cluster(SlurmJobs(2, 4, options, tmp_path), {}, []) as cluster:
        script = cluster.job_script()
    for line in ("-p gpu", "-t 1-02:03:04", "--gres=gpu:a100:1", "--mem=16G", "--cpus-per-task=4", "--account=me"):
        assert f"#SBATCH {line}\n" in script
    assert "#SBATCH --exclusive\n" in script
    assert "OMP_NUM_THREADS=4" in script
    for word in ("--nthreads 1", "--no-nanny", "--preload benchmark.worker", "--memory-limit 0"):
        assert word in script


def _no_device(name: str) -> str:
    raise UserError(f"unknown device {name!r}")


def _fake_slurm(folder: Path, monkeypatch: pytest.MonkeyPatch, commands: Sequence[str] = ()) -> None:
    """Put commands named as Slurm's onto the path."""
    place = folder / "bin"
    place.mkdir()
    for name in commands or ("sbatch", "squeue", "scancel"):
        (place / name).write_text("#!/bin/sh\nexit 1\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=":")
