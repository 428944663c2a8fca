"""Does the search change the ranking? The suite's grids against equal budgets of trials, and against wider grids."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmark.comparison import p_text
from benchmark.findings.runs import (
    RESULTS,
    by_seed,
    final_runs,
    listed,
    origin,
    paired,
    percent,
    records_of,
    succeeded,
)
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.statistics import ALPHA, holm

GRIDS = RESULTS / "reference/digits"
BUDGETS = RESULTS / "equal-budget/digits"
WIDER = RESULTS / "rates/digits"
METRIC = "top1"
MOST_SETS = 1000
"""Sets of seeds up to which all pairs are compared."""

Scores = Mapping[str, Mapping[int, float]]
"""Test metric by method and seed."""


@dataclass(frozen=True)
class Draw:
    """What one search of every method gave in one setting; of grids there is one, of budgets one a draw of trials.

    Attributes:
        scores: Test metric by method and seed.
        trials: Number of search runs by method.
        rates: Learning rate of the optimiser that validation chose, by method.
        tried: Largest learning rate of its search, by method.
    """

    scores: Scores
    trials: Mapping[str, int]
    rates: Mapping[str, float]
    tried: Mapping[str, float]


def ranking(grids: Path = GRIDS, budgets: Path = BUDGETS) -> str:
    """Return accuracy and rank of every method by grids and by equal budgets, and how far the two rankings agree."""
    return _compared(grids, budgets, "equal budget")


def wider(grids: Path = GRIDS, others: Path = WIDER) -> str:
    """Return accuracy and rank of every method by the suite's grids and by wider ones, and how far they agree."""
    return _compared(grids, others, "wider grid")


def _compared(grids: Path, others: Path, name: str) -> str:
    here, there = (dict.fromkeys(record.spec.setting for record in final_runs(folder)) for folder in (grids, others))
    all_seeds, seeds = ({record.spec.seed for record in final_runs(folder)} for folder in (grids, others))
    parts, numbers = [], {1}
    for setting in here:
        if setting in there:
            (one,), draws = _draws(grids, setting, seeds), _draws(others, setting, seeds)
            ranked = [method for method in one.scores if _complete(method, one, draws)]
            (everything,) = _draws(grids, setting, all_seeds)
            luck = [_luck_of_finals(everything.scores, ranked, len(seeds)), _luck_of_draws(one, draws, ranked, name)]
            parts += [
                _table(one, draws, ranked, name),
                _sentence(setting, one, draws, ranked, name),
                " ".join(filter(None, [*luck, _rates(one, draws, ranked, name)])),
            ]
            numbers.add(len(draws))
    several = f", of {name}s the mean over {max(numbers)} draws of the trials" if max(numbers) > 1 else ""
    caption = (
        f"Test {METRIC} in percent, mean ± standard error of the final runs of the same {len(seeds)} seeds{several}; "
        f"change: {name} less grid, paired by seed, t-test, Holm's correction. "
        f"Grids: {_origin(grids, seeds)}. {name.capitalize()}s: {_origin(others, seeds)}."
    )
    return "\n\n".join([*parts, caption])


def _origin(folder: Path, seeds: Collection[int]) -> str:
    return origin(succeeded(final_runs(folder, chosen=lambda record: record.spec.seed in seeds)))


def _draws(folder: Path, setting: str, seeds: Collection[int]) -> list[Draw]:
    """Return what each draw gave, by the sampler's seed."""
    found: dict[int, list[Record]] = {}
    for record in records_of(folder):
        if record.spec.setting == setting:
            found.setdefault((record.spec.search and record.spec.search.seed) or 0, []).append(record)
    return [_draw(found[seed], seeds) for seed in sorted(found)]


def _draw(records: Iterable[Record], seeds: Collection[int]) -> Draw:
    finals, trials, tried = [], {}, {}
    for record in records:
        method = record.spec.method
        if record.spec.phase == "search":
            trials[method] = trials.get(method, 0) + 1
            tried[method] = max(_rate(record.spec), tried.get(method, 0.0))
        elif record.status == "ok" and record.spec.seed in seeds:
            finals.append(record)
    methods = dict.fromkeys(record.spec.method for record in finals)
    scores = {name: by_seed(succeeded(finals, name), METRIC) for name in sorted(methods)}
    return Draw(scores, trials, {record.spec.method: _rate(record.spec) for record in finals}, tried)


def _rate(spec: Spec) -> float:
    return float(str(dict(spec.hyper)["lr"]))


def _complete(method: str, grids: Draw, others: Sequence[Draw]) -> bool:
    """Return whether a method has the same seeds everywhere."""
    return all(grids.scores[method].keys() == draw.scores.get(method, {}).keys() for draw in others)


def _mean(draws: Sequence[Draw], method: str) -> dict[int, float]:
    """Return the mean over the draws by seed."""
    return {seed: sum(draw.scores[method][seed] for draw in draws) / len(draws) for seed in draws[0].scores[method]}


