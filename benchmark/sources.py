"""The files in which a method and a suite are written: what a record was made with, and whether they changed since."""

import functools
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import baselines
from benchmark import suites
from benchmark.record import Record
from benchmark.text import plain
from benchmark.versions import of_process

SOURCES = "sources"
"""Where a record's environment has the hashes by file; records made before they were kept have none."""

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ("auxilearn.method", "benchmark.suite")
"""Modules of what all methods and all suites have in common, whose version the commit says."""


def hashes(*plugins: type) -> dict[str, str]:
    """Return a hash of each file in which classes and their own bases are written, by its path in the checkout.

    The hashes are those that the files had when this process first looked at all of them, which it does when it starts.
    """
    modules = sorted({base.__module__ for plugin in plugins for base in plugin.__mro__} - {*HOUSE})
    files = [Path(file).resolve() for name in modules if (file := getattr(sys.modules.get(name), "__file__", None))]
    names = [file.relative_to(ROOT).as_posix() for file in files if file.is_relative_to(ROOT)]
    known = of_process()
    return {name: known[name] for name in names if name in known}


@functools.cache
def hashes_of(suite: str, method: str) -> Mapping[str, str]:
    """Return the hashes of a suite's and a method's files; of none that cannot be loaded."""
    try:
        return hashes(type(suites.load(suite)), baselines.load(method))
    except (Exception, SystemExit):
        return {}


def changed(record: Record) -> list[str]:
    """Return the files of a record's method and suite that are others now; none where the record does not say."""
    then = record.environment.get(SOURCES)
    if not isinstance(then, dict):
        return []
    now = hashes_of(record.spec.suite, record.spec.method)
    return [plain(name) for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]


def is_current(record: Record) -> bool:
    """Return whether a record is known to be made with its method's and suite's files as they are now."""
    return isinstance(record.environment.get(SOURCES), dict) and not changed(record)


def remark(records: Iterable[Record]) -> str:
    """Return what is to be said of records whose method's or suite's files have been changed since; empty for none."""
    numbers, files = Counter[str](), dict[str, None]()
    for record in records:
        if found := changed(record):
            numbers[record.spec.method] += 1
            files |= dict.fromkeys(found)
    if not numbers:
        return ""
    runs = ", ".join(f"{number} of {name}" for name, number in numbers.items())
    return (
        f"runs made before {', '.join(files)} changed: {runs}; they count as they are, and benchmark.run makes them "
        f"again with --rerun {','.join(numbers)}"
    )
