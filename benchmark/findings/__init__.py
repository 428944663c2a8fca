"""What README.md and results/README.md say of the committed results, made from them: a module a question."""

from collections.abc import Callable, Mapping

from benchmark import suites
from benchmark.findings import (
    coarse,
    curvature,
    directions,
    generated,
    harm,
    held,
    labels,
    parts,
    rankings,
    regressions,
    speeds,
    static,
    switches,
    tables,
    untrained,
    widths,
)
from benchmark.findings.runs import RESULTS
from benchmark.record import Record


def digits_by_default() -> str:
    """Return the table of the suite's default methods and number of seeds."""
    suite = suites.load("digits")

    def by_default(record: Record) -> bool:
        return record.spec.method in suite.default_methods and record.spec.seed <= suite.final_seeds

    return tables.compared(RESULTS / "reference/digits", (), chosen=by_default)


LIBRARY: Mapping[str, Callable[[], str]] = {"outer-steps": speeds.outer_steps}
"""Blocks of auxilearn/README.md."""

FAITHFUL: Mapping[str, Callable[[], str]] = {"cosines": switches.cosines, "switches": switches.switches}
"""Blocks of docs/faithful.md."""

README: Mapping[str, Callable[[], str]] = {
    "digits": digits_by_default,
    "illustrative": regressions.illustrative,
    "harmful-tasks": harm.harm,
    "speed-of-data": speeds.data,
    "speed-at-scale": speeds.scale,
    "speed-of-images": speeds.images,
    "speed-of-layout": speeds.layout,
    "overhead": speeds.overhead,
}
"""Blocks of README.md."""

RESULTS_PAGE: Mapping[str, Callable[[], str]] = {
    "data": held.data,
    "solutions": regressions.solutions,
    "directions": directions.lengths,
    "rates": regressions.rates,
    "noisy": regressions.noisy,
    "mnist": generated.table("mnist"),
    "mnist-apart": lambda: generated.apart(*generated.folders("mnist")),
    "mnist-widths": widths.mnist_widths,
    "cifar10": generated.table("cifar10-convnet"),
    "cifar10-finer": generated.finer_of("cifar10-convnet"),
    "cifar10-parts": parts.table("cifar10-convnet"),
    "cifar100": generated.table("cifar100-convnet"),
    "cifar100-finer": generated.finer_of("cifar100-convnet"),
    "cifar100-parts": parts.table("cifar100-convnet"),
    "labels": labels.moved,
    "coarse": coarse.coarse,
    "static-weights": static.table,
    "controls": coarse.without_controls,
    "coarse-searched": coarse.searched,
    "rates-coarse": rankings.rates_coarse,
    "lower-coarse": rankings.lower_coarse,
    "full-length-coarse": rankings.full_length_coarse,
    "full-length-alone": rankings.full_length_alone,
    "static-full-length": static.full_length,
    "curvature": curvature.table("digits"),
    "curvature-lengths": curvature.table("digits", folder="equal-lengths"),
    "curvature-same-rates": curvature.table("digits", folder="same-rates"),
    "untrained": untrained.untrained,
    "curvature-mnist": curvature.table("mnist"),
    "curvature-coarse": curvature.table("cifar100-coarse"),
    "ranking": rankings.ranking,
    "ranking-wider": rankings.wider,
    "ranking-coarse": rankings.ranking_coarse,
    "hours": speeds.hours,
    "hours-of-table-1": speeds.one_table,
}
"""Blocks of results/README.md."""
