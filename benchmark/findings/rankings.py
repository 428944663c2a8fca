"""Does the protocol change the ranking? Grids against equal budgets, wider grids, a single rate and longer runs."""

import math
from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path

from benchmark.comparison import p_phrase, p_text
from benchmark.findings.runs import RESULTS, final_runs, listed, origin, paired, percent, succeeded
from benchmark.findings.searches import METRIC, Compared, Scores, kendall, ranks, searches
from benchmark.markdown import pipe_table
from benchmark.statistics import ALPHA, holm

GRIDS = RESULTS / "reference/digits"
BUDGETS = RESULTS / "equal-budget/digits"
WIDER = RESULTS / "rates/digits"
COARSE = RESULTS / "reference/cifar100-coarse"
COARSE_GRIDS = RESULTS / "rates/cifar100-coarse"
COARSE_FULL = RESULTS / "full-length/cifar100-coarse"
COARSE_ALONE = RESULTS / "full-length-alone/cifar100-coarse"
COARSE_BUDGETS = RESULTS / "equal-budget/cifar100-coarse"
COARSE_LOWER = RESULTS / "same-rates/cifar100-coarse"
SINGLE = "stl"
MOST_SETS = 1000
"""Sets of seeds up to which all pairs are compared."""


def ranking(grids: Path = GRIDS, budgets: Path = BUDGETS) -> str:
    """Return accuracy and rank of every method by grids and by equal budgets, and how far the two rankings agree."""
    return _compare(grids, budgets, "grid", "equal budget")


def wider(grids: Path = GRIDS, others: Path = WIDER) -> str:
    """Return accuracy and rank of every method by the suite's grids and by wider ones, and how far they agree."""
    return _compare(grids, others, "grid", "wider grid")


def rates_coarse(single: Path = COARSE, grids: Path = COARSE_GRIDS) -> str:
    """Return accuracy and rank on coarse classes with a single learning rate and with a grid of them."""
    return _compare(single, grids, "single rate", "grid")


def lower_coarse(grids: Path = COARSE_GRIDS, lower: Path = COARSE_LOWER) -> str:
    """Return the same by the grid and by a rate below it."""
    return _compare(grids, lower, "grid", "lower rate")


def full_length_coarse(short: Path = COARSE_GRIDS, full: Path = COARSE_FULL) -> str:
    """Return the same by half of the suite's epochs and by all of them."""
    return _compare(short, full, "short run", "full run")


def full_length_alone(others: Path = COARSE_FULL, alone: Path = COARSE_ALONE) -> str:
    """Return what methods without a search at half length reach with all epochs, against those that have one."""
    (setting,) = {record.spec.setting for record in final_runs(alone)}
    seeds = {record.spec.seed for record in final_runs(alone)}
    (known,), (found,) = (searches(folder, setting, seeds) for folder in (others, alone))
    scores = {**known.scores, **found.scores}
    best = max(known.scores, key=lambda name: sum(known.scores[name].values()))
    columns = {name: _differences(scores, name) for name in (best, SINGLE)}
    rows = []
    for method, own in found.scores.items():
        row = {"method": f"`{method}`", "full run": percent(own.values()), "lr": f"{found.rates[method]:g}"}
        row["trials"] = str(found.trials.get(method, 0))
        for name, pairs in columns.items():
            difference, p = pairs[method]
            row |= {f"less `{name}`": f"{100 * difference:+.2f}", f"p (Holm) of `{name}`": p_text(p)}
        rows.append(row)
    caption = (
        f"{setting}, test {METRIC} in percent, mean ± standard error over {len(seeds)} seeds of final runs; "
        f"differences paired by seed, t-test, Holm's correction for all {len(scores) - 1} methods compared with the "
        f"same one. {_origin(alone, seeds)}."
    )
    return f"{pipe_table(rows)}\n\n{caption}"


def _differences(scores: Scores, reference: str) -> dict[str, tuple[float, float]]:
    """Return the mean difference of each other method from one, and its corrected p-value."""
    pairs = {name: paired(own, scores[reference]) for name, own in scores.items() if name != reference}
    p_values = holm([pair.p for pair in pairs.values()]).tolist()
    return {name: (pair.difference, p) for (name, pair), p in zip(pairs.items(), p_values, strict=True)}


def ranking_coarse(grids: Path = COARSE_GRIDS, budgets: Path = COARSE_BUDGETS) -> str:
    """Return the same on coarse classes by grids and by equal budgets."""
    return _compare(grids, budgets, "grid", "equal budget")


