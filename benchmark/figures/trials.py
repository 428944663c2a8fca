"""Best validation score against the number of trials: what a smaller search would have found."""

from collections.abc import Sequence
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from benchmark.campaign import score
from benchmark.figures.highlight import Line, draw_highlights
from benchmark.figures.runs import Runs, label, scale, source, title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def expected_best(scores: Sequence[float]) -> np.ndarray:
    """Return the expected largest of n scores drawn without replacement, for n = 1 to N, (N,).

    Of the scores in rising order, s_i is the largest of n in C(i - 1, n - 1) of all C(N, n) draws. It does not
    depend on the order of the trials; the curve of Dodge et al. (EMNLP 2019) is for draws with replacement.
    """
    rising = sorted(scores)
    total = len(rising)
    return np.array(
        [sum(value * (comb(i, n - 1) / comb(total, n)) for i, value in enumerate(rising)) for n in range(1, total + 1)]
    )


def best_of_trials(runs: Sequence[Runs]) -> "Figure | None":
    """Return the best validation score against the number of trials, a panel a method with a search.

    Of a grid it is the expected best of random draws; of a budget, whose sampler learns, the best so far.
    """
    metric = runs[0].arm.suite.selection
    ordered = runs[0].arm.search is not None
    lines, failed = {}, 0
    for each in runs:
        scores = trial_scores(each)
        good = [value for value in scores if value is not None]
        if good:
            failed += len(scores) - len(good)
            filled = [min(good) if value is None else value for value in scores]
            y = np.maximum.accumulate(filled) if ordered else expected_best(filled)
            x = np.arange(1, len(y) + 1)
            lines[each.method] = Line(x, y * scale(metric) * _sign(each), np.full(len(y), np.nan))
    if not any(len(line.x) > 1 for line in lines.values()):
        return None
    how = (
        "Best validation score so far, in the order of the sampler."
        if ordered
        else "Exact expected best validation score of so many trials drawn from the grid at random without replacement."
    )
    how += _unfinished(runs, ordered=ordered)
    note = f" {failed} trials without a score (pruned or failed) count as the worst of their method." if failed else ""
    return draw_highlights(
        lines,
        title=title("best validation score against number of trials", runs),
        footnote=f"{source(runs, search=True)} {how}{note} Grey: the other methods.",
        xlabel="trials",
        ylabel=f"best validation {label(metric)}",
        steps=ordered,
    ).figure


def _unfinished(runs: Sequence[Runs], *, ordered: bool) -> str:
    """Return which searches have not all their runs, and what that makes of their lines; empty where all have."""
    counts = [(each.method, sum(record is not None for record in each.searches), len(each.searches)) for each in runs]
    named = ", ".join(f"{method} ({made} of {planned})" for method, made, planned in counts if made < planned)
    drawn = "" if ordered else ", and drawn from the runs so far alone, which are no random part of the grid"
    return f" Not finished{drawn}: {named}." if named else ""


def trial_scores(runs: Runs) -> list[float | None]:
    """Return the score of each recorded trial in order, larger is better; None for one pruned or failed."""
    metric = runs.arm.suite.selection
    found = [score(record, metric.name) for record in runs.searches if record is not None]
    return [None if value is None else value * _sign(runs) for value in found]


def _sign(runs: Runs) -> int:
    return 1 if runs.arm.suite.selection.higher_is_better else -1
