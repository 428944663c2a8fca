"""Imports go one way: torch -> auxilearn -> baselines -> benchmark."""

import ast
from pathlib import Path

import pytest

import auxilearn
import baselines

ROOTS = {"auxilearn": Path(auxilearn.__path__[0]), "baselines": Path(baselines.__path__[0])}
OURS = {"auxilearn", "baselines", "benchmark", "tests"}


def imported(source: str, package: str) -> set[str]:
    """Return the packages of ours that a module of `package` imports, conditional imports included.

    What a package shares among its own files, in a file that starts with `_`, does not count.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}._"):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(package if node.level else (node.module or "").split(".")[0])
    return found & OURS


@pytest.mark.parametrize("path", sorted(ROOTS["auxilearn"].rglob("*.py")), ids=lambda path: path.name)
def test_auxilearn_imports_nothing_else_of_ours(path: Path) -> None:
    assert imported(path.read_text(), "auxilearn") <= {"auxilearn"}


@pytest.mark.parametrize("path", sorted(ROOTS["baselines"].rglob("*.py")), ids=lambda path: path.name)
def test_baselines_import_auxilearn_alone(path: Path) -> None:
    assert imported(path.read_text(), "baselines") <= {"auxilearn"}, "no sibling method, no benchmark"


def test_benchmark_does_not_import_tests() -> None:
    paths = sorted((ROOTS["baselines"].parent / "benchmark").rglob("*.py"))
    assert paths
    assert not [path for path in paths if "tests" in imported(path.read_text(), "benchmark")]


@pytest.mark.parametrize(
    "source",
    [
        "from baselines.stl import STL",
        "from . import stl",
        "from .stl import STL",
        "import benchmark.run",
        "def late():\n    import baselines",
    ],
)
def test_forbidden_imports_are_found(source: str) -> None:
    assert not imported(source, "baselines") <= {"auxilearn"}
