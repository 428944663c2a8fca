"""Committed records, and the few ways in which findings put them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from benchmark.commands import DEFAULT_RESULTS
from benchmark.record import Record, Store
from benchmark.statistics import Paired, paired_difference, summarize

RESULTS = Path(__file__).resolve().parents[2] / DEFAULT_RESULTS

Chosen = Callable[[Record], bool]


@cache
def records_of(folder: Path) -> Sequence[Record]:
    """Return the records in a folder, failed ones too; none where there is no such folder."""
    store = Store(folder)
    store.read(failed=True)
    return list(store.records.values())


def final_runs(folder: Path, *, chosen: Chosen = lambda _: True) -> list[Record]:
    """Return the final runs in a folder that are chosen, whether they gave a result or not, by method and seed."""
    found = (record for record in records_of(folder) if record.spec.phase == "final" and chosen(record))
    return sorted(found, key=lambda record: (record.spec.method, record.spec.seed))


def succeeded(records: Iterable[Record], method: str = "", setting: str = "") -> list[Record]:
    """Return the runs that gave a result, of one method and setting where these are named."""
    return [
        record
        for record in records
        if record.status == "ok" and method in ("", record.spec.method) and setting in ("", record.spec.setting)
    ]


def by_seed(records: Iterable[Record], metric: str) -> dict[int, float]:
    """Return a test metric by seed.

    Raises:
        ValueError: Two of the records have one seed: they are of different runs.
    """
    found: dict[int, float] = {}
    for record in records:
        if record.spec.seed in found:
            raise ValueError(f"two runs of {record.spec.method} in {record.spec.setting} with seed {record.spec.seed}")
        found[record.spec.seed] = record.test[metric]
    return found


def paired(scores: Mapping[int, float], others: Mapping[int, float]) -> Paired:
    """Return the paired difference of two metrics by seed, over the seeds that both have."""
    common = sorted(scores.keys() & others.keys())
    return paired_difference([scores[seed] for seed in common], [others[seed] for seed in common])


def percent(values: Iterable[float]) -> str:
    """Return mean ± standard error of fractions, in percent."""
    found = summarize([100 * value for value in values])
    return f"{found.mean:.2f} ± {found.sem:.2f}" if found.n > 1 else f"{found.mean:.2f}"


def origin(records: Iterable[Record]) -> str:
    """Return machine, versions, commits and last day of runs."""
    about = [(record.environment, record.finished[:10]) for record in records]
    devices = sorted({str(each["device"]) for each, _ in about})
    torches = sorted({str(each["torch"]) for each, _ in about})
    commits = sorted({str(each["commit"])[:7] for each, _ in about})
    named = f"commit{'s' * (len(commits) > 1)} {', '.join(commits)}"
    return f"{', '.join(devices)}, torch {', '.join(torches)}, {named}, {max(day for _, day in about)}"


def listed(names: Sequence[str]) -> str:
    """Return names as code in a sentence; `none` for none."""
    marked = [f"`{name}`" for name in names]
    return " and ".join(filter(None, [", ".join(marked[:-1]), marked[-1]])) if marked else "none"
