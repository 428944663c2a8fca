"""The suites, one file each: the folder is the registry."""

from typing import TYPE_CHECKING

from baselines import load_plugin, plugin_names

if TYPE_CHECKING:
    from benchmark.places import Places
    from benchmark.suite import Suite


def names() -> list[str]:
    """Return the names of all suites, sorted."""
    return plugin_names(__path__)


def load(name: str, places: "Places | None" = None) -> "Suite":
    """Return the suite that the file of that name defines, its data at `places`; see `baselines.load_plugin`."""
    from benchmark.suite import Suite

    return load_plugin(__name__, name, Suite)(name, places)  # type: ignore[abstract]
