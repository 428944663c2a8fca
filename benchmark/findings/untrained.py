"""What learning the combiner is worth on digits: AuxiLearn beside the same with a combiner that stays as it starts."""

from pathlib import Path

from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, origin, paired, percent, succeeded
from benchmark.markdown import pipe_table
from benchmark.statistics import holm

LEARNT, UNTRAINED = RESULTS / "reference/digits", RESULTS / "untrained/digits"
METRIC = "top1"


def untrained(folder: Path = UNTRAINED, reference: Path = LEARNT) -> str:
    """Return accuracies with and without learning, method by method, and whether they differ.

    Args:
        folder: Runs with combiners that are never trained.
        reference: Runs of all methods.
    """
    still, learnt = succeeded(final_runs(folder)), succeeded(final_runs(reference))
    methods = dict.fromkeys(record.spec.method for record in still)
    keys = [(setting, method) for setting in suites.load(folder.name).settings for method in methods]
    without = {key: by_seed(succeeded(still, key[1], key[0]), METRIC) for key in keys}
    scores = {key: by_seed(succeeded(learnt, key[1], key[0]), METRIC) for key in keys}
    pairs = {key: paired(scores[key], without[key]) for key in keys}
    rows = [
        {
            "setting": setting,
            "method": f"`{method}`",
            "learnt": percent(scores[setting, method].values()),
            "never trained": percent(without[setting, method].values()),
            "learnt less never trained": f"{100 * pair.difference:+.2f}",
            "95 % interval": f"{100 * pair.low:+.2f} to {100 * pair.high:+.2f}",
            "p (Holm)": p_text(p),
        }
        for ((setting, method), pair), p in zip(
            pairs.items(), holm([pair.p for pair in pairs.values()]).tolist(), strict=True
        )
    ]
    return (
        f"{pipe_table(rows)}\n\nTest {METRIC} in percent, mean ± standard error of "
        f"{len({record.spec.seed for record in still})} final runs, each row searched anew; differences paired by "
        f"seed, t-test, Holm's correction. Never trained: {origin(still)}."
    )
