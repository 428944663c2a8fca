"""What learning the combiner is worth on digits: AuxiLearn beside the same with a combiner that stays as it starts."""

from pathlib import Path
from statistics import fmean

from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.runs import RESULTS, by_seed, final_runs, origin, paired, percent, succeeded
from benchmark.markdown import pipe_table
from benchmark.record import Record
from benchmark.statistics import holm

FOLDER, REFERENCE = RESULTS / "untrained/digits", RESULTS / "reference/digits"
METRIC = "top1"
NEVER, PUBLISHED, IDENTITY = "never trained", "as published", "identity"


def form_of(record: Record) -> str:
    """Return how a run's combiner learns: not at all, by the published form, or without the inverse Hessian."""
    hyper = dict(record.spec.hyper)
    if not hyper["auxiliary_lr"]:
        return NEVER
    return IDENTITY if hyper["solver"] == "identity" else PUBLISHED


def untrained(folder: Path = FOLDER, reference: Path = REFERENCE) -> str:
    """Return accuracies of combiners that learn beside those of combiners that do not, and whether they differ.

    Args:
        folder: Runs of all forms, of one machine.
        reference: Runs as published, of another one.
    """
    runs = succeeded(final_runs(folder))
    methods = dict.fromkeys(record.spec.method for record in runs)
    rows: list[dict[str, str]] = []
    pairs, again = {}, [0.0]
    others = succeeded(final_runs(reference))
    for setting in suites.load(folder.name).settings:
        for method in methods:
            own = succeeded(runs, method, setting)
            scores = {
                form: by_seed([record for record in own if form_of(record) == form], METRIC)
                for form in (NEVER, PUBLISHED, IDENTITY)
            }
            row = {"setting": setting, "method": f"`{method}`"}
            row |= {form: percent(found.values()) for form, found in scores.items()}
            pairs |= {(len(rows), form): paired(scores[form], scores[NEVER]) for form in (PUBLISHED, IDENTITY)}
            rows.append(row)
            if other := by_seed(succeeded(others, method, setting), METRIC):
                again.append(abs(fmean(other.values()) - fmean(scores[PUBLISHED].values())))
    for ((number, form), pair), p in zip(
        pairs.items(), holm([pair.p for pair in pairs.values()]).tolist(), strict=True
    ):
        ends = f"{100 * pair.low:+.2f} to {100 * pair.high:+.2f}"
        rows[number][f"{form} less {NEVER}"] = f"{100 * pair.difference:+.2f} ({ends})"
        rows[number]["p (Holm)" if form == PUBLISHED else "its p (Holm)"] = p_text(p)
    return (
        f"{pipe_table(rows)}\n\nTest {METRIC} in percent, mean ± standard error of "
        f"{len({record.spec.seed for record in runs})} final runs, each after its own search; differences paired by "
        f"seed with the 95 % interval of the t-test, Holm's correction for all {len(pairs)}. {origin(runs)}. Of "
        "the same searches and final runs on another machine, those of the reference table, means are up to "
        f"{100 * max(again):.2f} points off those as published."
    )
