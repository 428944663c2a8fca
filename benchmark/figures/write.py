"""All figures of a suite that its records can serve, written beside its table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from benchmark.figures.style import retitle, save, slugs, style
from benchmark.figures.task_weights import task_weights
from benchmark.figures.trials import best_of_trials
from benchmark.figures.weights import draw_weights, final_weights
from benchmark.files import write_whole
from benchmark.record import Record
from benchmark.spec import is_sample
from benchmark.text import spreadsheet

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    Draw = Callable[[], Figure | None]

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
    arms: Sequence[Arm],
    records: Mapping[str, Record],
    folder: Path,
    *,
    families: bool = True,
    depths: bool = True,
    plan: str = "",
) -> list[str]:
    """Draw figures as PDF and PNG, write the numbers of the task weights, and return the file names.

    A figure for which the records have nothing is not written. Where the suite has several settings, the name of a
    figure of one of them ends with it. A suite's own figure takes the place of a common one of the same name.

    Args:
        arms: What was run.
        records: By digest.
        folder: Takes the files.
        families: Whether to draw `FAMILIES` beside task weights and the suite's own, which takes some seconds.
        depths: Whether to draw results against depth, which plans that differ in values alone have in common.
        plan: What tells the plan from others of its suite, said in every figure; empty where nothing needs to.
    """
    found = collect(arms, records, plan=plan)
    finals = [record for runs in found.values() for each in runs for record in each.finals]
    sample, written = is_sample(arms[0].data), []
    weights = final_weights(finals)
    if not weights.empty:
        write_whole(folder / "weights.csv", weights.map(spreadsheet).to_csv(index=False))
        written.append("weights.csv")
    with style():
        own = arms[0].suite.figures(finals)
        for name, figure in own.items():
            _say(plan, figure)
            written += save(figure, folder, name, sample=sample)
    with style(math=False):
        endings = _endings(arms[0].suite.settings)
        drawn: dict[str, Draw] = {"weights": partial(_weights, weights, plan)}
        if families:
            drawn |= _by_setting(found, endings)
        if families and depths:
            drawn |= _by_depth(arms, records, found, plan, endings)
        for name, draw in drawn.items():
            figure = None if name in own else draw()
            if figure is not None:
                written += save(figure, folder, name, sample=sample)
    return written


def _weights(weights: "pd.DataFrame", plan: str) -> "Figure | None":
    if weights.empty:
        return None
    figure = draw_weights(weights)
    _say(plan, figure)
    return figure


def _say(plan: str, figure: "Figure") -> None:
    """Name the plan in the title of a figure whose footnote does not."""
    if plan:
        retitle(figure, ": ".join(filter(None, [figure.get_suptitle(), plan])))


def _by_setting(found: Mapping[str, Sequence[Runs]], endings: Mapping[str, str]) -> "dict[str, Draw]":
    """Return how the figures of each setting are drawn, by file name."""
    return {
        f"{name}{endings[setting]}": partial(draw, runs)
        for setting, runs in found.items()
        for name, draw in FAMILIES.items()
    }


def _by_depth(
    arms: Sequence[Arm],
    records: Mapping[str, Record],
    found: Iterable[str],
    plan: str,
    endings: Mapping[str, str],
) -> "dict[str, Draw]":
    """Return how results against depth are drawn, by file name, from records of all depths."""
    return {f"depth{endings[name]}": partial(depth, arms, name, records.values(), plan=plan) for name in found}


def _endings(settings: Sequence[str]) -> dict[str, str]:
    """Return what the names of files of each of a suite's settings end with; nothing where it has one alone."""
    return {name: f"-{part}" if len(settings) > 1 else "" for name, part in slugs(settings).items()}
