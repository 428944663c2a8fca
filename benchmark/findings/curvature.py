"""Does the inverse Hessian help? AuxiLearn's solvers beside leaving the curvature out."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, origin, paired, percent, records_of, succeeded
from benchmark.markdown import ABSENT, pipe_table
from benchmark.record import Record
from benchmark.statistics import ALPHA, holm

FOLDERS = tuple(RESULTS / "curvature" / suite for suite in ("digits", "mnist", "cifar100-coarse"))
METRIC = "top1"
IDENTITY = "identity"
TERMS = ("neumann", "cg", "nystrom")
"""Solvers whose number of products with the Hessian is chosen."""

Key = tuple[str, str]
"""Setting and method."""


class Test(NamedTuple):
    """A solver against the identity: mean difference, p-value corrected for a method in a setting, and uncorrected."""

    difference: float
    corrected: float
    p: float


def solver_of(record: Record) -> str:
    """Return what a run's hypergradient makes of the inverse Hessian, in the words of the command line."""
    hyper = dict(record.spec.hyper)
    name = str(hyper["solver"])
    if name not in TERMS:
        return name
    mode = " (mode paper)" if name == "neumann" and hyper["mode"] == "paper" else ""
    damping = damping_of(record)
    damped = f", damping {damping:g}" if damping and name != "nystrom" else ""  # which cannot do without
    return f"{name} {hyper['terms']}{damped}{mode}"


def table(suite: str, *, folder: str = "curvature") -> Callable[[], str]:
    """Return what makes the table of a suite, of its runs in a folder of the results."""
    return lambda: curvature(RESULTS / folder / suite)


def curvature(folder: Path) -> str:
    """Return accuracy, cosine to the gradient without curvature and cost of every solver, and the answer."""
    runs = succeeded(final_runs(folder))
    settings = suites.load(folder.name).settings
    keys = sorted(
        {(record.spec.setting, record.spec.method) for record in runs}, key=lambda key: (settings.index(key[0]), key[1])
    )
    rows, told = [], []
    for key in keys:
        own = by_solver(record for record in runs if (record.spec.setting, record.spec.method) == key)
        tests = _tests(own)
        rows += [_row(key, name, own, tests) for name in own]
        told += [(key, name, test) for name, test in tests.items()]
    return f"{pipe_table(rows)}\n\n{_answer(told)} {_caption(folder, runs)}"


def by_solver(runs: Iterable[Record]) -> dict[str, list[Record]]:
    """Return runs by solver, the one without curvature first."""
    found: dict[str, list[Record]] = {}
    for record in runs:
        found.setdefault(solver_of(record), []).append(record)

    def place(item: tuple[str, list[Record]]) -> tuple[bool, int, float, str]:
        name, (first, *_) = item
        return name != IDENTITY, products(first), damping_of(first), name

    return dict(sorted(found.items(), key=place))


def damping_of(record: Record) -> float:
    """Return what a run adds to the Hessian's diagonal."""
    return float(str(dict(record.spec.hyper)["damping"]))


def products(record: Record) -> int:
    """Return the most products with the Hessian that an outer step of a run takes."""
    hyper = dict(record.spec.hyper)
    terms = int(str(hyper["terms"]))
    return {IDENTITY: 0, "nystrom": terms + 1}.get(str(hyper["solver"]), terms)


def _tests(own: dict[str, list[Record]]) -> dict[str, Test]:
    """Return how every other solver differs from the identity; nothing without the identity."""
    plain = by_seed(own.get(IDENTITY, ()), METRIC)
    if len(plain) < 2:
        return {}
    pairs = {}
    for name, runs in own.items():
        if name != IDENTITY:
            pairs[name] = paired(by_seed(runs, METRIC), plain)
    corrected = holm([pair.p for pair in pairs.values()]).tolist()
    return {name: Test(pair.difference, p, pair.p) for (name, pair), p in zip(pairs.items(), corrected, strict=True)}


