"""What the commands print: the table, the plan and the list of suites and methods."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

import baselines
from benchmark import budget, suites
from benchmark.campaign import missing
from benchmark.controls import phrase
from benchmark.display import PLAIN
from benchmark.engine import Resources
from benchmark.errors import UserError
from benchmark.estimate import seconds_per_run
from benchmark.hyper import as_text, hyper_parameters, suite_defaults
from benchmark.plan import Arm
from benchmark.plugins import blaming, load_method, load_suite
from benchmark.record import Record
from benchmark.space import describe
from benchmark.spec import called
from benchmark.tables.sheet import Sheet, frame_of_sheet
from benchmark.tables.table import Table
from benchmark.tables.write import by_setting
from benchmark.text import on_terminal, plain

WIDTH_IN_PIPE = 160
"""Characters of a line of the output where it is no terminal."""

COMMAND = "python -m "
"""What a line that is for copying holds."""

LEAST = 4
"""Characters to which the first columns of a table are cut where a terminal is too narrow for numbers beside them."""

FRAME = 3
"""Characters around a column's text: a space on each side and a border."""


def console() -> Console:
    """Return the terminal, or a wide page where the output is no terminal, whatever colours are asked for."""
    return Console(**PLAIN) if on_terminal(sys.stdout) else Console(**PLAIN, width=WIDTH_IN_PIPE)


def print_table(table: Table, folder: Path, files: Sequence[str]) -> None:
    """Print results and task weights under their title, a grid a setting; what differs, and where files are, if any."""
    out = console()
    _print_text(out, f"{table.data.title}\n")
    methods = {}
    for setting, frame in by_setting(table.results):
        known = frame.loc[(frame.drop(columns=["method", "trials"]) != "–").any(axis=1)]  # others are another setting's
        methods[setting] = known["method"]
        _print_frame(out, f"{table.suite}, {setting}", known)
    if table.weights is not None:
        for setting, frame in by_setting(table.weights):
            own = frame.loc[frame["method"].isin(methods[setting])]
            _print_frame(out, f"task weights at the end, {setting}", own)
    written = [f"Written to {folder}: {', '.join(files)}."] if files else []
    for line in (*table.comparison.lines(), table.caption, *table.notes, *written):
        _print_text(out, line)


def print_sheets(sheets: Iterable[Sheet], paths: Sequence[Path]) -> None:
    """Print sheets group by group, in parts that a terminal is wide enough for, and where the files are."""
    out = console()
    for sheet in sheets:
        frame = frame_of_sheet(sheet)
        for group, part in by_setting(frame) if any(name for name, _ in frame) else [("", frame.droplevel(0, axis=1))]:
            _print_frame(out, ": ".join(filter(None, [sheet.title, group])), part)
        notes = [f"[{number}] {note.text}" for number, note in enumerate(sheet.notes, start=1)]
        for line in filter(None, [sheet.caption, *notes]):
            _print_text(out, line)
    _print_text(out, f"Written: {', '.join(map(str, paths))}.")


def print_frames(frames: Iterable[tuple[str, pd.DataFrame]], lines: Iterable[str]) -> None:
    """Print tables under their titles, each title on a line of its own, and lines below."""
    out = console()
    for title, frame in frames:
        _print_text(out, title)
        _print_frame(out, "", frame)
    for line in lines:
        _print_text(out, line)


def _print_text(out: Console, text: str, *, indent: int = 0) -> None:
    """Print a line, on a terminal broken between words; one that holds a command is for copying, and never broken."""
    if not on_terminal(sys.stdout) or COMMAND in text:
        out.print(" " * indent + text, soft_wrap=True)
    elif indent:
        out.print(Padding(Text(text), (0, 0, 0, indent), expand=False))
    else:
        out.print(text)


