"""The published methods, one file each: the folder is the registry."""

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auxilearn import Method


def names() -> list[str]:
    """Return the names of all methods, sorted: the files of this folder, `_` written as `-`."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> "type[Method]":
    """Return the method class that the file of that name defines.

    Raises:
        KeyError: There is no such file.
        TypeError: The file does not define exactly one public subclass of `Method`.
    """
    from auxilearn import Method

    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    found = [
        value
        for key, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Method)
        and value.__module__ == module.__name__
        and not key.startswith("_")
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__file__} must define exactly one public Method; it defines {len(found)}")
    return found[0]
