"""Methods and suites by name: what is wrong with their files, and goes wrong in them, is told in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import baselines
from auxilearn import Method
from benchmark import suites
from benchmark.errors import FULL, UserError
from benchmark.failures import reason_of
from benchmark.hyper import as_text, hyper_parameters, parse
from benchmark.places import Places
from benchmark.suite import Suite
from benchmark.train import OPTIMIZER_HYPER

Loaded = TypeVar("Loaded")


def load_method(name: str) -> type[Method]:
    """Return the method of that name; a file that cannot be loaded is the user's mistake, as are values of nothing."""
    method = _loaded("method", name, baselines.load)
    with blaming("method", name):
        _check_declared(method)
    return method


def _check_declared(method: type[Method]) -> None:
    """Refuse values to search that are of no hyper-parameter, or none."""
    own = {**dict.fromkeys(OPTIMIZER_HYPER, 0.0), **hyper_parameters(method)}
    for name in (*method.search_space, *method.one_a_task, *method.one_a_task.values()):
        if name not in own:
            raise UserError(f"{method.__name__} would search {name!r}, which its constructor does not take")
    for name, values in method.search_space.items():
        if not isinstance(values, tuple) or not values:
            raise UserError(f"{method.__name__}.search_space gives {values!r} to {name!r}, not a tuple of values")
        for value in values:
            if parse(f"{method.__name__}.search_space: {name}", as_text(value), own[name]) != value:
                default = f"whose default is {own[name]!r}"
                raise UserError(f"{method.__name__}.search_space gives {value!r} to {name!r}, {default}")


def load_suite(name: str, places: Places | None = None) -> Suite:
    """Return the suite of that name; a file that cannot be loaded is the user's mistake."""
    return _loaded("suite", name, lambda name: suites.load(name, places))


def _loaded(kind: str, name: str, load: Callable[[str], Loaded]) -> Loaded:
    try:
        return load(name)
    except (Exception, SystemExit) as error:
        raise UserError(f"{kind} {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


@contextmanager
def blaming(kind: str, name: str) -> Iterator[None]:
    """Turn what goes wrong in a plug-in's own code into one line that names it."""
    try:
        yield
    except (UserError, PermissionError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        raise UserError(f"{kind} {name!r} cannot be used: {reason_of(error)}") from error