def _ranks(scores: Scores, names: Sequence[str]) -> list[float]:
    """Return the rank of each method by its mean, 1 the best; ties share their mean rank."""
    from scipy import stats

    return stats.rankdata([-sum(scores[name].values()) / len(scores[name]) for name in names]).tolist()


def _tau(one: Sequence[float], other: Sequence[float]) -> float:
    from scipy import stats

    found: Any = stats.kendalltau(one, other)
    return found.statistic


def _table(grids: Draw, others: Sequence[Draw], names: Sequence[str], name: str) -> str:
    ranks = _ranks(grids.scores, names)
    by_draw = [_ranks(draw.scores, names) for draw in others]
    means = {method: _mean(others, method) for method in names}
    pairs = [paired(means[method], grids.scores[method]) for method in names]
    p_values = holm([pair.p for pair in pairs]).tolist()
    rows = [
        {
            "method": f"`{method}`",
            "grid": percent(grids.scores[method].values()),
            "rank": f"{ranks[i]:g}",
            "trials": str(grids.trials.get(method, 0)),
            name: percent(means[method].values()),
            "its rank" if len(others) == 1 else "its rank by draw": ", ".join(f"{each[i]:g}" for each in by_draw),
            "its trials": str(others[0].trials.get(method, 0)),
            "change": f"{100 * pairs[i].difference:+.2f}",
            "p (Holm)": p_text(p_values[i]),
        }
        for i, method in enumerate(names)
    ]
    return pipe_table([row for _, row in sorted(zip(ranks, rows, strict=True), key=lambda pair: pair[0])])


def _sentence(setting: str, grids: Draw, others: Sequence[Draw], names: Sequence[str], name: str) -> str:
    from scipy import stats

    means = {method: _mean(others, method) for method in names}
    ranks, theirs = _ranks(grids.scores, names), _ranks(means, names)
    p_values = holm([paired(means[method], grids.scores[method]).p for method in names]).tolist()
    changed = [method for method, p in zip(names, p_values, strict=True) if p < ALPHA]
    tau: Any = stats.kendalltau(ranks, theirs)
    best, other = (names[each.index(min(each))] for each in (ranks, theirs))
    kept = f"{listed([best])} is the best under both"
    if best != other:
        kept = f"{listed([best])} is the best by grids, {listed([other])} by {name}s"
    left = sorted({method for draw in others for method in draw.scores}.difference(names))
    return (
        f"{setting}: Kendall's tau of the two rankings of {len(names)} methods is {tau.statistic:.2f} "
        f"(p {_equals(p_text(tau.pvalue))}); {kept}. Methods whose accuracy changes significantly: {listed(changed)}."
        + (f" Left out, as they have other seeds in one of the two: {listed(left)}." if left else "")
    )


def _equals(text: str) -> str:
    return f"= {text}" if text[0].isdigit() else f"{text[0]} {text[1:]}"


def _luck_of_finals(scores: Scores, names: Sequence[str], size: int) -> str:
    """Return how far rankings by disjoint sets of so many seeds agree under one protocol, where there are enough."""
    seeds = sorted(set.intersection(*(set(scores[name]) for name in names)))
    if math.comb(len(seeds), size) > MOST_SETS:
        return ""
    taus = []
    for half in combinations(seeds, size):
        for other in combinations([seed for seed in seeds if seed not in half], size):
            if half < other:
                taus.append(_tau(*([sum(scores[name][s] for s in part) for name in names] for part in (half, other))))
    if not taus:
        return ""
    return (
        f"Chance of the final runs alone: two rankings by grids, each of {size} of the {len(seeds)} seeds and none in "
        f"common, have a tau of {_spread(taus)} pairs)."
    )


def _luck_of_draws(grids: Draw, others: Sequence[Draw], names: Sequence[str], name: str) -> str:
    """Return how far the rankings of several draws agree with each other, and with that by grids."""
    if len(others) == 1:
        return ""
    ranks = [_ranks(draw.scores, names) for draw in others]
    among = [_tau(one, other) for one, other in combinations(ranks, 2)]
    across = [_tau(_ranks(grids.scores, names), each) for each in ranks]
    return (
        f"Chance of the draw alone: rankings by {name}s of the same size and final seeds, whose trials were drawn "
        f"anew, have a tau of {_spread(among)} pair{'s' * (len(among) > 1)}); that by grids has one of "
        f"{_spread(across)} draws) with them."
    )


def _spread(taus: Sequence[float]) -> str:
    return f"{sum(taus) / len(taus):.2f} on average ({min(taus):.2f} to {max(taus):.2f} over {len(taus)}"


def _rates(grids: Draw, others: Sequence[Draw], names: Sequence[str], name: str) -> str:
    """Return how many searches end at the largest learning rate that they had."""
    here, there = (
        sum(draw.rates[method] == draw.tried.get(method) for draw in draws for method in names)
        for draws in ((grids,), others)
    )
    return (
        f"By grids {here} of {len(names)} searches end at the largest learning rate that they had, by {name}s {there} "
        f"of {len(names) * len(others)}."
    )
