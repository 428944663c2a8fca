"""Where runs are made: the command line's options for devices, workers and clusters, checked before work starts."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmark.engine import Resources
from benchmark.errors import UserError, unknown
from benchmark.places import Places
from benchmark.seats import crowding, seats, visible_gpus
from benchmark.slurm import SlurmJobs, SlurmOptions

CLUSTERS = ("slurm",)

DEVICES = ("auto", "cpu", "cuda")
"""Devices of workers on other machines, each of which knows its own GPUs."""


@dataclass(frozen=True)
class Where:
    """What a command line asks for; None is the default.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: Local processes or Slurm jobs; 0 runs in the driver itself.
        workers_per_gpu: Local processes for each GPU.
        scheduler: Address of a running Dask cluster.
        cluster: `slurm` starts the workers as jobs.
        slurm: What is asked of Slurm.
    """

    device: str = "auto"
    workers: int | None = None
    workers_per_gpu: int | None = None
    scheduler: str | None = None
    cluster: str | None = None
    slurm: SlurmOptions = field(default_factory=SlurmOptions)

    @property
    def elsewhere(self) -> bool:
        """Whether runs are made on machines that this process knows nothing of."""
        return self.scheduler is not None or self.cluster is not None

    def check(self) -> None:
        """Refuse options that contradict each other or that nothing would read.

        Raises:
            UserError: There are such.
        """
        if self.cluster is not None and self.cluster not in CLUSTERS:
            raise unknown("cluster", self.cluster, CLUSTERS)
        if self.cluster is not None and self.scheduler is not None:
            raise UserError("--cluster starts a cluster and --scheduler uses one that runs; give one of them")
        if self.cluster is None and (given := self.slurm.given()):
            raise UserError(f"{given[0]} belongs to --cluster slurm")
        if self.scheduler is not None and self.workers is not None:
            raise UserError("--workers starts workers and the cluster of --scheduler has its own; give one of them")
        if self.elsewhere and self.workers_per_gpu is not None:
            raise UserError("--workers-per-gpu belongs to local workers; on a cluster each worker has its own GPU")
        if self.elsewhere and self.device not in DEVICES:
            raise unknown("device of a cluster's workers", self.device, DEVICES)
        if self.cluster == "slurm":
            self._check_slurm()

    def _check_slurm(self) -> None:
        if not self.workers:
            raise UserError("--cluster slurm needs --workers N, the number of jobs")
        if self.device == "cpu" and self.slurm.gpus is not None:
            raise UserError("--gpus and --device cpu contradict each other; give one of them")
        self.slurm.check()

    def resources(
        self, check_device: Callable[[str], str], *, threads: int, places: Places, folder: Path
    ) -> tuple[Resources, str]:
        """Return what to run on, and a warning or nothing.

        Args:
            check_device: Returns the device of this machine that a name means.
            threads: Threads of a run on the CPU.
            places: Where the workers find the suite's data.
            folder: The suite's folder of results.

        Raises:
            UserError: There is no such device, or it contradicts other options.
        """
        if self.scheduler is not None:
            return Resources(self.device, scheduler=self.scheduler, places=places), ""
        if self.cluster is not None:
            device, options = self._slurm_device()
            jobs = SlurmJobs(self.workers or 0, threads, options, folder.resolve() / "slurm")
            return Resources(device, workers=jobs.count, places=places, slurm=jobs), ""
        device = check_device(self.device)
        gpus = visible_gpus(os.environ, _gpus(device), device)
        cores = len(os.sched_getaffinity(0))
        local = seats(self.workers, self.workers_per_gpu, gpus=gpus, cores=cores, threads=threads)
        pinned = "cuda" if gpus and local else device  # each worker sees its own GPU alone
        return Resources(pinned, workers=len(local), places=places, seats=local), crowding(local, cores)

    def _slurm_device(self) -> tuple[str, SlurmOptions]:
        """Return the device of runs in jobs, on CUDA with a GPU for each where nothing else was asked for."""
        options = self.slurm
        if self.device == "cuda" and options.gpus is None:
            options = replace(options, gpus="1")
        return "cpu" if options.gpus is None else "cuda", options


def _gpus(device: str) -> int:
    """Return how many GPUs this process sees; asked of torch for CUDA alone."""
    if not device.startswith("cuda"):
        return 0
    import torch

    return torch.cuda.device_count()
