"""MAXL-F: labels of a generator that stays as it was drawn."""

import torch

from baselines.maxl import MAXL
from baselines.maxl_f import MAXLF
from tests.contract.loop import Run, gradients
from tests.contract.problems import PROBLEMS
from tests.problems import TinyProblem


def test_the_generator_stays_as_it_was_drawn() -> None:
    run = Run(MAXLF, PROBLEMS["generated"])
    before = [parameter.clone() for parameter in run.method.parameters()]
    labels = run.method.targets(run.problem.batch())
    run.train(5)
    assert all(map(torch.equal, before, run.method.parameters()))
    assert torch.equal(labels, run.method.targets(run.problem.batch()))
    assert run.method.optimizer is None
    assert run.method.outer_every == 0
    assert not any(parameter.requires_grad for parameter in run.method.parameters())


def test_it_is_maxl_without_an_outer_step() -> None:
    found = []
    for method_class in (MAXL, MAXLF):
        torch.manual_seed(3)
        problem = TinyProblem(subclasses=(2, 3, 2), batch_norm=True)
        method_class(problem).backward(problem.batch())
        found.append(gradients(problem.model))
    assert all(map(torch.equal, *found))


def test_the_labels_differ_within_a_class_and_lie_in_its_sub_classes() -> None:
    problem = TinyProblem(subclasses=(2, 3, 2))
    batch = problem.batch(64)
    labels = MAXLF(problem).targets(batch)
    blocks = torch.stack([block.sum(1) for block in labels.split([2, 3, 2], 1)], 1)
    torch.testing.assert_close(blocks, torch.nn.functional.one_hot(batch["y0"], 3).float())
    assert float(labels[batch["y0"] == 1].std(0).max()) > 0.01


def test_given_labels_are_declined() -> None:
    assert MAXLF.declines(TinyProblem()) == "it generates auxiliary labels, and here these are given"
    assert MAXLF.declines(TinyProblem(subclasses=(2, 2))) is None
