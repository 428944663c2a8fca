"""What is asked of Slurm: the jobs that workers run in, checked before anything is submitted."""

import re
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UserError

TIME_LIMIT = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)")
GPUS = re.compile(r"(?:[A-Za-z0-9_.-]+:)?[1-9]\d*")
MEMORY = re.compile(r"[1-9]\d*[KMGT]")
OPTION = re.compile(r"[a-z][a-z0-9-]*(?:=[^\n]+)?")
NAME = re.compile(r"[A-Za-z0-9_.,-]+")

MEMORY_DEFAULT = "8G"


@dataclass(frozen=True)
class SlurmOptions:
    """What the user asks of Slurm for each job; None leaves it to the cluster.

    Attributes:
        partition: Partition, or several by comma.
        time_limit: `HH:MM:SS` or `D-HH:MM:SS`.
        gpus: Number of GPUs, or type and number, such as `a100:1`.
        memory: Memory, such as `8G`.
        interface: Network interface of this machine at which workers reach it.
        options: Further options of sbatch, such as `account=name`.
    """

    partition: str | None = None
    time_limit: str | None = None
    gpus: str | None = None
    memory: str | None = None
    interface: str | None = None
    options: tuple[str, ...] = ()

    def given(self) -> list[str]:
        """Return the names of the command's options that are set."""
        named = {
            "--partition": self.partition,
            "--time-limit": self.time_limit,
            "--gpus": self.gpus,
            "--memory": self.memory,
            "--interface": self.interface,
            "--slurm-option": self.options or None,
        }
        return [name for name, value in named.items() if value is not None]

    def check(self) -> None:
        """Check how the options are written; whether the cluster grants them is Slurm's to say.

        Raises:
            UserError: One of them is not written as Slurm reads it.
        """
        _match(NAME, self.partition, "--partition takes the name of a partition, such as gpu")
        _match(GPUS, self.gpus, "--gpus takes a number of GPUs, or type and number, such as 1 or a100:1")
        _match(MEMORY, self.memory, "--memory takes a number and its unit, such as 8G")
        wrong = "--time-limit takes HH:MM:SS or D-HH:MM:SS, such as 12:00:00 or 2-00:00:00"
        _match(TIME_LIMIT, self.time_limit, wrong)
        if self.time_limit is not None and not self.time_limit.strip("0:-"):
            raise UserError(f"{wrong}, not {self.time_limit!r}")
        for option in self.options:
            wrong = "--slurm-option takes an option of sbatch without its dashes, such as account=name"
            _match(OPTION, option, wrong)


@dataclass(frozen=True)
class SlurmJobs:
    """Jobs of one worker each.

    Attributes:
        count: Number of jobs.
        threads: Cores of each, as many as the suite's runs have threads.
        options: What the user asks of Slurm.
        folder: Folder of scripts and logs, which all nodes must see; removed after a normal end.
    """

    count: int
    threads: int
    options: SlurmOptions
    folder: Path

    def directives(self) -> list[str]:
        """Return the lines of a job script that dask-jobqueue does not write itself.

        GPUs are asked for by `--gres=gpu:N`, which all releases of Slurm with GPUs know; the job sees no others.
        """
        gpus = self.options.gpus
        request = [] if gpus is None else [f"--gres=gpu:{gpus}"]
        logs = f'--output="{self.folder}/%x-%j.log"'
        return [logs, "--open-mode=append", *request, *(f"--{option}" for option in self.options.options)]


def _match(pattern: re.Pattern[str], text: str | None, wrong: str) -> None:
    if text is not None and not pattern.fullmatch(text):
        raise UserError(f"{wrong}, not {text!r}")
