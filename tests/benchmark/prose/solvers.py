"""Ways of approximating the inverse Hessian in committed runs: their scores beside the identity's, and diagnostics."""

from collections.abc import Iterable, Mapping
from statistics import median

from benchmark.findings.curvature import IDENTITY, by_solver
from benchmark.record import Record
from tests.benchmark.prose.scores import Difference, finals, less, scores

DIGITS = "curvature/digits"
LINEAR, NONLINEAR = "auxilearn-linear", "auxilearn-nonlinear"
SETTINGS = ("5-shot", "10-shot")
KEYS = [(setting, method) for setting in SETTINGS for method in (LINEAR, NONLINEAR)]


def solvers(setting: str, method: str, folder: str = DIGITS) -> dict[str, list[Record]]:
    """Return the final runs of a method in a setting by solver."""
    return by_solver(finals(folder, method, setting))


def measured(runs: Iterable[Record], name: str, *, since: int = 1, until: float = float("inf")) -> list[float]:
    """Return a diagnostic in all epochs from one to another, run by run."""
    rows = (row for record in runs for row in record.epochs)
    return [row["diagnostics"][name] for row in rows if since <= row["epoch"] <= until]


def gains(setting: str, method: str, folder: str = DIGITS) -> dict[str, Difference]:
    """Return how solvers differ from the identity."""
    own = {name: scores(runs) for name, runs in solvers(setting, method, folder).items()}
    return less({name: found for name, found in own.items() if name != IDENTITY}, own[IDENTITY])


def lengths(found: Mapping[str, Iterable[Record]]) -> dict[str, float]:
    """Return the median over the epochs of the hypergradient's norm by solver."""
    return {name: median(measured(runs, "hypergradient_norm")) for name, runs in found.items()}
