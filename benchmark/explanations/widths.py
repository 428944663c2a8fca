"""How far MNIST's single task depends on the network's widths, which the preprint does not give.

Command line: python -m benchmark.explanations.widths --data-dir DATA.
"""

import statistics
import sys
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmark.commands import DEFAULT_RESULTS, run_app
from benchmark.errors import UserError
from benchmark.places import DEFAULT_DATA, Places
from benchmark.plan import Options, arms_of
from benchmark.plugins import load_suite
from benchmark.speed import rows
from benchmark.speed.measurement import CPU, Measurement, conclude, load_average, measurement
from benchmark.speed.timing import origin
from benchmark.suites.mnist import MNIST
from benchmark.train import Training

FILE = Path("explanations") / "mnist-widths.csv"
"""Where in the folder of results the measurements are."""

SETTING = "5%"
POINT = {"lr": "0.001", "weight_decay": "0.0005"}
"""What the suite's search finds for the single task at 5 %."""

WIDTHS = ((32, 64), (16, 32), (8, 16), (4, 8))
"""Channels of the two layers; the suite's own are the first."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    data_dir: Annotated[Path, typer.Option(help="Folder of MNIST's official files.")] = DEFAULT_DATA,
    seeds: Annotated[int, typer.Option(min=2, help="Final runs with each network.")] = 5,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
) -> None:
    """Train MNIST's single task with narrower networks and put their test accuracies into a file."""
    path, places = results_dir / FILE, Places(data_dir)
    before = rows.read(path, Measurement)  # a file of something else is refused before the work
    if lack := load_suite("mnist", places).shortfall():
        raise UserError(f"{data_dir} does not have all of MNIST: {lack}")
    load, (device, commit) = load_average(), itemgetter("device", "commit")(origin(CPU))
    same = (row for row in before if (row.device, row.commit, row.turns) == (device, commit, seeds))
    found = {row.what: row for row in same if not commit.endswith("+")}
    for first, second in WIDTHS:
        what = f"mean test top1 of stl, %, channels {first} and {second}"
        if what not in found:
            scores = [100 * score for score in accuracies((first, second), places, seeds=seeds)]
            detail = f"mnist, {SETTING}, lr {POINT['lr']}, weight decay {POINT['weight_decay']}; a turn is a seed"
            found[what] = measurement(what, scores, detail, load=load, value=statistics.fmean(scores))
            rows.add(path, [found[what]], Measurement)
    conclude(list(found.values()), path)


def accuracies(widths: tuple[int, int], places: Places, *, seeds: int) -> list[float]:
    """Return the test accuracies of the single task's final runs with a network of these widths."""
    suite = type(MNIST.__name__, (MNIST,), {"widths": widths})("mnist", places)
    options = Options("mnist", settings=(SETTING,), methods=("stl",), seeds=seeds, fixed=POINT, places=places)
    (arm,) = arms_of(suite, options)
    torch.set_num_threads(suite.threads)
    return [float(Training(suite, spec, CPU).finish()["test"]["top1"]) for spec in arm.finals({})]


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.explanations.widths"))
