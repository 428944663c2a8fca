"""Report: tables and figures from records, trained by nobody."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import baselines
from benchmark import suites
from benchmark.commands import DEFAULT_RESULTS, chosen, run_app, words
from benchmark.errors import UserError, unknown
from benchmark.statistics import SEED

PORT = 8765
"""Of the live page, unless another is asked for."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    suite: Annotated[str, typer.Option(help="Report the runs of one suite.")] = "",
    paper: Annotated[
        bool, typer.Option("--paper", help="All the paper's tables, cells without records marked missing, and figures.")
    ] = False,
    across: Annotated[
        str | None, typer.Option(help="Aggregate over suites, by comma, or all: ranks, interquartile means, Delta_m.")
    ] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(metavar="A B ...", help="Merge these folders or records.jsonl files instead of --results-dir."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Methods that all others are compared with, by comma. [default: stl, rlw, equal]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = SEED,
    sample: Annotated[
        bool, typer.Option("--sample", help="Report runs on drawn samples, which are no result.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve the page of --suite on this machine and refresh it while runs go on.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=f"Of --watch. [default: {PORT}]")] = None,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to. [default: the results; results/merged with --records]")
    ] = None,
) -> None:
    """Write tables, comparisons, figures and a page from records and plans; nothing is trained, no data are read."""
    paths = [*(records or ()), *(more or ())]
    if more and not records:
        raise UserError(f"{more[0]} belongs to no option; name records after --records")
    if watch and (not suite or paper or across is not None or paths or output):
        raise UserError("--watch goes with --suite NAME, and not with --paper, --across, --records or --output")
    if port is not None and not watch:
        raise UserError("--port belongs to --watch")
    over, references = ",".join(words(across, "--across")), words(reference, "--reference")
    if not (suite or paper or over or paths):
        raise UserError("nothing to report; give --suite NAME, --paper, --across SUITES or --records A B ...")
    if suite and suite not in suites.names():
        raise unknown("suite", suite, suites.names())
    if over not in ("", "all"):
        chosen("suite", over, suites.names())
    if references:
        references = tuple(chosen("reference method", ",".join(references), baselines.names()))
    from benchmark.report.reading import Request
    from benchmark.report.session import run_report

    request = Request(suite, paper, over, tuple(paths), references, seed, sample, results_dir, output)
    if watch:
        from benchmark.report.watch import watch as follow

        follow(request, PORT if port is None else port)
    else:
        run_report(request)


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.report"))
