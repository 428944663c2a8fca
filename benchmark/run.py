"""Run a suite: search each method's grid, repeat the chosen setting with new seeds, print the table."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

import baselines
from benchmark import suites
from benchmark.attempts import RETRIES
from benchmark.commands import DEFAULT_RESULTS, run_app, words
from benchmark.errors import UserError, unknown
from benchmark.places import DEFAULT_DATA, Places, default_cache
from benchmark.spec import CONTROLS, AskedPrecision, Pruner, Sampler

PRECISIONS = get_args(AskedPrecision)
PROTOCOLS = ("paper", "equal-budget")
SAMPLERS = get_args(Sampler)
PRUNERS = ("none", *get_args(Pruner))

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    suite: Annotated[str, typer.Option(help="Suite to run; see --list.")] = "",
    settings: Annotated[str | None, typer.Option(help="Settings, by comma. [default: all of the suite]")] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Methods, by comma, or all. [default: those of the suite's table in the paper]"),
    ] = None,
    controls: Annotated[
        str | None, typer.Option(help=f"Control tasks to add, by comma: {', '.join(CONTROLS)}. [default: none]")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Final runs of each method. [default: the suite's]")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Local processes or jobs; 0 runs in this one. [default: what cores or GPUs hold]"),
    ] = None,
    workers_per_gpu: Annotated[
        int | None, typer.Option(min=1, help="Local processes for each GPU, in place of --workers. [default: 1]")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a running Dask scheduler to use, such as tcp://host:8786.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="slurm", help="Start the --workers as Slurm jobs, a worker in each.")
    ] = None,
    partition: Annotated[str | None, typer.Option(help="Slurm: partition. [default: the cluster's]")] = None,
    time_limit: Annotated[
        str | None, typer.Option(metavar="[D-]HH:MM:SS", help="Slurm: of a job; one that ends is replaced.")
    ] = None,
    gpus: Annotated[str | None, typer.Option(metavar="[TYPE:]N", help="Slurm: GPUs of a job.")] = None,
    memory: Annotated[str | None, typer.Option(help="Slurm: memory of a job. [default: 8G]")] = None,
    interface: Annotated[
        str | None, typer.Option(help="Slurm: network interface of this machine that nodes reach, such as eth0.")
    ] = None,
    slurm_option: Annotated[
        list[str] | None,
        typer.Option(metavar="name=value", help="Slurm: another option of sbatch, such as account=me (repeatable)."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[
        str, typer.Option(help=f"Of training steps: {', '.join(PRECISIONS)}; auto follows suite and device.")
    ] = "auto",
    fix: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="[method.]name=value", help="Fix a hyper-parameter of all methods or of one (repeatable)."
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="[method.]name=v1,v2", help="Search these values of a hyper-parameter (repeatable)."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Length of training. [default: the suite's]")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Methods that all others are compared with, by comma. [default: stl, rlw, equal where run]"),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="|".join(PROTOCOLS),
            help="What is searched: whole grids, or as many trials for each method, drawn from ranges.",
        ),
    ] = "paper",
    trials: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Search runs of each method under equal-budget.")
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(SAMPLERS), help="What proposes the trials: Optuna's TPE, or random. [default: tpe]"
        ),
    ] = None,
    sampler_seed: Annotated[
        int | None,
        typer.Option(min=0, max=1_000_000, help="Seed of the sampler; another seed draws other trials. [default: 0]"),
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(PRUNERS), help="What ends hopeless trials early: the median stopping rule. [default: none]"
        ),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(min=0, max=100, help="Further attempts at a run that failed; one that diverged is a result."),
    ] = RETRIES,
    rerun: Annotated[
        str | None,
        typer.Option(
            help="Methods, by comma, or all: make their runs again that are older than an edit of their files."
        ),
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Optuna storage URL. [default: a journal file beside the records]")
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Folder of the data sets' official files.")] = DEFAULT_DATA,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Folder of decoded data. [default: the user's folder for caches]")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Run on a small drawn sample of the data; no result comes of it.")
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="none|imagenet|FILE", help="What the network starts from. [default: the suite's; none on samples]"
        ),
    ] = None,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
    wandb: Annotated[
        str | None, typer.Option(help="disabled, offline or online. [default: online with a key, offline without]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; train and download nothing.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List suites and methods.")] = False,
) -> int:
    """Compare methods of auxiliary learning on a suite.

    Each method's grid, or a number of trials of each method, is searched with one seed, the setting that validation
    chose is repeated with new seeds, and the test set is read once a repeat. Finished runs are never repeated: the
    same command goes on where it stopped.
    """
    if list_all:
        from benchmark.terminal import print_listing

        print_listing()
        return 0
    if not suite:
        raise UserError(f"--suite is missing; choose one of: {', '.join(suites.names())}")
    if "," in suite:
        raise UserError(f"--suite takes one suite, not {suite!r}; run the command once for each")
    references = words(reference, "--reference")
    _check_names_at_once(suite, words(methods, "--methods"), words(controls, "--controls"), references)
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    _check_budget(protocol, trials, sampler, sampler_seed, pruner)
    from benchmark.slurm import SlurmOptions
    from benchmark.where import Where

    slurm = SlurmOptions(partition, time_limit, gpus, memory, interface, tuple(slurm_option or ()))
    where = Where(device, workers, workers_per_gpu, scheduler, cluster, slurm)
    where.check()
    from benchmark.plan import Options
    from benchmark.session import Request, run_session

    options = Options(
        suite=suite,
        settings=words(settings, "--settings"),
        methods=words(methods, "--methods"),
        controls=words(controls, "--controls"),
        seeds=seeds,
        epochs=epochs,
        precision=cast(AskedPrecision, precision),
        fixed=_pairs(fix or (), "--set"),
        trials=trials,
        sampler=cast(Sampler, sampler or SAMPLERS[0]),
        sampler_seed=sampler_seed or 0,
        pruner=None if pruner in (None, "none") else cast(Pruner, pruner),
        places=Places(data_dir, cache_dir or default_cache(), sample, weights, downloads=not dry_run),
        grid={name: words(value, "--grid") for name, value in _pairs(grid or (), "--grid").items()},
    )
    request = Request(
        options=options,
        where=where,
        storage=storage,
        results=results_dir,
        wandb=wandb,
        references=references,
        dry_run=dry_run,
        retries=retries,
        rerun=words(rerun, "--rerun"),
    )
    return run_session(request)


def _pairs(texts: Iterable[str], name: str) -> dict[str, str]:
    """Return names and values of `name=value`, each name once."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, _, value = (part.strip() for part in text.partition("="))
        if not (key and value.strip(" ,")):
            raise UserError(f"{name} takes name=value, not {text!r}")
        if key in pairs:
            raise UserError(f"{name} names {key!r} twice; give it once")
        pairs[key] = value
    return pairs


