"""Command line of the speed measurements: python -m benchmark.speed NAME."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import baselines
from benchmark import suites as all_suites
from benchmark.commands import DEFAULT_RESULTS, chosen, run_app
from benchmark.errors import UserError

TASK_COUNTS = (2, 12, 40, 312)
PAGE_SUITE, PAGE_RECORDS = "digits", DEFAULT_RESULTS / "reference"
MORE = typer.Argument(metavar="[N]...", help="Further numbers of auxiliary tasks.")


def whole_numbers(*texts: str) -> list[int]:
    """Return the positive whole numbers of texts, each once; within a text they stand between commas."""
    words = [word.strip() for text in texts for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise UserError(f"give positive whole numbers, not {' '.join(texts)!r}")
    return list(dict.fromkeys(map(int, words)))


def task_counts(first: str | None, more: Sequence[str] | None) -> list[int]:
    """Return the numbers of an option and of the words after it, `--tasks 2 12` or `--tasks 2,12`."""
    texts = [*([] if first is None else [first]), *(more or ())]
    return whole_numbers(*texts) if texts else list(TASK_COUNTS)


def method_names(text: str | None) -> list[str]:
    """Return the names between commas, or all there are."""
    return chosen("method", text, baselines.names())


def one(what: str, text: str, names: Sequence[str]) -> str:
    """Return the single name that a text is."""
    first, *more = chosen(what, text, names)
    if more:
        raise UserError(f"give one {what}, not {text}")
    return first


app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Measure speed as ratios within one run.")


@app.command()
def overhead(
    repeats: Annotated[int, typer.Option(min=1, help="Pairs of epochs to time.")] = 100,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time an epoch through the harness against a bare PyTorch loop doing the same steps."""
    from benchmark.speed.overhead import FILE, report

    report(repeats=repeats, path=results_dir / FILE)


