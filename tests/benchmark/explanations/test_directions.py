"""Lengths of directions: what is noted is what the parameters get, and the other run starts off by the nudge alone."""

from pathlib import Path

import pytest
import torch

from benchmark.errors import UserError
from benchmark.explanations import directions
from benchmark.explanations.directions import METHODS, NUDGE, command, final_runs, measured, noted_lengths
from benchmark.findings.runs import RESULTS
from benchmark.plan import Options, make_plan
from benchmark.plugins import load_suite
from benchmark.spec import Spec
from benchmark.speed.measurement import CPU
from benchmark.speed.rows import read
from benchmark.train import Row, Training, Visit
from tests.benchmark.helpers import a_record


def a_final(method: str) -> Spec:
    """Return a short final run on the regression."""
    (arm,) = make_plan(Options("illustrative", methods=(method,), seeds=1, epochs=4))
    return arm.finals(arm.points()[0] if arm.space else {})[0]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_noted_is_the_length_of_the_gradient_that_the_parameters_get(method: str) -> None:
    training = Training(load_suite("illustrative"), a_final(method), CPU)
    lengths = noted_lengths(training.method)
    (parameter,) = training.problem.model.parameters()
    for index in range(3):
        torch.manual_seed(index)
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape))
        parameter.grad = None
        batch = training._batch(training.data.train)
        training.method.backward(batch)
        assert parameter.grad is not None
        means = training.problem.losses(batch).mean(0)
        gradients = [torch.autograd.grad(mean, parameter, retain_graph=True)[0].norm() for mean in means]
        expected = parameter.grad.norm() / max(gradients)
        assert lengths[index] == pytest.approx(expected.item(), rel=1e-3, abs=1e-6)
    assert len(lengths) == 3


def test_the_other_run_starts_off_by_the_nudge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[torch.Tensor] = []

    class Noted(Training):
        def finish(self, visit: Visit | None = None) -> Row:
            starts.append(next(self.problem.model.parameters()).detach().clone())
            return super().finish(visit)

    monkeypatch.setattr(directions, "Training", Noted)
    spec = a_final("mgda")
    suite = load_suite("illustrative")
    assert suite.steps_per_epoch is not None
    found = measured(suite, spec)
    own, other = starts
    torch.testing.assert_close(other - own, torch.full_like(own, NUDGE))
    assert (found.method, found.seed, found.steps) == ("mgda", spec.seed, spec.epochs * suite.steps_per_epoch)
    assert found.distance == pytest.approx(found.nudged, rel=1e-3)
    assert 0 < found.longest <= 1, "the shortest point of a hull is no longer than what spans it"


def test_the_command_writes_a_row_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "METHODS", ("mgda",))
    monkeypatch.setattr(directions, "final_runs", lambda results, method: [a_record(a_final(method))])
    command(tmp_path)
    (row,) = read(tmp_path / directions.FILE, directions.Directions)
    assert row.method == "mgda"


def test_runs_are_those_of_the_committed_table_by_seed(tmp_path: Path) -> None:
    for method in METHODS:
        assert [run.spec.seed for run in final_runs(RESULTS, method)] == list(range(1, 21))
    with pytest.raises(UserError, match="illustrative has no final run of mgda"):
        final_runs(tmp_path, "mgda")
