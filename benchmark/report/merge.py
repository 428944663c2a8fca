"""Records of several people or machines as one: equal ones once, conflicts and mixed protocols refused by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.campaign import trial_records
from benchmark.errors import UserError
from benchmark.planned import Planned
from benchmark.record import Record, Store
from benchmark.report.differences import difference
from benchmark.report.experiments import experiments
from benchmark.spec import PROTOCOL
from benchmark.text import plain

FILE = "records.jsonl"


@dataclass(frozen=True)
class Source:
    """A record and the file that it is from."""

    record: Record
    path: Path


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return the files of records that paths name: files, folders with one, or folders of such folders.

    Raises:
        UserError: A path names none.
    """
    found: list[Path] = []
    for path in paths:
        below = (
            [path] if path.is_file() else [path / FILE] if (path / FILE).is_file() else sorted(path.glob(f"*/{FILE}"))
        )
        if not below:
            what = "no such file or folder" if not path.exists() else f"holds no {FILE}"
            raise UserError(f"--records {path}: {what}; name a {FILE} or a folder that has one")
        found += below
    return list(dict.fromkeys(found))


def read(path: Path) -> list[Record]:
    """Return the records of a file, the last failure of a run that has no result too; a torn last line is passed over.

    Raises:
        UserError: The file or a line of it cannot be read.
    """
    store = Store(path.parent)
    store.path = path
    store.read(failed=True)
    return list(store.records.values())


def merge(files: Sequence[Path]) -> dict[str, Source]:
    """Return the records of files by digest; a file that has several names is read once.

    The same run with the same results, see `benchmark.report.differences`, counts once, the first one's. A failure
    counts where no file has a result.

    Raises:
        UserError: Files have the same run with different results, or records of different protocols.
    """
    found: dict[str, Source] = {}
    once: dict[Path, Path] = {}
    for path in files:
        once.setdefault(path.resolve(), path)
    for path in once.values():
        for record in read(path):
            first = found.setdefault(record.spec.digest, Source(record, path))
            if first.record.status == "failed" and record.status != "failed":
                found[record.spec.digest] = Source(record, path)
            elif place := difference(first.record, record):
                raise _conflict(first, Source(record, path), place)
    check_protocols(found.values())
    return found


def check_trials(suite: str, records: Mapping[str, Record], planned: Sequence[Planned]) -> None:
    """Refuse records of two searches of one budget: which trials count would be a choice by order.

    Args:
        suite: Name of the suite.
        records: By digest; all of that suite.
        planned: What commands asked for.

    Raises:
        UserError: A trial was made at two points; its text names both runs.
    """
    for arm in (arm for plan in experiments(suite, records.values(), planned) for arm in plan.arms if arm.search):
        for trial, found in trial_records(arm, records).items():
            if len(found) > 1:
                runs = " and ".join(record.spec.digest for record in found)
                raise UserError(
                    f"trial {trial} of {arm.method} in {arm.setting} of {suite} was made at {len(found)} points, "
                    f"in runs {runs}: these are of several searches; report the records of one"
                )


def check_protocols(sources: Iterable[Source]) -> None:
    """Refuse records of several protocols, and those of another one than this code's.

    Raises:
        UserError: There are some; its text names files and numbers.
    """
    counts: dict[tuple[int, Path], int] = {}
    for source in sources:
        key = source.record.spec.protocol, source.path
        counts[key] = counts.get(key, 0) + 1
    numbers = sorted({protocol for protocol, _ in counts})
    if numbers in ([], [PROTOCOL]):
        return
    where = ", ".join(
        f"{path} has {count} of protocol {protocol}" for (protocol, path), count in sorted(counts.items())
    )
    if len(numbers) > 1:
        raise UserError(
            f"records of protocols {' and '.join(map(str, numbers))} are never mixed: {where}; move all but one away"
        )
    raise UserError(f"{where}; this code reports protocol {PROTOCOL}: use the code of the commit that made them")


def _conflict(first: Source, second: Source, place: str) -> UserError:
    spec = first.record.spec
    what = f"{spec.suite}, {spec.setting}, {spec.method}, {spec.phase} run of seed {spec.seed}"
    return UserError(
        f"run {spec.digest} ({what}) has different results in {first.path} and {second.path}: {plain(place)}; "
        "find out which one is right (commit, device and versions are in both) and remove the other line"
    )
