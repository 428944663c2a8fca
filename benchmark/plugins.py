"""Methods and suites by name: what is wrong with their files, and goes wrong in them, is told in one line."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import baselines
from auxilearn import Method
from benchmark import suites
from benchmark.errors import FORBIDDEN, FULL, UserError
from benchmark.failures import LONGEST, place_of, reason_of, text_of
from benchmark.hyper import as_text, hyper_parameters, is_value, parse
from benchmark.places import Places
from benchmark.suite import Suite
from benchmark.text import plain
from benchmark.train import OPTIMIZER_HYPER

LOADERS = (baselines.__file__, suites.__file__)
"""The files that find plug-ins: what they refuse is wrong with a file as a whole."""

Loaded = TypeVar("Loaded")


def load_method(name: str) -> type[Method]:
    """Return the method of that name; a file that cannot be loaded is the user's mistake, as are values of nothing."""
    method = _loaded("method", name, baselines.load)
    with blaming("method", name):
        _check_declared(f"method {name!r}", method)
    return method


def fault_of(name: str) -> str | None:
    """Return in one line why a method cannot be loaded; None if it can."""
    try:
        load_method(name)
    except UserError as error:
        return plain(error)
    return None


def _check_declared(called: str, method: type[Method]) -> None:
    """Refuse hyper-parameters that records cannot hold, and values to search that are of none of them, or none."""
    own = {**dict.fromkeys(OPTIMIZER_HYPER, 0.0), **hyper_parameters(method)}
    for name, default in own.items():
        if not is_value(default):
            raise UserError(f"{called} needs a plain, finite default for {name!r}, not {default!r}")
    space: object = method.search_space
    if not isinstance(space, Mapping):
        raise UserError(f"{called} has as search_space {space!r}, not a dictionary of tuples")
    for name in (*space, *method.one_a_task, *method.one_a_task.values()):
        if name not in own:
            raise UserError(f"{called} would search {name!r}, which its constructor does not take")
    for name, values in space.items():
        if not isinstance(values, tuple) or not values:
            raise UserError(f"{called} would search {name!r} over {values!r}, not a tuple of values")
        for value in values:
            read = parse(f"search_space of {called}: {name}", as_text(value), own[name])
            if not is_value(value) or read != value:
                raise UserError(f"{called} would search {name!r} over {value!r}, its default is {own[name]!r}")


def load_suite(name: str, places: Places | None = None) -> Suite:
    """Return the suite of that name; a file that cannot be loaded is the user's mistake, as is an empty grid."""
    suite = _loaded("suite", name, lambda name: suites.load(name, places))
    with blaming("suite", name):
        _check_grid(f"suite {name!r}", suite)
    return suite


def _check_grid(called: str, suite: Suite) -> None:
    """Refuse a suite whose length or grid cannot be one."""
    for name in ("epochs", "threads", "final_seeds"):
        number = getattr(suite, name)
        if type(number) is not int or number < 1:
            raise UserError(f"{called} has as {name} {number!r}, not a whole number from 1 on")
    grid: object = suite.grid
    if not isinstance(grid, Mapping) or not set(OPTIMIZER_HYPER) <= set(grid):
        raise UserError(f"{called} has as grid {grid!r}, which does not say {' and '.join(OPTIMIZER_HYPER)}")
    for name, values in grid.items():
        if not isinstance(values, tuple) or not values or not all(map(is_value, values)):
            raise UserError(f"{called} has in its grid {values!r} for {name!r}, not a tuple of plain values")


def _loaded(kind: str, name: str, load: Callable[[str], Loaded]) -> Loaded:
    try:
        return load(name)
    except (Exception, SystemExit) as error:
        told = f"{type(error).__name__}: {text_of(error)[:LONGEST]}".removesuffix(": ")
        place = "" if isinstance(error, SyntaxError) and error.filename else place_of(error, but=LOADERS)
        raise UserError(f"{kind} {name!r} cannot be loaded: {told}{place}") from error


@contextmanager
def blaming(kind: str, name: str) -> Iterator[None]:
    """Turn what goes wrong in a plug-in's own code into one line that names it."""
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and (error.errno in FULL or error.errno in FORBIDDEN):
            raise
        raise UserError(f"{kind} {name!r} cannot be used: {reason_of(error)}") from error