def _print_frame(out: Console, title: str, frame: pd.DataFrame) -> None:
    """Print a table under its title, in parts that the terminal is wide enough for, each with the first column."""
    rows = [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
    _print_rows(out, title, list(map(str, frame.columns)), rows, keys=1)


def _print_rows(out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, keys: int) -> None:
    """Print a table, see `_print_frame`; the first columns, `keys` of them, are left-aligned, the others right."""
    widths = [max(map(cell_len, each)) for each in zip(columns, *rows, strict=True)]
    for shown in parts(widths, keys, out.width):
        grid = Grid(title=title, title_justify="left")
        room = out.width - 1 - sum(widths[index] + FRAME for index in shown[keys:])
        fitting = [*cut(widths[:keys], room - keys * FRAME), *(widths[index] for index in shown[keys:])]
        for index, width in zip(shown, fitting, strict=True):
            side = "left" if index < keys else "right"
            grid.add_column(columns[index], justify=side, no_wrap=True, min_width=width, max_width=width)
        for row in rows:
            grid.add_row(*(Text(row[index]) for index in shown))
        out.print(grid, crop=False)


def parts(widths: Sequence[int], keys: int, room: int) -> list[list[int]]:
    """Return which columns stand beside each other so that each part fits the room, the keys in every part.

    A column that does not fit beside the keys has a part of its own, for which they are to be cut.

    Args:
        widths: Of the columns' texts, in characters.
        keys: Number of the first columns that are repeated.
        room: Width of the terminal.
    """
    found = [list(range(keys))]
    for index in range(keys, len(widths)):
        if len(found[-1]) > keys and 1 + sum(widths[each] + FRAME for each in [*found[-1], index]) > room:
            found.append(list(range(keys)))
        found[-1].append(index)
    return found


def cut(widths: Sequence[int], room: int) -> list[int]:
    """Return widths of columns cut, the widest first, until all together fit the room or none is wider than `LEAST`."""
    found = list(widths)
    while sum(found) > room and max(found) > LEAST:
        found[found.index(max(found))] -= 1
    return found


def print_plan(arms: Sequence[Arm], records: Mapping[str, Record], resources: Resources) -> None:
    """Print runs, trials and estimated time of each arm."""
    out = console()
    seconds = seconds_per_run(arms, records.values(), resources.device)
    rows, left, left_sec = [], 0, 0.0
    for arm in arms:
        if arm.declined:
            rows.append([arm.setting, arm.method, *["–"] * 4])
            continue
        remaining, cost = missing(arm, records), seconds[arm.setting, arm.method]
        left, left_sec = left + remaining, left_sec + remaining * cost
        rows.append([arm.setting, arm.method, budget.trials(arm), *map(str, (arm.seeds, remaining)), f"{cost:.2f}"])
    columns = ("setting", "method", "trials", "final runs", "left to run", "s/run")
    suite = arms[0].suite
    title = f"Plan of suite {called(suite.name, arms[0].data)}{phrase(suite.controls)}"
    _print_rows(out, title, columns, rows, keys=2)
    for method in dict.fromkeys(arm.method for arm in arms):
        arm = next(arm for arm in arms if arm.method == method)
        if arm.declined:
            _print_text(out, f"{method} declines: {arm.declined}")
        elif told := _values(arm):
            _print_text(out, f"{method} {told}")
    slots = max(resources.workers, 1)
    kind = "worker" if resources.slurm is None else "Slurm job"
    where = resources.scheduler or f"{slots} {kind}{'s' * (slots > 1)} on {resources.device}"
    duration = _duration(left_sec / slots)
    runs = sum(arm.runs for arm in arms)
    _print_text(out, f"{runs} runs, {left} left: about {duration} with {where}, and its start")


def _values(arm: Arm) -> str:
    """Return what an arm searches, and what it has in place of what the method would search or the suite sets."""
    method = load_method(arm.method)
    own = hyper_parameters(method)
    set_apart = {*method.search_space, *suite_defaults(arm.suite.defaults, arm.method)}
    space = "; ".join(f"{name} {describe(each)}" for name, each in sorted(arm.space.items()))
    given = (name for name in arm.fixed if name in set_apart or arm.fixed[name] != own.get(name))
    fixed = ", ".join(f"{name}={as_text(arm.fixed[name])}" for name in sorted(given))
    return ", ".join(filter(None, (space and f"searches {space}", fixed and f"has {fixed}")))


def _duration(seconds: float) -> str:
    if seconds < 100:
        number = round(seconds)
        return f"{number} second{'s' * (number != 1)}"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def print_listing() -> None:
    """Print every suite and every method with what it searches and where it comes from.

    Raises:
        UserError: Files cannot be used; all others are printed before.
    """
    out = console()
    wrong: list[str] = []
    for kind, room, facts in (("suite", suites, _suite_facts), ("method", baselines, _method_facts)):
        out.print(f"{kind.capitalize()}s\n")
        for name in room.names():
            try:
                with blaming(kind, name):
                    found = facts(name)
            except UserError as error:
                wrong.append(str(error))
            else:
                print_entry(out, name, *found)
    if wrong:
        raise UserError("; ".join(wrong))


def _suite_facts(name: str) -> tuple[str, dict[str, str]]:
    suite = load_suite(name)
    return _first_line(suite), {
        "settings": ", ".join(suite.settings),
        "tasks": f"{suite.main_task}; auxiliary: {suite.auxiliary_tasks}",
        "default methods": ", ".join(suite.default_methods),
        "source": suite.citation,
    }


def _method_facts(name: str) -> tuple[str, dict[str, str]]:
    method = load_method(name)
    searched = "; ".join(f"{key} {', '.join(map(as_text, values))}" for key, values in method.search_space.items())
    others = {key: value for key, value in hyper_parameters(method).items() if key not in method.search_space}
    settings = ", ".join(f"{key}={as_text(value)}" for key, value in others.items())
    return _first_line(method), {"searches": searched, "settings": settings, "source": method.citation}


def _first_line(documented: object) -> str:
    return plain(next(iter(str(documented.__doc__ or "").strip().splitlines()), ""))


def print_entry(out: Console, name: str, title: str, facts: Mapping[str, str]) -> None:
    """Print a name with what it is and the facts that are not empty."""
    _print_text(out, f"{name}: {title}", indent=2)
    for key, value in facts.items():
        if value:
            _print_text(out, f"{key}: {value}", indent=6)
    out.print()