def _compare(folder: Path, others: Path, first: str, name: str) -> str:
    here, there = (dict.fromkeys(record.spec.setting for record in final_runs(each)) for each in (folder, others))
    all_seeds, seeds = ({record.spec.seed for record in final_runs(each)} for each in (folder, others))
    parts, draws = [], 1
    for setting in here:
        if setting in there:
            (one,), several = searches(folder, setting, seeds), searches(others, setting, seeds)
            found = Compared(first, one, name, several)
            (everything,) = searches(folder, setting, all_seeds)
            luck = [
                _luck_of_finals(everything.scores, found.names, len(seeds), first),
                _luck_of_draws(found),
            ]
            numbers = " ".join(filter(None, [*luck, _rates(found)]))
            parts += filter(None, [_table(found), _sentence(setting, found), numbers])
            draws = max(draws, len(several))
    averaged = f", of {name}s the mean over {draws} draws of the trials" if draws > 1 else ""
    caption = (
        f"Test {METRIC} in percent, mean ± standard error over the same {len(seeds)} seeds of final runs{averaged}; "
        f"change: {name} less {first}, paired by seed, t-test, Holm's correction. "
        f"{first.capitalize()}s: {_origin(folder, seeds)}. {name.capitalize()}s: {_origin(others, seeds)}."
    )
    return "\n\n".join([*parts, caption])


def _origin(folder: Path, seeds: Collection[int]) -> str:
    return origin(succeeded(final_runs(folder, chosen=lambda record: record.spec.seed in seeds)))


def _table(found: Compared) -> str:
    rows = [
        {
            "method": f"`{method}`",
            found.what: percent(found.first.scores[method].values()),
            "rank": f"{found.ranks[i]:g}",
            "trials": str(found.first.trials.get(method, 0)),
            found.other: percent(found.means[method].values()),
            f"its rank{' by draw' * (len(found.others) > 1)}": ", ".join(f"{each[i]:g}" for each in found.by_search),
            "its trials": str(found.others[0].trials.get(method, 0)),
            "change": f"{100 * found.changes[i].difference:+.2f}",
            "p (Holm)": p_text(found.p_values[i]),
        }
        for i, method in enumerate(found.names)
    ]
    return pipe_table([row for _, row in sorted(zip(found.ranks, rows, strict=True), key=lambda pair: pair[0])])


def _sentence(setting: str, found: Compared) -> str:
    names = found.names
    theirs = ranks(found.means, names)
    changed = [method for method, p in zip(names, found.p_values, strict=True) if p < ALPHA]
    tau, p = kendall(found.ranks, theirs)
    best, other = (names[each.index(min(each))] for each in (found.ranks, theirs))
    kept = f"{listed([best])} is the best under both"
    if best != other:
        kept = f"{listed([best])} is the best by {found.what}s, {listed([other])} by {found.other}s"
    lower = sum(change.difference < 0 for change in found.changes)
    joint = found.change_of_all()
    return (
        f"{setting}: Kendall's tau of the two rankings of {len(names)} methods is {tau:.2f} ({p_phrase(p)}); {kept}. "
        f"Methods whose accuracy changes significantly: {listed(changed)}. By {found.other}s {lower} of {len(names)} "
        f"are lower; the mean over the methods changes by {100 * joint.difference:+.2f} percentage points "
        f"(paired by seed, {p_phrase(joint.p)})."
        + (f" Left out, as they do not have the same seeds everywhere: {listed(found.left)}." if found.left else "")
    )


def _luck_of_finals(scores: Scores, names: Sequence[str], size: int, first: str) -> str:
    """Return how far rankings by disjoint sets of so many seeds agree under one protocol, where there are enough."""
    seeds = sorted(set.intersection(*(set(scores[name]) for name in names)))
    if math.comb(len(seeds), size) > MOST_SETS:
        return ""
    taus = []
    for half in combinations(seeds, size):
        for other in combinations([seed for seed in seeds if seed not in half], size):
            if half < other:
                sums = ([sum(scores[name][seed] for seed in part) for name in names] for part in (half, other))
                taus.append(kendall(*sums)[0])
    if not taus:
        return ""
    return (
        f"Chance of the final runs alone: two rankings by {first}s, each of {size} of the {len(seeds)} seeds and "
        f"none in common, have a tau of {_spread(taus)} pairs)."
    )


def _luck_of_draws(found: Compared) -> str:
    """Return how far the rankings of several draws agree with each other, and with the first ranking."""
    if len(found.others) == 1:
        return ""
    among = [kendall(one, other)[0] for one, other in combinations(found.by_search, 2)]
    across = [kendall(found.ranks, each)[0] for each in found.by_search]
    return (
        f"Chance of the draw alone: rankings by {found.other}s of the same size and final seeds, whose trials were "
        f"drawn anew, have a tau of {_spread(among)} pair{'s' * (len(among) > 1)}); that by {found.what}s has one of "
        f"{_spread(across)} draws) with them."
    )


def _spread(taus: Sequence[float]) -> str:
    return f"{sum(taus) / len(taus):.2f} on average ({min(taus):.2f} to {max(taus):.2f} over {len(taus)}"


def _rates(found: Compared) -> str:
    """Return how many of the searches of several learning rates end at the largest or smallest that they had."""
    parts = []
    for what, tried in ((found.what, (found.first,)), (found.other, found.others)):
        several = [
            (each.rates[method], each.tried[method])
            for each in tried
            for method in found.names
            if len(each.tried.get(method, ())) > 1
        ]
        if several:
            largest, smallest = (sum(rate == end(rates) for rate, rates in several) for end in (max, min))
            ends = " searches end at the largest learning rate that they had" * (not parts)
            parts.append(f"{what}s {largest} of {len(several)}{ends}, {smallest} at the smallest")
    return f"By {'; by '.join(parts)}." if parts else ""
