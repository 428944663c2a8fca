"""All figures of a suite that its records can serve, written beside its table."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.arm import Arm
from benchmark.figures.ablations import depth
from benchmark.figures.costs import cost
from benchmark.figures.curves import learning_curves, losses
from benchmark.figures.grids import grids
from benchmark.figures.hypergradients import hypergradients
from benchmark.figures.points import search_points
from benchmark.figures.runs import Runs, collect
from benchmark.figures.style import save, slugs, style
from benchmark.figures.task_weights import task_weights
from benchmark.figures.trials import best_of_trials
from benchmark.figures.weights import draw_weights, final_weights
from benchmark.files import write_whole
from benchmark.record import Record
from benchmark.spec import is_sample
from benchmark.text import spreadsheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILIES: Mapping[str, "Callable[[Sequence[Runs]], Figure | None]"] = {
    "learning_curves": learning_curves,
    "losses": losses,
    "task_weights": task_weights,
    "hypergradients": hypergradients,
    "grid": grids,
    "search_points": search_points,
    "best_of_trials": best_of_trials,
    "cost": cost,
}
"""By file name, drawn of each setting; None where the records have nothing for it."""


def write_figures(
    arms: Sequence[Arm], records: Mapping[str, Record], folder: Path, *, families: bool = True
) -> list[str]:
    """Draw figures as PDF and PNG, write the numbers of the task weights, and return the file names.

    A figure for which the records have nothing is not written. Where there are several settings, the name of a figure
    of one of them ends with it. A suite's own figure takes the place of a common one of the same name.

    Args:
        arms: What was run.
        records: By digest.
        folder: Takes the files.
        families: Whether to draw `FAMILIES` beside task weights and the suite's own, which takes some seconds.
    """
    found = collect(arms, records)
    finals = [record for runs in found.values() for each in runs for record in each.finals]
    sample, written = is_sample(arms[0].data), []
    weights = final_weights(finals)
    if not weights.empty:
        write_whole(folder / "weights.csv", weights.map(spreadsheet).to_csv(index=False))
        written.append("weights.csv")
    with style():
        own = arms[0].suite.figures(finals)
        for name, figure in own.items():
            written += save(figure, folder, name, sample=sample)
    with style(math=False):
        for name, draw in _common(arms, records, found if families else {}).items():
            figure = draw_weights(weights) if name == "weights" and not weights.empty else draw()
            if name not in own and figure is not None:
                written += save(figure, folder, name, sample=sample)
    return written


def _common(
    arms: Sequence[Arm], records: Mapping[str, Record], found: Mapping[str, Sequence[Runs]]
) -> "Mapping[str, Callable[[], Figure | None]]":
    """Return how each figure that is not the suite's own is drawn, by file name."""
    drawn: dict[str, Callable[[], Figure | None]] = {"weights": lambda: None}
    parts = slugs(found)
    for setting, runs in found.items():
        ending = f"-{parts[setting]}" if len(found) > 1 else ""
        for name, draw in FAMILIES.items():
            drawn[f"{name}{ending}"] = partial(draw, runs)
        drawn[f"depth{ending}"] = partial(depth, arms, setting, records.values())
    return drawn