@app.command()
def methods(
    more: Annotated[list[str] | None, MORE] = None,
    tasks: Annotated[str | None, typer.Option(help="Numbers of auxiliary tasks. [default: 2 12 40 312]")] = None,
    names: Annotated[str | None, typer.Option("--methods", help="Methods, by comma. [default: all]")] = None,
    variants: Annotated[
        bool, typer.Option("--variants", help="Also measure other settings, and torchjd used directly.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Turns in which a cheap method is timed.")] = 5,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time and measure a step of every method against a step of equal weighting on ResNet-18."""
    from benchmark.speed.costs import FILE
    from benchmark.speed.methods import report

    report(
        task_counts(tasks, more),
        methods=method_names(names),
        repeats=repeats,
        device=device,
        everything=variants,
        path=results_dir / FILE,
    )


@app.command()
def hypergradient(
    more: Annotated[list[str] | None, MORE] = None,
    auxiliaries: Annotated[str | None, typer.Option(help="Numbers of auxiliary tasks. [default: 2 12 40 312]")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, in each of which every variant is timed once.")] = 7,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time and measure an outer step of AuxiLearn against a step of equal weighting on ResNet-18."""
    from benchmark.speed.hypergradient import FILE, report

    report(task_counts(auxiliaries, more), repeats=repeats, device=device, path=results_dir / FILE)


@app.command()
def images(
    batch: Annotated[
        str | None, typer.Option(help="Images a batch, by comma. [default: 64, on CUDA 64 and 256]")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps that are timed at once. [default: 1, on CUDA 20]")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Turns in which all are timed.")] = 7,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time steps of ResNet-18 at 224 px against a bare PyTorch loop and the device's limit; needs no data."""
    from benchmark.speed.images import FILE, report

    batches = [] if batch is None else whole_numbers(batch)
    report(batches=batches, steps=steps, repeats=repeats, device=device, path=results_dir / FILE)


@app.command()
def layout(
    suite: Annotated[str, typer.Option(help="Suites of images, by comma.")] = "mnist,cifar100-coarse,svhn,cifar10",
    repeats: Annotated[int, typer.Option(min=1, help="Turns in which both are timed.")] = 7,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time steps and evaluation of networks of images with their channels last against channels first."""
    from benchmark.speed.layout import FILE, report

    names = chosen("suite", suite, all_suites.names())
    report(names, repeats=repeats, device=device, path=results_dir / FILE)


@app.command()
def data(
    images: Annotated[int, typer.Option(min=1, help="Original files to draw.")] = 512,
    repeats: Annotated[int, typer.Option(min=1, help="Epochs to time of each way, in turns.")] = 7,
    workers: Annotated[int, typer.Option(min=0, help="Processes of the DataLoader.")] = 2,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time augmented batches of images, decoded once, against a DataLoader over the original files."""
    from benchmark.speed.data import FILE, report

    report(images=images, repeats=repeats, workers=workers, device=device, path=results_dir / FILE)


@app.command()
def suites(
    suite: Annotated[str | None, typer.Option(help="Suites, by comma. [default: all]")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Timed steps; long ones are timed once.")] = 5,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time a step and the evaluation of each suite's default methods at full size; needs no data."""
    from benchmark.speed.suite_costs import FILE
    from benchmark.speed.suites import report

    report(chosen("suite", suite, all_suites.names()), steps=steps, device=device, path=results_dir / FILE)


@app.command()
def checkpoint(
    repeats: Annotated[int, typer.Option(min=1, help="Checkpoints to write.")] = 7,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results, on the disk to measure.")] = DEFAULT_RESULTS,
) -> None:
    """Time a checkpoint of ResNet-18 with Adam, against the time between two of them."""
    from benchmark.speed.checkpoints import FILE, report

    report(repeats=repeats, device=device, path=results_dir / FILE)


@app.command()
def sharing(
    processes: Annotated[str, typer.Option(help="Numbers of processes, by comma.")] = "1,2,4,8",
    suite: Annotated[str, typer.Option(help="Suite whose steps are timed.")] = "cub",
    methods: Annotated[str, typer.Option(help="Methods of it, by comma.")] = "equal,auxilearn-nonlinear",
    steps: Annotated[int, typer.Option(min=1, help="Steps of each process that are timed at once.")] = 20,
    repeats: Annotated[int, typer.Option(min=1, help="Turns in which all numbers are timed.")] = 3,
    device: Annotated[str, typer.Option(help="cuda or cuda:N.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time steps of a suite in several processes that share a GPU; needs no data."""
    from benchmark.speed.sharing import FILE, report

    report(
        whole_numbers(processes),
        suite=one("suite", suite, all_suites.names()),
        methods=method_names(methods),
        steps=steps,
        repeats=repeats,
        device=device,
        path=results_dir / FILE,
    )


@app.command()
def scale(
    cells: Annotated[int, typer.Option(min=2, help="Runs of each turn.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, help="Length of a run.")] = 100,
    empty: Annotated[int, typer.Option(min=1, help="Cells of the campaign without training.")] = 10_000,
    repeats: Annotated[int, typer.Option(min=1, help="Turns of one and two workers; checkpoints to write.")] = 3,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results, on the disk to measure.")] = DEFAULT_RESULTS,
) -> None:
    """Measure runs a minute by workers, empty cells a second, memory of the driver, checkpoints, start of a worker."""
    from benchmark.speed.scale import FILE, report

    report(cells=cells, empty_cells=empty, epochs=epochs, repeats=repeats, path=results_dir / FILE)


@app.command()
def page(
    suite: Annotated[str, typer.Option(help="Suite whose records are shown.")] = PAGE_SUITE,
    repeats: Annotated[int, typer.Option(min=1, help="Times to load it.")] = 7,
    records: Annotated[Path, typer.Option(help="Folder of results with the records that are shown.")] = PAGE_RECORDS,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Time how long the report page takes to load in headless Chromium."""
    from benchmark.speed.page import FILE, report

    shown = one("suite", suite, all_suites.names())
    report(suite=shown, repeats=repeats, records=records, path=results_dir / FILE)


@app.callback(invoke_without_command=True)
def choose(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Make every measurement with its defaults.")] = False,
    device: Annotated[str | None, typer.Option(help="Under --all: cpu or cuda. [default: cpu]")] = None,
    results_dir: Annotated[
        Path | None, typer.Option(help=f"Under --all: folder of the results. [default: {DEFAULT_RESULTS}]")
    ] = None,
) -> int:
    """Measure speed as ratios within one run."""
    name = context.invoked_subcommand
    if everything and name:
        raise UserError(f"--all makes every measurement; leave out either --all or {name}")
    if name and (device or results_dir):
        raise UserError(f"options of {name} stand after its name")
    if name:
        return 0
    commands = context.command.commands  # type: ignore[attr-defined]
    if not everything:
        raise UserError(f"say what to measure: --all, or one of: {', '.join(commands)}")
    from benchmark.speed import page as pages
    from benchmark.speed import sharing as shared
    from benchmark.speed.everything import run_all

    where = device or "cpu"
    absent = {"page": lambda: pages.lacking(PAGE_SUITE, PAGE_RECORDS), "sharing": lambda: shared.lacking(where)}
    return run_all(commands, device=where, results=results_dir or DEFAULT_RESULTS, lacking=absent)


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.speed"))
