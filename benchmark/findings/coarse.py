"""CIFAR-100 with coarse classes as auxiliary task, and what the nonlinear combiner's weights do there."""

from pathlib import Path

from benchmark.findings.runs import RESULTS, final_runs, succeeded
from benchmark.findings.tables import compared

FOLDER = RESULTS / "reference/cifar100-coarse"
UNSTABLE = "auxilearn-nonlinear"
SMALL = 0.01
"""Share of the weights below which auxiliary tasks count as given up."""


def coarse(folder: Path = FOLDER) -> str:
    """Return the table of all methods and how far the weights of the nonlinear combiner go."""
    return f"{compared(folder, ('stl', 'equal'))}\n\n{weights(folder)}"


def weights(folder: Path = FOLDER) -> str:
    """Return the largest sum of the nonlinear combiner's weights and in how many runs all auxiliaries are given up."""
    runs = succeeded(final_runs(folder), UNSTABLE)
    sums = [max(sum(row["weight"]) for row in record.epochs) for record in runs]
    ends = [record.epochs[-1]["weight"] for record in runs]
    given_up = sum(sum(end[1:]) < SMALL * sum(end) for end in ends)
    return (
        f"At this rate the weights of `{UNSTABLE}` are not stable: their sum, {len(ends[0])} tasks, reaches "
        f"{min(sums):,.0f} to {max(sums):,.0f} within the {len(runs)} runs, and in {given_up} of them all auxiliary "
        f"tasks together end below {100 * SMALL:.0f} % of it."
    )
