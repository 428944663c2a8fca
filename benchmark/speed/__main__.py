"""Command line of the speed measurements: python -m benchmark.speed NAME."""

import sys
from typing import Annotated

import typer

from benchmark.commands import run_app
from benchmark.errors import UserError


def whole_numbers(text: str) -> list[int]:
    """Return the positive whole numbers between commas."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise UserError(f"give positive whole numbers by comma, not {text!r}")
    return [int(word) for word in words]


app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Measure speed as ratios within one run.")


@app.command()
def overhead(
    repeats: Annotated[int, typer.Option(min=1, help="Pairs of epochs to time.")] = 100,
) -> None:
    """Time an epoch through the harness against a bare PyTorch loop doing the same steps."""
    from benchmark.speed.overhead import report

    report(repeats=repeats)


@app.command()
def hypergradient(
    auxiliaries: Annotated[str, typer.Option(help="Numbers of auxiliary tasks, by comma.")] = "2,12,40,312",
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, in each of which every variant is timed once.")] = 7,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Time and measure an outer step of AuxiLearn against a step of equal weighting on ResNet-18."""
    from benchmark.speed.hypergradient import report

    report(whole_numbers(auxiliaries), repeats=repeats, device=device)


@app.callback()
def choose() -> None:
    """Measure speed as ratios within one run."""


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.speed"))
