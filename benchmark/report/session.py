"""One report from request to files."""

import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import baselines
from benchmark import suites, terminal
from benchmark.commands import DEFAULT_RESULTS, chosen
from benchmark.errors import UserError
from benchmark.planned import PLANS, Planned, read_plans
from benchmark.plugins import is_usable, load_suite
from benchmark.record import Record
from benchmark.report.across import DEFAULT_REFERENCE, Across, aggregate
from benchmark.report.across_sheet import across_sheet, write_across
from benchmark.report.drawings import shown, write_drawings
from benchmark.report.experiments import unasked
from benchmark.report.files import write_sheets
from benchmark.report.merge import FILE, check_trials, files_of, merge
from benchmark.report.page.build import write_page
from benchmark.report.page.source import Source, commands_for, read_lines, shown_names
from benchmark.report.paper import Found, paper_tables, sheets
from benchmark.report.paper_summary import closing_lines, summary
from benchmark.report.suites import own_results, plans_of
from benchmark.sources import remark
from benchmark.spec import is_sample
from benchmark.tables.table import Table
from benchmark.tables.write import write

SAMPLE_SUFFIX = "-sample"
AGAIN = "put its file back, or give the command that made them again with that folder, which trains nothing twice"
MERGED = DEFAULT_RESULTS / "merged"


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

    @property
    def folder(self) -> Path:
        """Folder that everything is written to."""
        return self.output or (MERGED if self.records else self.results_dir)


def run_report(request: Request) -> None:
    """Write and print what was asked for.

    Raises:
        UserError: There are no such records, or they cannot be put into one report.
    """
    found = _known(load(request))
    if said := remark(record for records in found.values() for record in records.values()):
        print(said, file=sys.stderr)
    asked, across = _asked(request, found), _across(request, found)
    _tell_unasked(request, found, asked)
    try:
        request.folder.mkdir(parents=True, exist_ok=True)
        if across is not None:
            written = write_across(across, request.folder, _name(request, "across"))
            terminal.print_sheets([across_sheet(across)], written)
        if request.paper:
            _report_paper(request, found)
        for name in asked:
            _report_suite(request, name, found[name])
    except OSError as error:
        raise UserError(f"cannot write to {request.folder} ({error.strerror}); use another --output") from None


def _known(found: Found) -> dict[str, dict[str, Record]]:
    """Return the records of known methods and settings; how many others there are is said on stderr."""
    names = baselines.names()
    wrong = {name for name in _methods(found) & {*names} if not is_usable(name)}
    unknown = Counter[str]()
    known: dict[str, dict[str, Record]] = {}
    for suite, records in found.items():
        settings = load_suite(suite).settings
        for digest, record in records.items():
            spec = record.spec
            if spec.method not in names:
                unknown[f"method {spec.method}"] += 1
            elif spec.method in wrong:
                continue
            elif spec.setting not in settings:
                unknown[f"setting {spec.setting} of suite {suite}"] += 1
            else:
                known.setdefault(suite, {})[digest] = record
    for what, count in sorted(unknown.items()):
        print(f"{count} record{'s' * (count > 1)} of unknown {what} left out", file=sys.stderr)
    return known


def _tell_unasked(request: Request, found: Found, asked: Sequence[str]) -> None:
    """Say on stderr how many records no table has; suites that have no other are refused where theirs is asked for."""
    planned = plans_by_suite(request)
    for suite, records in found.items():
        left = unasked(suite, records.values(), planned.get(suite, ()))
        if left and not (suite in asked and len(left) == len(records)):
            count = f"{len(left)} record{'s' * (len(left) > 1)}"
            print(f"{count} of suite {suite} left out, that no command in {PLANS} asked for; {AGAIN}", file=sys.stderr)


def _methods(found: Found) -> set[str]:
    return {record.spec.method for records in found.values() for record in records.values()}


def _across(request: Request, found: Found) -> Across | None:
    """Return how methods rank over the suites that are asked for; None where none are."""
    if not request.across:
        return None
    names = list(found) if request.across == "all" else chosen("suite", request.across, suites.names())
    for name in names:
        if name not in found:
            raise UserError(f"no records of suite {name!r}; {_hint(request, name)}")
    if not names:
        raise UserError(f"no records below {request.results_dir}; python -m benchmark.run makes them")
    planned = plans_by_suite(request)
    results = [
        own_results(
            name, found[name], planned=planned.get(name, ()), seed=request.seed, results_dir=request.results_dir
        )
        for name in names
    ]
    reference = request.references[0] if request.references else DEFAULT_REFERENCE
    settings = {each.suite: tuple(load_suite(name).settings) for name, each in zip(names, results, strict=True)}
    return aggregate(results, reference=reference, seed=request.seed, planned=settings)


