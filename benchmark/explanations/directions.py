"""How long the directions of methods that weigh gradients are, and what a nudge at the start does to their ends.

On the regression of Section 5.1, where three tasks share two parameters.

Command line: python -m benchmark.explanations.directions.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
import typer
from torch import Tensor

from auxilearn import GradientWeighting, Parts
from benchmark.commands import DEFAULT_RESULTS, run_app
from benchmark.errors import UserError
from benchmark.plugins import load_suite
from benchmark.record import Record, Store
from benchmark.spec import Spec
from benchmark.speed import rows
from benchmark.speed.measurement import CPU, rounded
from benchmark.speed.timing import origin, provenance
from benchmark.suite import Suite
from benchmark.terminal import console
from benchmark.train import Training

FILE = Path("explanations") / "directions.csv"
"""Where in the folder of results the measurements are."""

SUITE = "illustrative"
METHODS = ("aligned-mtl", "cagrad", "imtl-g", "mgda", "pcgrad")
"""Those whose direction is a rule on the inner products of gradients."""

NUDGE = 1e-6
"""By how much each parameter, which starts at 0, is off at the start of the other run."""

LONG = 3
"""From how many times the longest gradient on a direction counts as long."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Directions(rows.Row):
    """The directions of one run's steps.

    Attributes:
        method: What was trained.
        seed: Of the run.
        steps: Number of steps.
        beyond: Steps whose direction is more than `LONG` times as long as the longest gradient.
        longest: The longest direction of a step, as a multiple of the longest gradient there.
        distance: Of the found minimum from the true solution.
        nudged: The same of a run whose parameters start off by `NUDGE`.
    """

    called: ClassVar[str] = "lengths of directions"

    method: str
    seed: int
    steps: int
    beyond: int
    longest: float
    distance: float
    nudged: float

    @property
    def key(self) -> tuple[str, int]:
        """What is measured."""
        return self.method, self.seed


@app.command()
def command(
    results_dir: Annotated[Path, typer.Option(help="Folder of the results, with the runs.")] = DEFAULT_RESULTS,
) -> None:
    """Train the final runs on the regression again, as they were and from a start that is a little off."""
    path = results_dir / FILE
    rows.read(path, Directions)  # a file of something else is refused before the work
    runs = [run for method in METHODS for run in final_runs(results_dir, method)]
    suite = load_suite(SUITE)
    torch.set_num_threads(suite.threads)
    out = console()
    for run in runs:
        found = measured(suite, run.spec)
        rows.add(path, [found], Directions)
        ends = f"{found.distance:.4g} from the solution, nudged {found.nudged:.4g}"
        out.print(f"{found.method}, seed {found.seed}: longest {found.longest:.3g}, {ends}", soft_wrap=True)
    out.print(f"{provenance(CPU)}\nWritten to {path}.", soft_wrap=True)


def final_runs(results: Path, method: str) -> list[Record]:
    """Return the final runs of a method in the folder of results, by seed.

    Raises:
        UserError: There are none.
    """
    store = Store(results / "reference" / SUITE)
    store.read()
    runs = [r for r in store.records.values() if (r.spec.method, r.spec.phase) == (method, "final")]
    if not runs:
        raise UserError(f"{store.folder} has no final run of {method}")
    return sorted(runs, key=lambda run: run.spec.seed)


def measured(suite: Suite, spec: Spec) -> Directions:
    """Train a run twice, the second time nudged, and return the lengths of the first one's directions."""
    training = Training(suite, spec, CPU)
    lengths = noted_lengths(training.method)
    distance = training.finish()["test"]["distance"]
    other = Training(suite, spec, CPU)
    with torch.no_grad():
        for parameter in other.problem.model.parameters():
            parameter.add_(NUDGE)
    return Directions(
        method=spec.method,
        seed=spec.seed,
        steps=len(lengths),
        beyond=sum(length > LONG for length in lengths),
        longest=rounded(max(lengths)),
        distance=rounded(distance),
        nudged=rounded(other.finish()["test"]["distance"]),
        **origin(CPU),
    )


def noted_lengths(method: object) -> list[float]:
    """Have a method note, step by step, its direction's length as a multiple of the longest gradient's; return them."""
    assert isinstance(method, GradientWeighting)
    lengths: list[float] = []
    rule = method.rule

    def noting(parts: Parts) -> Tensor:
        weights = rule(parts)
        squared = weights.double() @ parts.gramian @ weights.double()
        lengths.append((squared.clamp(min=0) / parts.gramian.diagonal().max()).sqrt().item())
        return weights

    vars(method)["rule"] = noting
    return lengths


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.explanations.directions"))
