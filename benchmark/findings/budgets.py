"""Does the protocol change the ranking? The paper's grids against as many trials for every method."""

import math
from collections import Counter
from collections.abc import Container, Mapping, Sequence
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
from benchmark.spec import Spec
from benchmark.statistics import ALPHA, holm

GRIDS = RESULTS / "reference/digits"
BUDGETS = RESULTS / "equal-budget/digits"
METRIC = "top1"
MOST_SETS = 1000
"""Sets of seeds up to which all pairs are compared."""


@dataclass(frozen=True)
class Protocol:
    """What one protocol gave in one setting.

    Attributes:
        scores: Test metric by method and seed.
        trials: Number of search runs by method.
        rates: Learning rate of the optimiser that validation chose, by method.
        tried: Largest learning rate of its search, by method.
    """

    scores: Mapping[str, Mapping[int, float]]
    trials: Mapping[str, int]
    rates: Mapping[str, float]
    tried: Mapping[str, float]

    def ranks(self, names: Sequence[str]) -> list[float]:
        """Return the rank of each method by its mean, 1 the best; ties share their mean rank."""
        from scipy import stats

        means = [sum(self.scores[name].values()) / len(self.scores[name]) for name in names]
        return stats.rankdata([-mean for mean in means]).tolist()


def ranking(grids: Path = GRIDS, budgets: Path = BUDGETS) -> str:
    """Return accuracy, rank and trials of every method under both protocols, and how far the two rankings agree."""
    here, there = (dict.fromkeys(record.spec.setting for record in final_runs(folder)) for folder in (grids, budgets))
    seeds = {record.spec.seed for record in final_runs(budgets)}
    parts = []
    for name in here:
        if name in there:
            one, other = _protocol(grids, name, seeds), _protocol(budgets, name, seeds)
            everything = _protocol(grids, name, {record.spec.seed for record in final_runs(grids)})
            names = _ranked(one, other)
            chance = _chance(everything, names, len(seeds))
            parts += [_setting(name, one, other, names), " ".join([*chance, _rates(one, other, names)])]
    caption = (
        f"Test {METRIC} in percent, mean ± standard error of the final runs of the same {len(seeds)} seeds; change: "
        "equal budget less grid, paired by seed, t-test, Holm's correction. "
        f"Grids: {origin(succeeded(final_runs(grids)))}. Budgets: {origin(succeeded(final_runs(budgets)))}."
    )
    return "\n\n".join([*parts, caption])


def _protocol(folder: Path, setting: str, seeds: Container[int]) -> Protocol:
    runs = succeeded(final_runs(folder, chosen=lambda record: record.spec.seed in seeds), setting=setting)
    methods = dict.fromkeys(record.spec.method for record in runs)
    searches = [record.spec for record in records_of(folder) if record.spec.phase == "search"]
    searched = [spec for spec in searches if spec.setting == setting]
    tried: dict[str, float] = {}
    for spec in searched:
        tried[spec.method] = max(_rate(spec), tried.get(spec.method, 0.0))
    return Protocol(
        {name: by_seed(succeeded(runs, name), METRIC) for name in methods},
        Counter(spec.method for spec in searched),
        {record.spec.method: _rate(record.spec) for record in runs},
        tried,
    )


def _rate(spec: Spec) -> float:
    return float(str(dict(spec.hyper)["lr"]))


def _ranked(grids: Protocol, budgets: Protocol) -> list[str]:
    """Return the methods with the same seeds under both protocols."""
    return [name for name in grids.scores if grids.scores[name].keys() == budgets.scores.get(name, {}).keys()]


def _chance(grids: Protocol, names: Sequence[str], size: int) -> list[str]:
    """Return how far rankings by disjoint sets of so many seeds agree under one protocol, where there are enough."""
    from scipy import stats

    seeds = sorted(set.intersection(*(set(grids.scores[name]) for name in names)))
    if math.comb(len(seeds), size) > MOST_SETS:
        return []
    taus = []
    for half in combinations(seeds, size):
        for other in combinations([seed for seed in seeds if seed not in half], size):
            if half < other:
                means = [[sum(grids.scores[name][seed] for seed in part) for name in names] for part in (half, other)]
                found: Any = stats.kendalltau(*means)
                taus.append(found.statistic)
    if not taus:
        return []
    return [
        f"Chance of the final runs alone: two rankings by grids, each of {size} of the {len(seeds)} seeds and none in "
        f"common, have a tau of {sum(taus) / len(taus):.2f} on average ({min(taus):.2f} to {max(taus):.2f} over "
        f"{len(taus)} pairs)."
    ]


def _rates(grids: Protocol, budgets: Protocol, names: Sequence[str]) -> str:
    """Return how many methods end at the largest learning rate that their search had, by protocol."""
    here, there = (sum(each.rates[name] == each.tried.get(name) for name in names) for each in (grids, budgets))
    return (
        f"By grids {here} of {len(names)} methods end at the largest learning rate that their search had, by equal "
        f"budgets {there}."
    )


def _setting(setting: str, grids: Protocol, budgets: Protocol, names: Sequence[str]) -> str:
    from scipy import stats

    left = [name for name in budgets.scores if name not in names]
    ranks, others = grids.ranks(names), budgets.ranks(names)
    pairs = [paired(budgets.scores[name], grids.scores[name]) for name in names]
    p_values = holm([pair.p for pair in pairs]).tolist()
    rows = [
        {
            "method": f"`{name}`",
            "grid": percent(grids.scores[name].values()),
            "rank": f"{ranks[i]:g}",
            "trials": str(grids.trials[name]),
            "equal budget": percent(budgets.scores[name].values()),
            "rank by budget": f"{others[i]:g}",
            "trials by budget": str(budgets.trials[name]),
            "change": f"{100 * pairs[i].difference:+.2f}",
            "p (Holm)": p_text(p_values[i]),
        }
        for i, name in enumerate(names)
    ]
    rows = [row for _, row in sorted(zip(ranks, rows, strict=True), key=lambda pair: pair[0])]
    tau: Any = stats.kendalltau(ranks, others)
    changed = [name for name, p in zip(names, p_values, strict=True) if p < ALPHA]
    best, other = (names[each.index(min(each))] for each in (ranks, others))
    kept = f"{listed([best])} is the best under both" if best == other else f"{listed([best])} is the best by grids, "
    kept += "" if best == other else f"{listed([other])} by equal budgets"
    sentence = (
        f"{setting}: Kendall's tau of the two rankings of {len(names)} methods is {tau.statistic:.2f} "
        f"(p = {p_text(tau.pvalue)}); {kept}. Methods whose accuracy changes significantly: {listed(changed)}."
    )
    if left:
        sentence += f" Left out, as they have other seeds in one of the two: {listed(left)}."
    return f"{pipe_table(rows)}\n\n{sentence}"
