"""What a report is asked for, and the records and plans that it reads for it."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import baselines
from benchmark import suites
from benchmark.errors import UserError
from benchmark.planned import PLANS, Planned, read_plans
from benchmark.plugins import fault_of, load_suite
from benchmark.record import Record
from benchmark.report.experiments import unasked
from benchmark.report.merge import FILE, files_of, merge
from benchmark.spec import is_sample

SAMPLE_SUFFIX = "-sample"
AGAIN = "put it back, or give the command that made them again, with its --results-dir: it trains nothing that is there"


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
        plans: The files of plans beside the records; where none is there, those that would be.
    """

    records: Mapping[str, Record]
    planned: Sequence[Planned]
    plans: Sequence[Path] = ()


def load(request: Request) -> dict[str, Found]:
    """Return the records that are asked for and the plans beside them; drawn data and others are never together.

    Raises:
        UserError: Records cannot be read or merged, or are of a suite that is not known.
    """
    files = files_for(request)
    records, places = dict[str, dict[str, Record]](), dict[str, dict[Path, None]]()
    for digest, source in merge(files).items():
        spec = source.record.spec
        if is_sample(spec.data) == request.sample:
            records.setdefault(spec.suite, {})[digest] = source.record
            places.setdefault(spec.suite, {})[source.path] = None
    if unknown := sorted(set(records) - set(suites.names())):
        raise UserError(f"records of suite {unknown[0]!r}, which is not in benchmark/suites/; put its file there")
    planned: dict[str, list[Planned]] = {}
    for path in _plans_beside(files):
        for plan in read_plans(path):
            planned.setdefault(plan.suite, []).append(plan)
    found = {
        name: Found(records[name], planned.get(name, ()), _plans_beside(places[name]))
        for name in suites.names()
        if name in records
    }
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


def _plans_beside(files: Iterable[Path]) -> list[Path]:
    """Return the files of plans beside files of records, and beside those that links lead to, each once.

    Where none is there, they are those that would be beside the names that were given.
    """
    found: dict[Path, Path] = {}
    files = list(files)
    for place in (place for path in files for place in (path, path.resolve())):
        if (beside := place.with_name(PLANS)).exists():
            found.setdefault(beside.resolve(), beside)
    return list(found.values()) or [path.with_name(PLANS) for path in files]


def read_suite(request: Request, say: Callable[[str], None]) -> Found:
    """Return what there is of the suite that is asked for, see `known` and `check_asked`.

    Raises:
        UserError: There is nothing, it cannot be read, or no command asks for any of it.
    """
    found = known(load(request), say)
    if request.suite not in found:
        raise UserError(f"no records of suite {request.suite!r} in {request.folder_of(request.suite) / FILE}")
    check_asked(found, [request.suite], say)
    return found[request.suite]


def check_asked(found: Mapping[str, Found], needed: Collection[str], say: Callable[[str], None]) -> None:
    """Say how many records are in no table, as no command asks for them.

    Raises:
        UserError: They are all that there is of a suite that is needed.
    """
    told = []
    for suite, each in found.items():
        if left := unasked(suite, each.records.values(), each.planned):
            why = _why(each.plans)
            text = f"no command asks for {len(left)} of {len(each.records)} records of suite {suite!r}: {why}"
            if suite in needed and len(left) == len(each.records):
                raise UserError(text)
            told.append(f"left out: {text}")
    for line in told:
        say(line)


def _why(plans: Iterable[Path]) -> str:
    """Return why no command asks for records beside some files of plans, and what can be done."""
    if gone := [str(path) for path in plans if not path.exists()]:
        return f"there is no {' and no '.join(gone)}; {AGAIN}"
    return f"none in {' and '.join(map(str, plans))} does as the code is now; if a line is lost, {AGAIN}"


def known(found: Mapping[str, Found], say: Callable[[str], None]) -> dict[str, Found]:
    """Return what there is of known methods and settings; which others there are is said."""
    names = baselines.names()
    faults = {name: fault for name in sorted(_methods(found) & {*names}) if (fault := fault_of(name))}
    for fault in faults.values():
        say(f"left out: {fault}")
    unknown = Counter[str]()
    kept: dict[str, dict[str, Record]] = {}
    for suite, each in found.items():
        settings = load_suite(suite).settings
        for digest, record in each.records.items():
            spec = record.spec
            if spec.method not in names:
                unknown[f"method {spec.method}"] += 1
            elif spec.method in faults:
                continue
            elif spec.setting not in settings:
                unknown[f"setting {spec.setting} of suite {suite}"] += 1
            else:
                kept.setdefault(suite, {})[digest] = record
    for what, count in sorted(unknown.items()):
        say(f"{count} record{'s' * (count > 1)} of unknown {what} left out")
    return {suite: dataclasses.replace(found[suite], records=records) for suite, records in kept.items()}


def _methods(found: Mapping[str, Found]) -> set[str]:
    return {record.spec.method for each in found.values() for record in each.records.values()}
