"""The method that CONTRIBUTING.md shows keeps the rules it names."""

import sys
from pathlib import Path

import pytest

import baselines
from tests.contract.checks import CHECKS
from tests.contract.problems import PROBLEMS

GUIDE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


def test_the_example_passes_every_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = GUIDE.read_text().partition("```python\n")[2].partition("```")[0]
    (tmp_path / "guide_example.py").write_text(example)
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    try:
        method_class = baselines.load("guide-example")
        for check in CHECKS:
            for factory in PROBLEMS.values():
                check(method_class, factory)
    finally:
        sys.modules.pop("baselines.guide_example", None)
