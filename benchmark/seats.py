"""Which GPU and how many threads each local worker process has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Seat:
    """What one local worker process has.

    Attributes:
        threads: Threads of its runs.
        gpu: The one GPU it sees, as `CUDA_VISIBLE_DEVICES` names it; None for a worker that runs on the CPU.
    """

    threads: int
    gpu: str | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that must stand before the process imports torch."""
        variables = {"OMP_NUM_THREADS": str(self.threads), "MKL_NUM_THREADS": str(self.threads)}
        return variables if self.gpu is None else {**variables, VISIBLE: self.gpu}


def visible_gpus(environment: Mapping[str, str], count: int, device: str) -> tuple[str, ...]:
    """Return the GPUs that `device` means, as `CUDA_VISIBLE_DEVICES` names them.

    Args:
        environment: This process's own variables, which may show it a part of the machine's GPUs.
        count: GPUs that this process sees.
        device: `cuda` for all of them, `cuda:N` for one, anything else for none.
    """
    if not device.startswith("cuda"):
        return ()
    named = [name.strip() for name in environment.get(VISIBLE, "").split(",") if name.strip()]
    names = named[:count] if named else [str(index) for index in range(count)]
    _, _, index = device.partition(":")
    return (names[int(index)],) if index else tuple(names)


def seats(
    workers: int | None, per_gpu: int | None, *, gpus: Sequence[str], cores: int, threads: int
) -> tuple[Seat, ...]:
    """Return the local workers, spread over the GPUs in turn.

    On the CPU every run has the suite's number of threads, whatever the number of workers, for bits may depend on
    it; by default there are as many workers as the cores hold. On CUDA, where host threads decide no result, the
    workers share the cores: two teams of threads on the same cores are many times slower than one.

    Args:
        workers: Number of workers that was asked for.
        per_gpu: Workers for each GPU that were asked for, in place of their number.
        gpus: The GPUs to use; empty on the CPU.
        cores: Cores of this machine.
        threads: Threads of a run on the CPU.

    Raises:
        UserError: The two numbers contradict each other, or there is no GPU.
    """
    if per_gpu is not None:
        if not gpus:
            raise UserError("--workers-per-gpu needs --device cuda and a GPU; use --workers N on the CPU")
        if workers is not None:
            raise UserError("--workers and --workers-per-gpu both say how many workers there are; give one of them")
    if not gpus:
        return (Seat(threads),) * (max(1, cores // threads) if workers is None else workers)
    count = len(gpus) * (per_gpu or 1) if workers is None else workers
    share = max(1, cores // max(count, 1))
    return tuple(Seat(share, gpus[number % len(gpus)]) for number in range(count))


def crowding(places: Sequence[Seat], cores: int) -> str:
    """Return a warning where workers have more threads than there are cores; empty where they fit."""
    needed = sum(seat.threads for seat in places)
    if needed <= cores or len(places) < 2:
        return ""
    fit = max(1, cores // max(seat.threads for seat in places))
    return f"{len(places)} workers need {needed} threads on {cores} cores and will slow one another down; {fit} fit"
