"""AuxiLearn that learns the labels or the weights alone, as `benchmark.explanations.parts` measured it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from benchmark.comparison import p_text
from benchmark.explanations.parts import FILE, FOLDER, METHOD, SETTING, Run
from benchmark.findings.runs import RESULTS, by_seed, final_runs, origin, paired, percent, succeeded
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.speed.rows import origins, read
from benchmark.statistics import holm

UNTRAINED = "maxl-f"
METRIC = "top1"


def table(suite: str, folder: Path = RESULTS) -> Callable[[], str]:
    """Return what makes the table of a suite."""
    return lambda: learnt_alone(suite, folder)


def learnt_alone(suite: str, folder: Path = RESULTS) -> str:
    """Return AuxiLearn, each of its parts alone and the untrained generator, against the first and the last."""
    own = [run for run in read(folder / FILE, Run) if run.suite == suite]
    ends = [run for run in own if run.phase == "final"]
    finals = {part: [run for run in ends if run.learnt == part] for part in ("weights", "labels")}
    whole, untrained = (succeeded(final_runs(folder / FOLDER / suite), name, SETTING) for name in (METHOD, UNTRAINED))
    scores = {
        f"labels and weights: `{METHOD}`": by_seed(whole, METRIC),
        **{
            f"{part} alone": {run.seed: run.top1 for run in runs if run.top1 is not None}
            for part, runs in finals.items()
        },
        f"neither: `{UNTRAINED}`": by_seed(untrained, METRIC),
    }
    weights = [_weights(whole), *map(_weights_of_rows, finals.values()), _weights(untrained)]
    rates = [_rate(whole), *(f"{runs[0].lr:g}" for runs in finals.values()), _rate(untrained)]
    first, *_, last = scores.values()
    above, below = _less(scores, last), _less(scores, first)
    rows = [
        {
            "learned": name,
            "lr": rate,
            METRIC: percent(found.values()),
            "less neither": above[name][0],
            "p (Holm)": above[name][1],
            "less both": below[name][0],
            "p (Holm) of both": below[name][1],
            "weights at the end": weight,
        }
        for (name, found), rate, weight in zip(scores.items(), rates, weights, strict=True)
    ]
    return (
        f"{pipe_table(rows)}\n\nTest {METRIC} at {SETTING} in percent, mean ± standard error of {len(first)} final "
        "runs; differences paired by seed, t-test, Holm's correction within a column. Weights: of the main and of the "
        f"auxiliary loss, mean. Parts alone: {origins(own)}. The others: {origin([*whole, *untrained])}."
    )


def _less(scores: Mapping[str, Mapping[int, float]], reference: Mapping[int, float]) -> dict[str, tuple[str, str]]:
    """Return differences to one of the scores in percentage points with their p-values, a dash for itself."""
    others = {name: paired(found, reference) for name, found in scores.items() if found is not reference}
    p_values = holm([pair.p for pair in others.values()]).tolist()
    found = zip(others.items(), p_values, strict=True)
    told = {name: (f"{100 * pair.difference:+.2f}", p_text(p)) for (name, pair), p in found}
    return {name: told.get(name, ("–", "–")) for name in scores}


def _rate(runs: Sequence[Record]) -> str:
    (found,) = {dict(run.spec.hyper)["lr"] for run in runs}
    return f"{found:g}"


def _weights(runs: Sequence[Record]) -> str:
    return _told([run.epochs[-1]["weight"] for run in runs])


def _weights_of_rows(runs: Sequence[Run]) -> str:
    pairs = ((run.main_weight, run.auxiliary_weight) for run in runs)
    return _told([(main, auxiliary) for main, auxiliary in pairs if main is not None and auxiliary is not None])


def _told(weights: Sequence[Sequence[float]]) -> str:
    return ", ".join(f"{fmean(each):.2f}" for each in zip(*weights, strict=True))
