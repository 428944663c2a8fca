"""One report from request to files."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmark import suites, terminal
from benchmark.commands import DEFAULT_RESULTS, chosen
from benchmark.engine import tell
from benchmark.errors import UserError
from benchmark.plugins import load_suite
from benchmark.report.across import DEFAULT_REFERENCE, Across, aggregate
from benchmark.report.across_sheet import across_sheet, write_across
from benchmark.report.drawings import shown, write_drawings
from benchmark.report.files import write_sheets
from benchmark.report.merge import FILE, check_trials
from benchmark.report.page.build import write_page
from benchmark.report.page.source import Source, commands_for, read_lines, shown_names
from benchmark.report.paper import paper_tables, published_suites, sheets
from benchmark.report.paper_summary import closing_lines, summary
from benchmark.report.reading import Found, Request, check_asked, files_for, known, load
from benchmark.report.suites import own_results, plans_of
from benchmark.sources import remark
from benchmark.tables.table import Table
from benchmark.tables.write import write

MERGED = DEFAULT_RESULTS / "merged"


def run_report(request: Request) -> None:
    """Write and print what was asked for.

    Raises:
        UserError: There are no such records, or they cannot be put into one report.
    """
    found = known(load(request), tell)
    if request.records:
        for name, each in found.items():
            check_trials(name, each.records, each.planned)
    if said := remark(record for each in found.values() for record in each.records.values()):
        tell(said)
    asked, compared = _asked(request, found), _compared(request, found)
    check_asked(found, {*asked, *compared, *(published_suites() if request.paper else ())}, tell)
    across = _across(request, found, compared) if compared else None
    folder = _folder(request)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if across is not None:
            written = write_across(across, folder, request.name_of("across"))
            terminal.print_sheets([across_sheet(across)], written)
        if request.paper:
            _report_paper(request, found)
        for name in asked:
            _report_suite(request, name, found[name])
    except OSError as error:
        raise UserError(f"cannot write to {folder} ({error.strerror}); use another --output") from None


def _folder(request: Request) -> Path:
    """Return the folder that everything is written to."""
    return request.output or (MERGED if request.records else request.results_dir)


def _compared(request: Request, found: Mapping[str, Found]) -> Sequence[str]:
    """Return the suites over which methods are to be ranked; none where nothing of that kind is asked for."""
    if not request.across:
        return ()
    names = list(found) if request.across == "all" else chosen("suite", request.across, suites.names())
    for name in names:
        if name not in found:
            raise UserError(f"no records of suite {name!r}; {_hint(request, name)}")
    if not names:
        raise UserError(f"no records below {request.results_dir}; python -m benchmark.run makes them")
    return names


def _across(request: Request, found: Mapping[str, Found], names: Sequence[str]) -> Across:
    """Return how methods rank over suites."""
    results = [
        own_results(
            name,
            found[name].records,
            planned=found[name].planned,
            seed=request.seed,
            results_dir=request.results_dir,
        )
        for name in names
    ]
    reference = request.references[0] if request.references else DEFAULT_REFERENCE
    settings = {each.suite: tuple(load_suite(name).settings) for name, each in zip(names, results, strict=True)}
    return aggregate(results, reference=reference, seed=request.seed, planned=settings)


def _report_paper(request: Request, found: Mapping[str, Found]) -> None:
    tables = paper_tables(found, seed=request.seed, results_dir=request.results_dir, sample=request.sample)
    kept = [sheet for table in tables for sheet in sheets(table)]
    numbers = pd.concat([table.numbers for table in tables])
    folder = _folder(request)
    paths = write_sheets(request.name_of("paper"), "Tables of the paper, measured", kept, numbers, folder)
    figures = {name: len(_figures(request, name, each)) for name, each in found.items()}
    folders = [(folder / request.name_of(name), count) for name, count in figures.items() if count]
    summaries = [(table.title, summary(table)) for table in tables]
    terminal.print_frames(summaries, closing_lines(tables, paths, folders))


def _asked(request: Request, found: Mapping[str, Found]) -> Sequence[str]:
    """Return the suites whose own tables are asked for: one, or all that records to merge are of."""
    if request.suite:
        if request.suite not in found:
            where = ", ".join(map(str, request.records)) or request.folder_of(request.suite) / FILE
            raise UserError(f"no records of suite {request.suite!r} in {where}; {_hint(request, request.suite)}")
        return [request.suite]
    return list(found) if request.records and not (request.paper or request.across) else []


def _hint(request: Request, suite: str) -> str:
    other = "" if request.sample else "; --sample reports runs on drawn data"
    sample = " --sample" if request.sample else ""
    return f"python -m benchmark.run --suite {suite}{sample} makes them{other}"


def _report_suite(request: Request, name: str, found: Found) -> None:
    folder = _folder(request) / request.name_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    source = page_source(request, name, found)
    results = [plan.results for plan in source.plans]
    files = [*write(results, folder), write_page(source, folder), *_figures(request, name, found)]
    for number, each in enumerate(results, start=1):
        terminal.print_table(Table(each), folder, shown(files) if number == len(results) else [])


def page_source(request: Request, name: str, found: Found) -> Source:
    """Return what the page of a suite is made from, of which a command asks for some records."""
    if request.records:
        files = files_for(request)
        commands = [
            (
                "Make this page again",
                f"python -m benchmark.report --records {shlex.join(map(str, shown_names(files).values()))}",
            )
        ]
    else:
        files = [request.folder_of(name) / FILE]
        commands = commands_for(name, files[0])
    plans = plans_of(
        name,
        found.records,
        planned=found.planned,
        references=request.references,
        seed=request.seed,
        results_dir=request.results_dir,
    )
    return Source(plans, found.records, read_lines(files), commands)


def _figures(request: Request, name: str, found: Found) -> list[str]:
    """Draw the figures of each plan that a suite's records are of."""
    folder = _folder(request) / request.name_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    return write_drawings(name, found.records, folder, found.planned)
