"""Hyper-parameters of methods: which there are, and their values from text."""

import fnmatch
import inspect
import math
from collections.abc import Callable, Mapping

from auxilearn import Method
from benchmark.errors import UserError
from benchmark.spec import Value


def hyper_parameters(method: type[Method]) -> dict[str, Value]:
    """Return the method's hyper-parameters and their defaults: the keyword-only arguments of its constructor.

    A constructor that takes `**settings` passes them to its base class, whose arguments count too.
    """
    found: dict[str, Value] = {}
    for base in method.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            own = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
            found = {**own, **found}
            if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters):
                break
    return found


def suite_defaults(
    defaults: Mapping[str, Value | tuple[Value, ...]], method: str
) -> dict[str, Value | tuple[Value, ...]]:
    """Return a suite's values of a method's hyper-parameters, those of a named group of methods last."""
    found: dict[str, Value | tuple[Value, ...]] = {}
    for full, value in sorted(defaults.items(), key=lambda item: "." in item[0]):
        scope, _, key = full.rpartition(".")
        if fnmatch.fnmatchcase(method, scope or "*"):
            found[key] = value
    return found


def as_text(value: Value) -> str:
    """Return a value as `parse` reads it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def parse(name: str, text: str, example: Value) -> Value:
    """Return `text` as a value of the type of `example`."""
    kind, read = _READERS[type(example)]
    try:
        return read(text)
    except (ValueError, KeyError):
        raise UserError(f"{name} takes {kind}, not {text!r}") from None


def is_value(value: object) -> bool:
    """Return whether a hyper-parameter can have a value: one of a plain type, and finite."""
    return type(value) in _READERS and not (isinstance(value, float) and not math.isfinite(value))


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READERS: dict[type, tuple[str, Callable[[str], Value]]] = {
    bool: ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    int: ("a whole number", int),
    float: ("a finite number", _finite),
    str: ("a word", str),
    type(None): ("a finite number or none", lambda text: None if text.lower() == "none" else _finite(text)),
}
