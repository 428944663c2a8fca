"""What the commands print: the table, the plan and the list of suites and methods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

import baselines
from benchmark import budget, suites
from benchmark.campaign import missing
from benchmark.controls import phrase
from benchmark.display import PLAIN
from benchmark.engine import Resources
from benchmark.estimate import seconds_per_run
from benchmark.hyper import as_text, hyper_parameters
from benchmark.plan import Arm, load_method, load_suite
from benchmark.record import Record
from benchmark.space import describe
from benchmark.spec import called
from benchmark.table import Table, by_setting
from benchmark.tables.sheet import Sheet, frame_of_sheet

MOST_COLUMNS = 6
"""Columns beside that of the methods that are printed beside each other."""

WIDTH_IN_PIPE = 160
"""Columns of the output where it is no terminal."""


def console() -> Console:
    """Return the terminal, or a wide page where the output is no terminal."""
    found = Console(**PLAIN)
    return found if found.is_terminal else Console(**PLAIN, width=WIDTH_IN_PIPE)


def print_table(table: Table, folder: Path, files: Sequence[str]) -> None:
    """Print results and task weights, a grid a setting, and where the files are, if any are named."""
    out = console()
    methods = {}
    for setting, frame in by_setting(table.results):
        known = frame.loc[(frame.drop(columns=["method", "trials"]) != "–").any(axis=1)]  # others are another setting's
        methods[setting] = known["method"]
        for block in _blocks(known):
            out.print(_grid(f"{table.suite}, {setting}", block))
    if table.weights is not None:
        for setting, frame in by_setting(table.weights):
            own = frame.loc[frame["method"].isin(methods[setting])]
            out.print(_grid(f"task weights at the end, {setting}", own))
    for line in (table.caption, *table.notes, *([f"Written to {folder}: {', '.join(files)}."] if files else [])):
        out.print(line, soft_wrap=True)


def print_sheets(sheets: Iterable[Sheet], paths: Sequence[Path]) -> None:
    """Print sheets group by group, in parts that a terminal is wide enough for, and where the files are."""
    out = console()
    for sheet in sheets:
        frame = frame_of_sheet(sheet)
        for group, part in by_setting(frame) if any(name for name, _ in frame) else [("", frame.droplevel(0, axis=1))]:
            for block in _blocks(part):
                out.print(_grid(": ".join(filter(None, [sheet.title, group])), block))
        notes = [f"[{number}] {note.text}" for number, note in enumerate(sheet.notes, start=1)]
        for line in filter(None, [sheet.caption, *notes]):
            out.print(line, soft_wrap=True)
    out.print(f"Written: {', '.join(map(str, paths))}.", soft_wrap=True)


def print_frames(frames: Iterable[tuple[str, pd.DataFrame]], lines: Iterable[str]) -> None:
    """Print grids under their titles, each title on a line of its own, and lines below."""
    out = console()
    for title, frame in frames:
        out.print(title, soft_wrap=True)
        out.print(_grid("", frame))
    for line in lines:
        out.print(line, soft_wrap=True)


def _blocks(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield a table in parts that a terminal is wide enough for, each with the column of methods."""
    others = [column for column in frame.columns if column != "method"]
    for start in range(0, len(others), MOST_COLUMNS):
        yield frame.loc[:, ["method", *others[start : start + MOST_COLUMNS]]]


def _grid(title: str, frame: pd.DataFrame) -> Grid:
    return _rows(title, frame.columns, frame.itertuples(index=False), left=1)


def _rows(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], *, left: int) -> Grid:
    """Return a grid with a number of left-aligned columns; the others are right-aligned."""
    grid = Grid(title=title, title_justify="left")
    for index, column in enumerate(columns):
        grid.add_column(str(column), justify="left" if index < left else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(str(cell)) for cell in row))
    return grid


def print_plan(arms: Sequence[Arm], records: Mapping[str, Record], resources: Resources) -> None:
    """Print runs, trials and estimated time of each arm."""
    out = console()
    seconds = seconds_per_run(arms, records.values(), resources.device)
    rows, left, left_sec = [], 0, 0.0
    for arm in arms:
        if arm.declined:
            rows.append((arm.setting, arm.method, "–", "–", "–", "–"))
            continue
        remaining, cost = missing(arm, records), seconds[arm.method]
        left, left_sec = left + remaining, left_sec + remaining * cost
        rows.append((arm.setting, arm.method, budget.trials(arm), arm.seeds, remaining, f"{cost:.2f}"))
    columns = ("setting", "method", "trials", "final runs", "left to run", "s/run")
    suite = arms[0].suite
    out.print(_rows(f"Plan of suite {called(suite.name, arms[0].data)}{phrase(suite.controls)}", columns, rows, left=2))
    for method in dict.fromkeys(arm.method for arm in arms):
        arm = next(arm for arm in arms if arm.method == method)
        if arm.declined:
            out.print(f"{method} declines: {arm.declined}")
        elif arm.space:
            space = "; ".join(f"{name} {describe(each)}" for name, each in sorted(arm.space.items()))
            out.print(f"{method} searches {space}", soft_wrap=True)
    slots = max(resources.workers, 1)
    kind = "worker" if resources.slurm is None else "Slurm job"
    where = resources.scheduler or f"{slots} {kind}{'s' * (slots > 1)} on {resources.device}"
    duration = _duration(left_sec / slots)
    out.print(f"{sum(arm.runs for arm in arms)} runs, {left} left: about {duration} with {where}, and its start")


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def print_listing() -> None:
    """Print every suite and every method with what it searches and where it comes from."""
    out = console()
    out.print("Suites\n")
    for name in suites.names():
        suite = load_suite(name)
        _entry(
            out,
            name,
            suite.__doc__,
            {
                "settings": ", ".join(suite.settings),
                "tasks": f"{suite.main_task}; auxiliary: {suite.auxiliary_tasks}",
                "default methods": ", ".join(suite.default_methods),
                "source": suite.citation,
            },
        )
    out.print("Methods\n")
    for name in baselines.names():
        method = load_method(name)
        searched = "; ".join(f"{key} {', '.join(map(as_text, values))}" for key, values in method.search_space.items())
        others = {key: value for key, value in hyper_parameters(method).items() if key not in method.search_space}
        settings = ", ".join(f"{key}={as_text(value)}" for key, value in others.items())
        _entry(out, name, method.__doc__, {"searches": searched, "settings": settings, "source": method.citation})


def _entry(out: Console, name: str, text: str | None, facts: Mapping[str, str]) -> None:
    """Print a name, the first line of its docstring and the facts that are not empty."""
    out.print(f"  {name}: {(text or '').strip().splitlines()[0]}", soft_wrap=True)
    for key, value in facts.items():
        if value:
            out.print(f"      {key}: {value}", soft_wrap=True)
    out.print()
