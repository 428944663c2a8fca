"""What AuxiLearn's switches change on digits, each against the published form, and what the curvature does in that."""

from pathlib import Path
from statistics import fmean

from benchmark.comparison import p_text
from benchmark.findings.runs import (
    RESULTS,
    by_seed,
    final_runs,
    origin,
    paired,
    percent,
    records_of,
    succeeded,
)
from benchmark.markdown import pipe_table
from benchmark.record import Record

FOLDER = RESULTS / "switches/digits"
AS_PUBLISHED = RESULTS / "reference/digits"
METRIC = "top1"
PUBLISHED = {"mode": "paper", "solver": "neumann", "skip": True, "monotone": True}
"""The switches as published; a run differs from this in one of them at most."""

BASE = "mode=paper"


def switch_of(record: Record) -> str:
    """Return what `--set` was given for a run; the published form is that of mode paper."""
    hyper = dict(record.spec.hyper)
    given = [f"{name}={str(hyper[name]).lower()}" for name, value in PUBLISHED.items() if hyper[name] != value]
    return " ".join(given) or BASE


def switches(folder: Path = FOLDER) -> str:
    """Return accuracy of every switch and method, and the difference from the published form with its interval."""
    runs = succeeded(final_runs(folder))
    methods = list(dict.fromkeys(record.spec.method for record in runs))
    scores: dict[str, dict[str, dict[int, float]]] = {}
    for name in dict.fromkeys([BASE, *map(switch_of, runs)]):
        own = [record for record in runs if switch_of(record) == name]
        scores[name] = {method: by_seed(succeeded(own, method), METRIC) for method in methods}
    rows, p_values = [], list[float]()
    for name, found in scores.items():
        row = {"`--set`": f"`{name}`"}
        for method in methods:
            row[f"`{method}`"] = percent(found[method].values())
            row[f"`{method}` less `{BASE}`"] = ""
            if name != BASE:
                pair = paired(found[method], scores[BASE][method])
                p_values.append(pair.p)
                ends = f"{100 * pair.low:.2f} to {100 * pair.high:.2f}"
                row[f"`{method}` less `{BASE}`"] = f"{100 * pair.difference:+.2f}, {ends}"
        rows.append(row)
    seeds = {record.spec.seed for record in runs}
    return (
        f"{pipe_table(rows)}\n\nTest {METRIC} in percent, mean ± standard error of {len(seeds)} final runs, each row "
        "searched anew; differences paired by seed, with the 95 % interval of the t-test. The smallest of "
        f"{len(p_values)} p-values, before any correction, is {p_text(min(p_values))}. {origin(runs)}."
    )


def cosines(folder: Path = AS_PUBLISHED) -> str:
    """Return how near the published form's direction is to the gradient's own, in final runs and in searches."""
    known = [record for record in records_of(folder) if record.epochs and "cosine_to_identity" in diagnostics(record)]
    rows = []
    for method in dict.fromkeys(record.spec.method for record in known):
        row = {"method": f"`{method}`"}
        for phase, runs in (("final", "final runs"), ("search", "search runs")):
            own = [record for record in known if (record.spec.method, record.spec.phase) == (method, phase)]
            found = [epoch["diagnostics"]["cosine_to_identity"] for record in own for epoch in record.epochs]
            row |= {f"{runs}, mean": f"{fmean(found):.4f}", f"{runs}, lowest": f"{min(found):.4f}"}
        rows.append(row)
    return f"{pipe_table(rows)}\n\nOf all epochs of all runs. {origin(known)}."


def diagnostics(record: Record) -> dict[str, float]:
    """Return the diagnostics of a run's first epoch."""
    return record.epochs[0]["diagnostics"]
