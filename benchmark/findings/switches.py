"""What AuxiLearn's switches change on digits, each against the published form."""

from pathlib import Path

from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, origin, paired, percent, succeeded
from benchmark.markdown import pipe_table
from benchmark.record import Record

FOLDER = RESULTS / "switches/digits"
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
