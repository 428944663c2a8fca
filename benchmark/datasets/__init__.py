"""The data sets, one file each: the folder is the registry; files that start with `_` are what they share."""

from typing import TYPE_CHECKING

from baselines import load_plugin, plugin_names

if TYPE_CHECKING:
    from benchmark.dataset import Dataset


def names() -> list[str]:
    """Return the names of all data sets, sorted."""
    return plugin_names(__path__)


def load(name: str) -> "Dataset":
    """Return the data set that the file of that name defines; see `baselines.load_plugin`."""
    from benchmark.dataset import Dataset

    return load_plugin(__name__, name, Dataset)(name)  # type: ignore[abstract]
