"""One command from request to table."""

from dataclasses import dataclass
from pathlib import Path

import torch

from benchmark import terminal, tracking
from benchmark.driver import Outlets, execute
from benchmark.engine import Resources, default_workers, interrupt_on_sigterm
from benchmark.errors import unknown
from benchmark.figures import write_figures
from benchmark.plan import Options, make_plan
from benchmark.record import Store
from benchmark.table import make_table


@dataclass(frozen=True)
class Request:
    """What one command line asks for."""

    options: Options
    device: str
    workers: int | None
    scheduler: str | None
    storage: str | None
    results: Path
    wandb: str
    dry_run: bool


def run_session(request: Request) -> None:
    """Check the request, run what is missing, write and print the table.

    Raises:
        UserError: The request asks for something that is not allowed.
    """
    device = check_device(request.device)
    mode = tracking.choose_mode(request.wandb)
    arms = make_plan(request.options)
    threads = arms[0].suite.threads
    workers = default_workers(device, threads) if request.workers is None else request.workers
    resources = Resources(device=device, workers=workers, scheduler=request.scheduler)
    store = Store(request.results / request.options.suite)
    if request.dry_run:
        store.read()
        terminal.print_plan(arms, store.records, resources)
        return
    interrupt_on_sigterm()
    with store.writing():
        execute(arms, store, resources, Outlets(request.storage, mode))
        table = make_table(arms, store.records)
        files = [*table.write(store.folder), *write_figures(arms, store.records, store.folder)]
    terminal.print_table(table, store.folder, files)


def check_device(name: str) -> str:
    """Return the torch device that `name` means on this machine.

    Raises:
        UserError: There is no such device.
    """
    count = torch.cuda.device_count()
    allowed = ["auto", "cpu", *(["cuda"] if count else []), *(f"cuda:{index}" for index in range(count))]
    if name not in allowed:
        raise unknown("device", name, allowed)
    if name == "auto":
        return "cuda" if count else "cpu"
    return name
