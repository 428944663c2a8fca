"""Suites with generated labels: their tables, and whether AuxiLearn's gain is one of a larger step."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, listed, origin, paired, percent, succeeded
from benchmark.findings.tables import compared
from benchmark.markdown import pipe_table
from benchmark.statistics import holm

LEARNT = "auxilearn"
OTHERS = ("stl", "maxl-f")
METRIC = "top1"
STEPS = RESULTS / "reference/cifar10-convnet", RESULTS / "rates/cifar10-convnet"


def table(suite: str) -> Callable[[], str]:
    """Return what makes the table of a suite."""
    return lambda: compared(RESULTS / "reference" / suite, OTHERS)


def steps(reference: Path = STEPS[0], rates: Path = STEPS[1]) -> str:
    """Return AuxiLearn against the others at the grid's rates and at rates between these.

    Args:
        reference: Runs of all with the suite's grid.
        rates: Runs of the others with other rates of the optimiser.
    """
    learnt = succeeded(final_runs(reference), LEARNT)
    folders = {"the grid's": reference, "between": rates}
    runs = {(name, where): succeeded(final_runs(folder), name) for name in OTHERS for where, folder in folders.items()}
    scores = by_seed(learnt, METRIC)
    pairs = [paired(scores, by_seed(found, METRIC)) for found in runs.values()]
    p_values = holm([pair.p for pair in pairs]).tolist()
    rows = [
        {
            "method": f"`{name}`",
            "rates searched": where,
            "lr": ", ".join(sorted({f"{dict(record.spec.hyper)['lr']}" for record in found})),
            METRIC: percent(by_seed(found, METRIC).values()),
            f"`{LEARNT}` less it": f"{100 * pair.difference:+.2f}",
            "p (Holm)": p_text(p),
        }
        for ((name, where), found), pair, p in zip(runs.items(), pairs, p_values, strict=True)
    ]
    whence = origin([*learnt, *chain(*runs.values())])
    ends = [record.epochs[-1]["weight"][0] for record in learnt]
    rate = ", ".join(sorted({f"{dict(record.spec.hyper)['lr']}" for record in learnt}))
    return (
        f"{pipe_table(rows)}\n\nThe weight of the main loss that {listed([LEARNT])} (lr {rate}) ends with is "
        f"{sum(ends) / len(ends):.1f} on average. Test {METRIC} in percent, mean ± standard error of {len(learnt)} "
        f"final runs; differences paired by seed, t-test, Holm's correction. {whence}."
    )
