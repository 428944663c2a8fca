"""Figures of every plan that a suite's records are of, each plan's in a folder of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.figures import write_figures
from benchmark.figures.style import slugs
from benchmark.planned import Planned
from benchmark.record import Record
from benchmark.report.experiments import experiments
from benchmark.report.suites import OWN_PLAN, names_of

MOST_CHARACTERS = 80
"""Of the name of a plan's folder."""


def write_drawings(suite: str, records: Mapping[str, Record], folder: Path, planned: Sequence[Planned]) -> list[str]:
    """Draw the figures of each plan and return the names of the files, from `folder` on.

    Those of the first plan, which is the suite's own if that was run, lie in `folder`; those of each other in a folder
    below it that is called as the plan is. Where there is another plan than the suite's own, figures name their plan.

    Args:
        suite: Name of the suite.
        records: By digest; all of that suite, of one protocol, drawn data or not.
        folder: Is there; folders below it are made.
        planned: What commands asked for.
    """
    plans = experiments(suite, records.values(), planned)
    names = names_of(plans)
    written: list[str] = []
    for number, (plan, name, below) in enumerate(zip(plans, names, folders_of(names), strict=True)):
        place = folder / below
        place.mkdir(exist_ok=True)
        files = write_figures(
            plan.arms,
            records,
            place,
            depths=not any(plan.conditions == other.conditions for other in plans[:number]),
            plan="" if names == [OWN_PLAN] else name,
        )
        written += [str(Path(below, file)) for file in files]
    return written


def folders_of(names: Sequence[str]) -> list[str]:
    """Return the folder of each plan's figures below that of its suite: none for the first, each other's its own."""
    parts = slugs(names[1:], most=MOST_CHARACTERS)
    return [*("" for _ in names[:1]), *(parts[name] for name in names[1:])]


def shown(files: Sequence[str]) -> list[str]:
    """Return the names of files for a terminal: of those in folders below, the folder and how many there are."""
    folders = Counter(str(Path(file).parent) for file in files)
    own = [file for file in files if Path(file).parent == Path()]
    return [
        *own,
        *(f"{folder}/ ({count} file{'s' * (count > 1)})" for folder, count in folders.items() if folder != "."),
    ]
