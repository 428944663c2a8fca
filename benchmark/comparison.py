"""Every method against the reference methods: differences paired by seed, tested, corrected and put into a word."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan

import pandas as pd

from benchmark.plan import Arm
from benchmark.record import Record
from benchmark.spec import called, is_sample
from benchmark.statistics import ALPHA, SEED, Paired, holm, paired_difference
from benchmark.suite import Metric

DEFAULT_REFERENCES = ("stl", "rlw", "equal")
"""Compared with where they are in the table: a single task, random weights, equal weights."""

BETTER, WORSE, NOT_TESTED = "better", "worse", "not tested"

NAMED = 4
"""Most methods that a line names."""

COLUMNS = (
    *("suite", "setting", "metric", "reference", "method", "seeds", "difference", "low", "high", "p", "p_holm"),
    *("verdict", "bootstrap_low", "bootstrap_high", "sign_flip_p"),
)


@dataclass(frozen=True)
class Comparison:
    """The comparisons of one suite.

    Attributes:
        metric: What is compared, on the test set: the metric that selects.
        numbers: A row a setting, reference and method; the columns are `COLUMNS`, units those of the records.
    """

    metric: Metric
    numbers: pd.DataFrame

    @property
    def caption(self) -> str:
        """How the numbers came about."""
        unit = " in percentage points" if self.metric.percent else ""
        return (
            f"Test {self.metric.name} less that of a reference method{unit}, paired by seed (bilevel methods share "
            "seeds but not batch order): mean difference over the common seeds, its 95 % t interval, the p-value of "
            "the two-sided paired t-test, and that corrected by Holm's method for all comparisons with this reference "
            f"in this setting. A method is better or worse where the corrected one is below {ALPHA}. "
            "comparison.csv adds bootstrap intervals and exact sign-flip p-values."
        )

    def by_setting(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each setting with its comparisons as text."""
        for setting, rows in self.numbers.groupby("setting", sort=False):
            low, high = rows["low"].map(self._text), rows["high"].map(self._text)
            columns = {
                "reference": rows["reference"],
                "method": rows["method"],
                "seeds": rows["seeds"],
                "difference": rows["difference"].map(self._text),
                "95 % interval": (low + " to " + high).where(rows["low"].notna(), "–"),
                "p": rows["p"].map(p_text),
                "p (Holm)": rows["p_holm"].map(p_text),
                "verdict": rows["verdict"],
            }
            yield str(setting), pd.DataFrame(columns)

    def lines(self) -> Iterator[str]:
        """Yield a line a setting: which methods differ significantly from each reference method, and how."""
        for setting, rows in self.numbers.groupby("setting", sort=False):
            if {*rows["verdict"]} == {NOT_TESTED}:
                yield f"{setting}: no differences are tested, which takes two runs of each method."
                continue
            told = [f"from {reference} {_told(found)}" for reference, found in rows.groupby("reference", sort=False)]
            tests = f"test {self.metric.name}, paired t-tests over the seeds, Holm's correction"
            yield f"{setting}, significant differences: {'; '.join(told)} ({tests})."

    def _text(self, difference: float) -> str:
        if isnan(difference):
            return "–"
        return f"{100 * difference:+z.2f}" if self.metric.percent else f"{difference:+z.3f}"


def _told(rows: pd.DataFrame) -> str:
    """Return how many methods differ significantly from one reference method in one setting, and the few by name."""
    tested = rows[rows["verdict"] != NOT_TESTED]
    names = {word: tested.loc[tested["verdict"] == word, "method"].tolist() for word in (BETTER, WORSE)}
    count = sum(map(len, names.values()))
    if tested.empty:
        return NOT_TESTED
    parts = [f"{count or 'none'} of {len(tested)}"]
    parts += [f"{word} {', '.join(own) if len(own) <= NAMED else len(own)}" for word, own in names.items() if own]
    parts += [f"{len(rows) - len(tested)} {NOT_TESTED}"] * (len(tested) < len(rows))
    return ", ".join(parts)


def compare(
    arms: Sequence[Arm],
    finals: Mapping[tuple[str, str], Sequence[Record]],
    references: Sequence[str] = (),
    *,
    seed: int = SEED,
) -> Comparison:
    """Return the comparison of every method with each reference method that `arms` has.

    Args:
        arms: Settings and methods, in order; those that decline are passed over.
        finals: Final records by setting and method; only successful runs count.
        references: Names of the reference methods; none for the default ones.
        seed: Of the bootstrap.

    Returns:
        The comparison; of drawn data one without rows, as nothing is to be concluded from them.
    """
    metric = arms[0].suite.selection
    if is_sample(arms[0].data):
        return Comparison(metric, pd.DataFrame(columns=pd.Index(COLUMNS)))
    scores: dict[str, dict[str, dict[int, float]]] = {}
    for arm in arms:
        if not arm.declined:
            runs = [record for record in finals[arm.setting, arm.method] if record.status == "ok"]
            by_seed = {record.spec.seed: record.test[metric.name] for record in runs}
            scores.setdefault(arm.setting, {})[arm.method] = by_seed
    rows = [
        {"suite": called(arms[0].suite.name, arms[0].data), "setting": setting, "metric": metric.name, **row}
        for setting, by_method in scores.items()
        for reference in dict.fromkeys(references or DEFAULT_REFERENCES)
        if reference in by_method
        for row in _family(by_method, reference, metric, seed)
    ]
    return Comparison(metric, pd.DataFrame(rows, columns=pd.Index(COLUMNS)))


def _family(
    scores: Mapping[str, Mapping[int, float]], reference: str, metric: Metric, seed: int
) -> Iterator[dict[str, object]]:
    """Yield the comparisons of all methods with one reference in one setting, from scores by method and seed."""
    others = [method for method in scores if method != reference]
    pairs = [_paired(scores[method], scores[reference], seed) for method in others]
    corrected = holm([pair.p for pair in pairs]).tolist()
    for method, pair, p_holm in zip(others, pairs, corrected, strict=True):
        word = verdict(pair.difference, p_holm, metric)
        found = {"seeds" if name == "n" else name: value for name, value in asdict(pair).items()}
        yield {"reference": reference, "method": method, **found, "p_holm": p_holm, "verdict": word}


def _paired(method: Mapping[int, float], reference: Mapping[int, float], seed: int) -> Paired:
    common = method.keys() & reference.keys()
    return paired_difference([method[run] for run in common], [reference[run] for run in common], seed=seed)


def verdict(difference: float, p: float, metric: Metric) -> str:
    """Return a difference in plain words; one that could not be tested is `not tested`."""
    if isnan(p):
        return NOT_TESTED
    if p >= ALPHA:
        return "no significant difference"
    return BETTER if metric.improves(difference, 0) else WORSE


def p_text(p: float) -> str:
    """Return a p-value as text."""
    if isnan(p):
        return "–"
    return f"{p:.3f}" if p >= 0.0005 else "<0.001"


def p_phrase(p: float) -> str:
    """Return a p-value as a sentence has it: `p = 0.020`, or `p < 0.001`."""
    return f"p = {p:.3f}" if p >= 0.0005 else "p < 0.001"
