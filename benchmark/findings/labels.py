"""What became of generated labels, as `benchmark.explanations.labels` measured it."""

import math
from collections.abc import Sequence
from pathlib import Path

from benchmark.explanations.labels import FILE, SETTING, TRAINED, Labels
from benchmark.findings.runs import RESULTS, percent
from benchmark.generated import SUBCLASSES
from benchmark.markdown import pipe_table
from benchmark.speed.rows import origins, read
from benchmark.statistics import summarize


def moved(folder: Path = RESULTS) -> str:
    """Return what became of the labels."""
    found = read(folder / FILE, Labels)
    table = []
    for each in TRAINED:
        own = [row for row in found if (row.suite, row.method) == (each.suite, each.name)]
        table.append(
            {
                "suite": f"`{each.suite}`",
                "method": each.name,
                "mass moved": f"{summarize([row.moved for row in own]).mean:.2f}",
                "likeliest sub-class changed": f"{100 * summarize([row.changed for row in own]).mean:.0f} %",
                "largest mass": _from_to([row.largest_before for row in own], [row.largest_after for row in own]),
                "bits": _from_to([row.bits_before for row in own], [row.bits_after for row in own]),
                "top1": percent([row.top1 for row in own]),
            }
        )
    return (
        f"{pipe_table(table)}\n\nFinal runs at {SETTING}, trained again; mean ± standard error. Mass moved: share of a "
        "label's mass that lies elsewhere at the end of training, total variation. Largest mass: that of a label's "
        "likeliest sub-class, at the random start and at the end. Bits: mutual information of sample and sub-class "
        f"within a class, likewise; {math.log2(SUBCLASSES):.2f} at most. Top1: test, percent. {origins(found)}."
    )


def _from_to(before: Sequence[float], after: Sequence[float]) -> str:
    """Return the means of a number at the start and at the end, that with its standard error."""
    found = summarize(after)
    return f"{summarize(before).mean:.3f} to {found.mean:.3f} ± {found.sem:.3f}"
