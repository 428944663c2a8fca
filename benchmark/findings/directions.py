"""How long directions are, and what a nudge does to where they end, from `benchmark.explanations.directions`."""

from pathlib import Path
from statistics import median

from benchmark.explanations.directions import FILE, LONG, NUDGE, Directions
from benchmark.findings.runs import RESULTS
from benchmark.markdown import pipe_table
from benchmark.speed.rows import origins, read


def lengths(folder: Path = RESULTS) -> str:
    """Return a table of the methods: their longest directions, and how far a nudge at the start moves the end."""
    found = read(folder / FILE, Directions)
    by_method: dict[str, list[Directions]] = {}
    for run in found:
        by_method.setdefault(run.method, []).append(run)
    rows = []
    for name, runs in by_method.items():
        moved = [abs(run.nudged - run.distance) for run in runs]
        rows.append(
            {
                "method": f"`{name}`",
                "longest direction": f"{max(run.longest for run in runs):.3g}",
                "runs with a long one": f"{sum(run.beyond > 0 for run in runs)} of {len(runs)}",
                "long ones": f"{sum(run.beyond for run in runs)} of {sum(run.steps for run in runs):,} steps",
                "end moved by a nudge": f"{median(moved):.2g}",
                "at most": f"{max(moved):.2g}",
            }
        )
    seeds = len({run.seed for run in found})
    return (
        f"{pipe_table(rows)}\n\nFinal runs with {seeds} seeds, trained again. Directions in multiples of the longest "
        f"of the three gradients of the step; long: more than {LONG}. A nudge: all parameters start off by {NUDGE:g}; "
        "moved: difference in distance from the true solution, median over the runs and largest. "
        f"{origins(found)}."
    )