def _report_paper(request: Request, found: Found) -> None:
    planned = plans_by_suite(request)
    tables = paper_tables(
        found, planned=planned, seed=request.seed, results_dir=request.results_dir, sample=request.sample
    )
    kept = [sheet for table in tables for sheet in sheets(table)]
    numbers = pd.concat([table.numbers for table in tables])
    paths = write_sheets(_name(request, "paper"), "Tables of the paper, measured", kept, numbers, request.folder)
    figures = {name: len(_figures(request, name, records)) for name, records in found.items()}
    folders = [(request.folder / _name(request, name), count) for name, count in figures.items() if count]
    summaries = [(table.title, summary(table)) for table in tables]
    terminal.print_frames(summaries, closing_lines(tables, paths, folders))


def _name(request: Request, name: str) -> str:
    return name + SAMPLE_SUFFIX * request.sample


def _asked(request: Request, found: Found) -> Sequence[str]:
    """Return the suites whose own tables are asked for: one, or all that records to merge are of."""
    if request.suite:
        if request.suite not in found:
            where = ", ".join(map(str, request.records)) or folder_of(request, request.suite) / FILE
            raise UserError(f"no records of suite {request.suite!r} in {where}; {_hint(request, request.suite)}")
        return [request.suite]
    return list(found) if request.records and not (request.paper or request.across) else []


def _hint(request: Request, suite: str) -> str:
    other = "" if request.sample else "; --sample reports runs on drawn data"
    sample = " --sample" if request.sample else ""
    return f"python -m benchmark.run --suite {suite}{sample} makes them{other}"


def folder_of(request: Request, suite: str) -> Path:
    """Return the folder of a suite's records among results."""
    return request.results_dir / (suite + SAMPLE_SUFFIX * request.sample)


def load(request: Request) -> dict[str, dict[str, Record]]:
    """Return the records that are asked for, by suite and digest; drawn data and others are never together.

    Raises:
        UserError: Records cannot be read or merged, or are of a suite that is not known.
    """
    files = _files(request)
    found: dict[str, dict[str, Record]] = {}
    for digest, record in merge(files).items():
        if is_sample(record.spec.data) == request.sample:
            found.setdefault(record.spec.suite, {})[digest] = record
    if unknown := sorted(set(found) - set(suites.names())):
        raise UserError(f"records of suite {unknown[0]!r}, which is not in benchmark/suites/; put its file there")
    if request.records:
        planned = plans_by_suite(request)
        for name, records in found.items():
            check_trials(name, records, planned.get(name, ()))
    if not found and request.records:
        kind = "on drawn data" if request.sample else "but on drawn data, which --sample reports"
        raise UserError(f"no records {kind} in {', '.join(map(str, files))}")
    return {name: found[name] for name in suites.names() if name in found}


def _files(request: Request) -> list[Path]:
    """Return the files of records that are asked for."""
    if request.records:
        return files_of(request.records)
    names = [request.suite] if request.suite and not (request.paper or request.across) else suites.names()
    return [path for name in names if (path := folder_of(request, name) / FILE).is_file()]


def plans_by_suite(request: Request) -> dict[str, list[Planned]]:
    """Return what commands asked for whose records are asked for, by suite."""
    found: dict[str, list[Planned]] = {}
    for folder in dict.fromkeys(path.parent for path in _files(request)):
        for plan in read_plans(folder / PLANS):
            found.setdefault(plan.suite, []).append(plan)
    return found


def _report_suite(request: Request, name: str, records: Mapping[str, Record]) -> None:
    folder = request.folder / _name(request, name)
    folder.mkdir(parents=True, exist_ok=True)
    source = page_source(request, name, records)
    results = [plan.results for plan in source.plans]
    files = [*write(results, folder), write_page(source, folder), *_figures(request, name, records)]
    for number, each in enumerate(results, start=1):
        terminal.print_table(Table(each), folder, shown(files) if number == len(results) else [])


def page_source(request: Request, name: str, records: Mapping[str, Record]) -> Source:
    """Return what the page of a suite is made from."""
    if request.records:
        files = files_of(request.records)
        commands = [
            (
                "Make this page again",
                f"python -m benchmark.report --records {shlex.join(map(str, shown_names(files).values()))}",
            )
        ]
    else:
        files = [folder_of(request, name) / FILE]
        commands = commands_for(name, files[0])
    plans = plans_of(
        name,
        records,
        planned=plans_by_suite(request).get(name, ()),
        references=request.references,
        seed=request.seed,
        results_dir=request.results_dir,
    )
    if not plans:
        where = ", ".join(str(path.with_name(PLANS)) for path in files)
        raise UserError(f"no command in {where} asked for the records of suite {name!r}; {AGAIN}")
    return Source(plans, records, read_lines(files), commands)


def _figures(request: Request, name: str, records: Mapping[str, Record]) -> list[str]:
    """Draw the figures of each plan that a suite's records are of."""
    folder = request.folder / _name(request, name)
    folder.mkdir(parents=True, exist_ok=True)
    return write_drawings(name, records, folder, plans_by_suite(request).get(name, ()))
