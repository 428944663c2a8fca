"""An installation without the clone has all of the code, which driver and workers compare file by file."""

import tomllib

from setuptools import find_packages

from benchmark import versions
from tests.benchmark.helpers import ROOT

FOUND = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]


def test_what_is_installed_is_all_that_is_compared_and_nothing_else() -> None:
    assert FOUND.pop("namespaces") is False
    files = [name for name in versions.of_process() if name.endswith(".py")]
    assert len(files) > 100
    assert set(find_packages(str(ROOT), **FOUND)) == {name.rpartition("/")[0].replace("/", ".") for name in files}
