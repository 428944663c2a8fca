"""Where methods end on the two regressions whose solution is known."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmark.comparison import p_phrase
from benchmark.findings.runs import RESULTS, by_seed, final_runs, listed, origin, paired, succeeded
from benchmark.markdown import ABSENT, pipe_table
from benchmark.record import Record
from benchmark.statistics import ALPHA, Paired, holm, paired_difference, summarize

ILLUSTRATIVE = RESULTS / "reference/illustrative"
NOISY = RESULTS / "reference/noisy-auxiliaries"
RATES = RESULTS / "rates/illustrative"
LEARNT = "auxilearn-linear"


def illustrative(folder: Path = ILLUSTRATIVE) -> str:
    """Return how near single task, equal weighting and AuxiLearn come to the true solution, and the learnt weights."""
    runs = final_runs(folder)
    distances = {name: by_seed(succeeded(runs, name), "distance") for name in (LEARNT, "stl", "equal")}
    ours, single = distances[LEARNT], distances["stl"]
    seeds = sorted(ours.keys() & single.keys())
    nearer = sum(ours[seed] < single[seed] for seed in seeds)
    test = paired_difference([ours[seed] for seed in seeds], [single[seed] for seed in seeds])
    weights = np.array([record.epochs[-1]["weight"] for record in succeeded(runs, LEARNT)])
    main, helpful, harmful = weights.mean(axis=0).tolist()
    share = (weights[:, 2] / weights.sum(axis=1)).max()
    return (
        f"Over {len(seeds)} seeds the found minimum is {_spread(ours)} from the true solution with AuxiLearn "
        f"(`{LEARNT}`), {_spread(single)} with the single task and {_spread(distances['equal'])} with equal weighting "
        f"(mean and standard deviation over the seeds). AuxiLearn comes nearer than the single task in {nearer} of "
        f"{len(seeds)} seeds (paired t-test of the distances: {p_phrase(test.p)}, not corrected for other methods). "
        f"The learnt weights, which all started at 1, are on average {main:.2f} for the main task, {helpful:.2f} for "
        f"the helpful one and {harmful:.2f} for the harmful one, which has at most {100 * share:.1f} % of the sum in "
        f"any seed ({origin(succeeded(runs, LEARNT))})."
    )


def solutions(folder: Path = ILLUSTRATIVE) -> str:
    """Return a table of all methods: distance from the true solution, against the single task."""
    return _table(folder)


def rates(folder: Path = RATES) -> str:
    """Return how near the combiners that diverge at the suite's rate come at a tenth of it."""
    runs = final_runs(folder)
    (rate,) = {dict(record.spec.hyper)["auxiliary_lr"] for record in runs}
    parts = []
    for name in dict.fromkeys(record.spec.method for record in runs):
        own = [record for record in runs if record.spec.method == name]
        found = by_seed(succeeded(own), "distance")
        parts.append(f"`{name}` ends {_spread(found)} from the solution ({len(found)} of {len(own)} runs)")
    return f"With `auxiliary_lr` {rate}: {', '.join(parts)}; mean and standard deviation. {_origin(runs)}"


def noisy(folder: Path = NOISY) -> str:
    """Return the same for 100 auxiliaries of growing noise, and whether the learnt weights fall with the noise."""
    from scipy import stats

    learnt = succeeded(final_runs(folder), LEARNT)
    weights = np.array([record.epochs[-1]["weight"][1:] for record in learnt])
    noise = np.arange(1, weights.shape[1] + 1)
    found: list[Any] = [stats.spearmanr(noise, each) for each in weights]
    trends = [each.statistic for each in found]
    first, last = weights[:, :10].mean(), weights[:, -10:].mean()
    sentence = (
        f"The learnt weights fall with the noise: Spearman's correlation of weight and noise is "
        f"{np.mean(trends):.2f} on average over {len(learnt)} seeds ({max(trends):.2f} at most); the ten least noisy "
        f"auxiliaries end at {first:.3f} on average, the ten noisiest at {last:.3f}."
    )
    return f"{_table(folder)}\n\n{sentence}"


def _spread(values: dict[int, float]) -> str:
    found = np.array(list(values.values()))
    return f"{found.mean():.3f} ± {found.std(ddof=1):.3f}"


def _table(folder: Path) -> str:
    runs = final_runs(folder)
    single = by_seed(succeeded(runs, "stl"), "distance")
    rows, lost = [], []
    pairs: dict[str, Paired] = {}
    for name in dict.fromkeys(record.spec.method for record in runs):
        own = [record for record in runs if record.spec.method == name]
        found = by_seed(succeeded(own), "distance")
        if not found:
            lost.append(name)
            continue
        if name != "stl" and len(found.keys() & single.keys()) > 1:
            pairs[name] = paired(found, single)
        rows.append((summarize(list(found.values())).mean, name, _row(name, own, found, single)))
    verdicts = dict.fromkeys(("stl", *(name for _, name, _ in rows)), ABSENT)
    for (name, pair), p in zip(pairs.items(), holm([pair.p for pair in pairs.values()]).tolist(), strict=True):
        verdicts[name] = ("nearer" if pair.difference < 0 else "further") if p < ALPHA else "≈"
    ordered = [row | {"vs stl": verdicts[name]} for _, name, row in sorted(rows, key=lambda each: each[0])]
    sentence = f"Without a result in any run: {listed(lost)}. " if lost else ""
    caption = (
        "Distance of the found minimum from the true solution, mean ± standard error, the nearest first. Nearer than "
        "stl: seeds in which the method ends nearer than the single task. Vs stl: paired t-test of the distances with "
        f"Holm's correction for all methods, where ≈ is no significant difference at 0.05. {sentence}{_origin(runs)}"
    )
    return f"{pipe_table(ordered)}\n\n{caption}"


def _row(name: str, own: list[Record], found: dict[int, float], single: dict[int, float]) -> dict[str, str]:
    summary = summarize(list(found.values()))
    common = found.keys() & single.keys()
    nearer = sum(found[seed] < single[seed] for seed in common)
    return {
        "method": f"`{name}`",
        "distance": f"{summary.mean:.3f} ± {summary.sem:.3f}",
        "nearer than stl": ABSENT if name == "stl" else f"{nearer} of {len(common)}",
        "runs without a result": str(len(own) - len(found)),
    }


def _origin(runs: list[Record]) -> str:
    return f"{origin(succeeded(runs))}."
