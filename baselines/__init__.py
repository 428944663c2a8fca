"""The published methods, one file each: the folder is the registry. Files that start with `_` are no methods."""

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from auxilearn import Method

Plugin = TypeVar("Plugin")


def names() -> list[str]:
    """Return the names of all methods, sorted."""
    return plugin_names(__path__)


def load(name: str) -> "type[Method]":
    """Return the method class that the file of that name defines; see `load_plugin`."""
    from auxilearn import Method

    return load_plugin(__name__, name, Method)


def plugin_names(folder: Iterable[str]) -> list[str]:
    """Return the names of the plug-ins in a folder, sorted: its public files, `_` written as `-`."""
    public = (module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))
    return sorted(name.replace("_", "-") for name in public)


def load_plugin(package: str, name: str, base: type[Plugin]) -> type[Plugin]:
    """Return the one public subclass of `base` that a file of `package` defines.

    Raises:
        ImportError: There is no such file, or it cannot be imported.
        TypeError: The file does not define exactly one public subclass of `base`.
    """
    module = importlib.import_module(f"{package}.{name.replace('-', '_')}")
    found = [
        value
        for key, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not key.startswith("_")
    ]
    if len(found) != 1:
        wanted = f"exactly one public {base.__name__}"
        raise TypeError(f"{name.replace('-', '_')}.py must define {wanted}; it defines {len(found)}")
    return found[0]