def _check_names_at_once(
    suite: str, methods: tuple[str, ...], controls: tuple[str, ...], references: tuple[str, ...]
) -> None:
    """Refuse wrong names before anything slow is imported."""
    if suite not in suites.names():
        raise unknown("suite", suite, suites.names())
    allowed = [*baselines.names(), "all"]
    for method in methods:
        if method not in allowed:
            raise unknown("method", method, allowed)
    for control in controls:
        if control not in CONTROLS:
            raise unknown("control", control, CONTROLS)
    for reference in references:
        if reference not in baselines.names():
            raise unknown("reference method", reference, baselines.names())


def _check_budget(
    protocol: str, trials: int | None, sampler: str | None, sampler_seed: int | None, pruner: str | None
) -> None:
    """Refuse a protocol that does not exist and options that belong to the other one."""
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if sampler is not None and sampler not in SAMPLERS:
        raise unknown("sampler", sampler, SAMPLERS)
    if pruner is not None and pruner not in PRUNERS:
        raise unknown("pruner", pruner, PRUNERS)
    if protocol == "equal-budget":
        if trials is None:
            raise UserError("--protocol equal-budget needs a number of trials; give --trials N")
        return
    given = {"--trials": trials, "--sampler": sampler, "--sampler-seed": sampler_seed, "--pruner": pruner}
    for name, value in given.items():
        if value is not None:
            raise UserError(f"{name} belongs to --protocol equal-budget; protocol {protocol} searches whole grids")


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.run"))
