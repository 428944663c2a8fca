"""The checks can fail, and a file dropped into the folder of methods is checked like any other."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import baselines
from auxilearn import Method
from tests.contract import broken, checks
from tests.contract.problems import PROBLEMS

BREAKS: list[tuple[type[Method], checks.Check, str]] = [
    (broken.HoldsTheModel, checks.check_ownership, "holds the model's"),
    (broken.StepsTheModel, checks.check_ownership, "step or end_epoch changes"),
    (broken.LooksTwice, checks.check_one_forward, "other than by one pass"),
    (broken.MovesBatchNorm, checks.check_outer_step, "changes the model"),
    (broken.LeavesGradients, checks.check_outer_step, "changes the model"),
    (broken.SetsEvaluationMode, checks.check_outer_step, "changes the model"),
    (broken.NeverLearns, checks.check_outer_step, "leaves the method"),
    (broken.LeaksToPhi, checks.check_no_training_gradient, "training loss's gradient"),
    (broken.AveragesTwice, checks.check_masked, "valid entries"),
    (broken.ForgetsItsOptimiser, checks.check_resume, "the (model|method|weights) differs?"),
    (broken.ForgetsItsHistory, checks.check_resume, "the (model|method|weights) differs?"),
    (broken.SetsTheSeed, checks.check_repeatable, "global seed"),
    (broken.Rambling, checks.check_declines, "one line"),
    (broken.Positional, checks.check_hyper_parameters, "not keyword-only"),
    (broken.Structured, checks.check_hyper_parameters, "not plain"),
    (broken.Misnamed, checks.check_hyper_parameters, "does not take"),
    (broken.Mistyped, checks.check_hyper_parameters, "not of the default's type"),
    (broken.Detached, checks.check_gradient, "get no gradient"),
    (broken.Overwrites, checks.check_gradient, "overwrites"),
    (broken.Undefined, checks.check_weights, "not finite"),
    (broken.WeighsSamples, checks.check_weights, "shape"),
    (broken.Anonymous, checks.check_documentation, "citation"),
    (broken.Undocumented, checks.check_documentation, "docstring"),
    (broken.SaysNothingOfDepartures, checks.check_documentation, "'Departures:'"),
    (broken.NamesNoDepartures, checks.check_documentation, "'Departures:'"),
    (broken.NeedsAWord, checks.check_needs, "not a tuple"),
    (broken.NeedsTheUnknown, checks.check_needs, "luck"),
    (broken.NeedsTwice, checks.check_needs, "twice"),
    (broken.ForgetsItsNeed, checks.check_needs, "disagree"),
    (broken.NeedsNoHeldOutData, checks.check_needs, "disagree"),
    (broken.NeedsNoOuterStep, checks.check_needs, "disagree"),
]

NINTH = '''
"""A method that nobody wrote before."""

from torch import Tensor

from auxilearn import Method, task_means


class Ninth(Method):
    """Half of every auxiliary (nobody, 2026).

    Departures: none.
    """

    citation = "nobody, 2026"
    search_space = {"share": (0.25, 0.5)}

    def __init__(self, problem, *, share: float = 0.5) -> None:
        super().__init__(problem)
        self.share = share

    def combine(self, losses: Tensor) -> Tensor:
        means = task_means(losses)
        return means[0] + self.share * means[1:].sum()
'''


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_a_sound_method_passes(check: checks.Check) -> None:
    check(broken.Sound, PROBLEMS["vectors"])


@pytest.mark.parametrize(
    ("method_class", "check", "complaint"), BREAKS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_broken_method_fails(method_class: type[Method], check: checks.Check, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check(method_class, PROBLEMS["vectors"])


def test_every_check_is_seen_to_fail() -> None:
    assert {check for _, check, _ in BREAKS} == set(checks.CHECKS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a second folder that the registry reads."""
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("baselines.ninth")]:
        del sys.modules[name]


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_a_file_dropped_in_is_a_method(check: checks.Check, folder: Path) -> None:
    before = baselines.names()
    (folder / "ninth_method.py").write_text(NINTH)
    assert set(baselines.names()) - set(before) == {"ninth-method"}
    method_class = baselines.load("ninth-method")
    for problem in PROBLEMS.values():
        check(method_class, problem)


@pytest.mark.parametrize("source", ["", NINTH + "\n\nclass Tenth(Ninth):\n    pass\n"])
def test_a_file_defines_exactly_one_method(source: str, folder: Path) -> None:
    (folder / "ninth_method.py").write_text(source)
    with pytest.raises(TypeError, match="exactly one public Method"):
        baselines.load("ninth-method")
