"""What a report is asked for, and the records and plans that it reads for it."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import baselines
from benchmark import suites
from benchmark.errors import UserError
from benchmark.planned import PLANS, Planned, read_plans
from benchmark.plugins import load_suite, unusable
from benchmark.record import Record
from benchmark.report.merge import FILE, check_trials, files_of, merge
from benchmark.spec import is_sample

SAMPLE_SUFFIX = "-sample"


@dataclass(frozen=True)
class Request:
    """What one command line asks for.

    Attributes:
        suite: Name of one suite; empty for none.
        paper: Whether to write the paper's tables.
        across: Suites to aggregate over, by comma, or `all`; empty for none.
        records: Files and folders to merge; none to read the folder of results.
        references: Methods that all others are compared with; none for the default ones.
        seed: Of the bootstrap.
        sample: Whether to report runs on drawn data in place of all others.
        results_dir: Folder of the results.
        output: Folder to write to; None for the folder of results, or `results/merged`.
    """

    suite: str
    paper: bool
    across: str
    records: tuple[Path, ...]
    references: tuple[str, ...]
    seed: int
    sample: bool
    results_dir: Path
    output: Path | None

    def name_of(self, what: str) -> str:
        """Return what files and folders of a suite or an aggregate are called, which says whether data were drawn."""
        return what + SAMPLE_SUFFIX * self.sample

    def folder_of(self, suite: str) -> Path:
        """Return the folder of a suite's records among results."""
        return self.results_dir / self.name_of(suite)


@dataclass(frozen=True)
class Found:
    """What there is of one suite.

    Attributes:
        records: By digest.
        planned: What commands asked for.
    """

    records: Mapping[str, Record]
    planned: Sequence[Planned]


def load(request: Request) -> dict[str, Found]:
    """Return the records that are asked for and the plans beside them; drawn data and others are never together.

    Raises:
        UserError: Records cannot be read or merged, or are of a suite that is not known.
    """
    files = files_for(request)
    records: dict[str, dict[str, Record]] = {}
    for digest, record in merge(files).items():
        if is_sample(record.spec.data) == request.sample:
            records.setdefault(record.spec.suite, {})[digest] = record
    if unknown := sorted(set(records) - set(suites.names())):
        raise UserError(f"records of suite {unknown[0]!r}, which is not in benchmark/suites/; put its file there")
    planned: dict[str, list[Planned]] = {}
    for folder in dict.fromkeys(folder for path in files for folder in (path.parent, path.resolve().parent)):
        for plan in read_plans(folder / PLANS):
            planned.setdefault(plan.suite, []).append(plan)
    found = {name: Found(records[name], planned.get(name, ())) for name in suites.names() if name in records}
    if request.records:
        for name, each in found.items():
            check_trials(name, each.records, each.planned)
    if not found and request.records:
        kind = "on drawn data" if request.sample else "but on drawn data, which --sample reports"
        raise UserError(f"no records {kind} in {', '.join(map(str, files))}")
    return found


def files_for(request: Request) -> list[Path]:
    """Return the files of records that are asked for.

    Raises:
        UserError: Files or folders to merge hold none.
    """
    if request.records:
        return files_of(request.records)
    names = [request.suite] if request.suite and not (request.paper or request.across) else suites.names()
    return [path for name in names if (path := request.folder_of(name) / FILE).is_file()]


def known(found: Mapping[str, Found]) -> dict[str, Found]:
    """Return what there is of known methods and settings; how many others there are is said on stderr."""
    names = baselines.names()
    wrong = unusable(sorted(_methods(found) & {*names}))
    unknown = Counter[str]()
    kept: dict[str, dict[str, Record]] = {}
    for suite, each in found.items():
        settings = load_suite(suite).settings
        for digest, record in each.records.items():
            spec = record.spec
            if spec.method not in names:
                unknown[f"method {spec.method}"] += 1
            elif spec.method in wrong:
                continue
            elif spec.setting not in settings:
                unknown[f"setting {spec.setting} of suite {suite}"] += 1
            else:
                kept.setdefault(suite, {})[digest] = record
    for what, count in sorted(unknown.items()):
        print(f"{count} record{'s' * (count > 1)} of unknown {what} left out", file=sys.stderr)
    return {suite: Found(records, found[suite].planned) for suite, records in kept.items()}


def _methods(found: Mapping[str, Found]) -> set[str]:
    return {record.spec.method for each in found.values() for record in each.records.values()}