def _row(key: Key, name: str, own: dict[str, list[Record]], tests: dict[str, Test]) -> dict[str, str]:
    runs, test = own[name], tests.get(name)
    return {
        "setting": key[0],
        "method": f"`{key[1]}`",
        "inverse Hessian": name,
        METRIC: percent(by_seed(runs, METRIC).values()),
        "less identity": ABSENT if test is None else f"{100 * test.difference:+.2f}",
        "p (Holm)": ABSENT if test is None else p_text(test.corrected),
        "rates": ", ".join(_rate(runs, name) for name in ("lr", "auxiliary_lr")),
        "norm": f"{median(_values(runs, 'hypergradient_norm')):.3g}",
        "clipped": f"{100 * _mean(runs, 'clipped'):.0f} %",
        "cosine to identity": f"{_mean(runs, 'cosine_to_identity'):.4f}",
        "residual": ABSENT if name == IDENTITY else f"{_mean(runs, 'residual'):.3f}",
        "stopped": f"{100 * _mean(runs, 'stopped'):.0f} %" if name.startswith(("neumann", "cg")) else ABSENT,
        "products": str(products(runs[0])),
    }


def _mean(runs: Sequence[Record], name: str) -> float:
    """Return the mean of a diagnostic over all epochs in which it was measured."""
    known = _values(runs, name)
    return sum(known) / len(known)


def _values(runs: Sequence[Record], name: str) -> list[float]:
    """Return a diagnostic in all epochs in which it was measured; NaN alone where it never was."""
    values = [row["diagnostics"].get(name) for record in runs for row in record.epochs]
    return [value for value in values if value is not None] or [float("nan")]


def _rate(runs: Sequence[Record], name: str) -> str:
    """Return the value of a hyper-parameter that runs have, or all that they have."""
    return " or ".join(sorted({f"{dict(record.spec.hyper)[name]}" for record in runs}))


def _answer(told: Sequence[tuple[Key, str, Test]]) -> str:
    if not told:
        return "There are no runs without curvature (`solver=identity`) to compare with."
    sure = [(key, name, test.difference) for key, name, test in told if test.corrected < ALPHA]
    largest = max(abs(test.difference) for _, _, test in told)
    if len(told) == 1:
        verdict = "significant" if sure else "not significant"
        return (
            f"The comparison with leaving the curvature out (`solver=identity`) is {verdict}: a mean difference of "
            f"{100 * told[0][2].difference:+.2f} percentage points."
        )
    if not sure:
        return (
            f"None of {len(told)} comparisons with leaving the curvature out (`solver=identity`) is significant; "
            f"the largest mean difference is {100 * largest:.2f} percentage points."
        )
    better = sum(difference > 0 for _, _, difference in sure)
    named = "; ".join(f"{name}, {key[0]}, `{key[1]}`: {100 * difference:+.2f}" for key, name, difference in sure)
    together = holm([test.p for _, _, test in told])
    kept = sum(p < ALPHA for p in together.tolist())
    return (
        f"Of {len(told)} comparisons with leaving the curvature out (`solver=identity`), {better} are significantly "
        f"better and {len(sure) - better} significantly worse ({named} percentage points), each corrected for the "
        f"solvers of its method and setting; corrected for all {len(told)} at once, {kept} are (smallest p "
        f"{p_text(min(together.tolist()))})."
    )


def _caption(folder: Path, runs: Sequence[Record]) -> str:
    counts = len({record.spec.seed for record in runs})
    finals = final_runs(folder)
    lost = f" {len(finals) - len(runs)} of {len(finals)} final runs gave no result and are left out." * (runs != finals)
    searched = any(record.spec.phase == "search" for record in records_of(folder))
    rates = "after each solver's own search" if searched else "with the same rates for every solver"
    return (
        f"Test {METRIC} in percent, mean ± standard error of {counts} final runs {rates}; "
        "differences paired by seed, t-test, Holm's correction for the solvers of a method in a setting. Rates: of the "
        "network and of the outer step. Norm: median over the epochs of the hypergradient's; clipped: share of outer "
        "steps in which it was longer than allowed; stopped: in which a series ended early, as its residual grew or, "
        "with cg, the curvature was negative; these, cosine and residual are means over the epochs. Residual: "
        "|Hv - g| / |g|; of Neumann series v is without its last term, and in mode `paper`, which leaves the factor "
        "alpha of the series out, times alpha; 1 in steps in which cg met negative curvature at once. Products: with "
        f"the Hessian in an outer step, at most; each costs about two training steps.{lost} {origin(runs)}."
    )
