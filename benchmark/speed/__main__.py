"""Command line of the speed measurements: python -m benchmark.speed NAME."""

import sys
from typing import Annotated

import typer

from benchmark.commands import run_app

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Measure speed as ratios within one run.")


@app.command()
def overhead(
    repeats: Annotated[int, typer.Option(min=1, help="Pairs of epochs to time.")] = 100,
) -> None:
    """Time an epoch through the harness against a bare PyTorch loop doing the same steps."""
    from benchmark.speed.overhead import report

    report(repeats=repeats)


@app.callback()
def choose() -> None:
    """Measure speed as ratios within one run."""


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.speed"))
