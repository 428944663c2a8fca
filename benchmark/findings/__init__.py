"""What README.md and results/README.md say of the committed results, made from them: a module a question."""

from collections.abc import Callable, Mapping

from benchmark import suites
from benchmark.findings import budgets, coarse, curvature, harm, regressions, speeds, tables, widths
from benchmark.findings.runs import RESULTS
from benchmark.record import Record


def digits_by_default() -> str:
    """Return the table of the suite's default methods and number of seeds."""
    suite = suites.load("digits")

    def by_default(record: Record) -> bool:
        return record.spec.method in suite.default_methods and record.spec.seed <= suite.final_seeds

    return tables.compared(RESULTS / "reference/digits", (), chosen=by_default)


def generated(suite: str) -> Callable[[], str]:
    """Return what makes the table of a suite whose auxiliary labels are generated."""
    return lambda: tables.compared(RESULTS / "reference" / suite, ("stl", "maxl-f"))


LIBRARY: Mapping[str, Callable[[], str]] = {"outer-steps": speeds.outer_steps}
"""Blocks of auxilearn/README.md."""

README: Mapping[str, Callable[[], str]] = {
    "digits": digits_by_default,
    "illustrative": regressions.illustrative,
    "harmful-tasks": harm.harm,
    "speed-of-data": speeds.data,
    "speed-at-scale": speeds.scale,
    "overhead": speeds.overhead,
}
"""Blocks of README.md."""

RESULTS_PAGE: Mapping[str, Callable[[], str]] = {
    "solutions": regressions.solutions,
    "rates": regressions.rates,
    "noisy": regressions.noisy,
    "mnist": generated("mnist"),
    "mnist-widths": widths.mnist_widths,
    "coarse": coarse.coarse,
    "curvature": curvature.digits,
    "ranking": budgets.ranking,
    "hours": speeds.hours,
}
"""Blocks of results/README.md."""
