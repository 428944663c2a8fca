"""MAXL: its collapse penalty by hand, its outer step against unrolled differentiation, and what it reads."""

import copy
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxilearn.hessian import Parameters, flatten
from baselines.maxl import MAXL, negative_entropy
from tests.contract.loop import gradients
from tests.problems import Batch, TinyProblem

DOUBLE = torch.float64


def make(**settings: Any) -> tuple[TinyProblem, MAXL]:
    """Return a problem with BatchNorm and dropout, in double precision, and a method without weight decay."""
    torch.manual_seed(0)
    problem = TinyProblem(subclasses=(2, 3, 2), batch_norm=True, dropout=0.3, dtype=DOUBLE)
    hyper: dict[str, Any] = {"generator_weight_decay": 0.0, "generator_lr": 1.0, **settings}
    return problem, MAXL(problem, **hyper)


def phi(method: MAXL) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in method.parameters()]


def outer_loss(problem: TinyProblem, method: MAXL, train: Batch, judge: Batch, *, lr: float, stream: Tensor) -> Tensor:
    """Return the main loss after an unrolled step plus the penalty, differentiable in the generator."""
    labels = method.generator(*problem.inputs_and_labels(train))

    def losses(params: Parameters, batch: Batch, targets: Tensor | None = None) -> Tensor:
        torch.set_rng_state(stream)
        return problem.losses(batch, params, targets)

    leaves = dict(problem.model.named_parameters())
    loss = losses(leaves, train, labels).mean(0).sum()
    parts = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
    moved = {name: value - lr * part for (name, value), part in zip(leaves.items(), parts, strict=True)}
    mean = labels.mean(0)
    return losses(moved, judge)[:, 0].mean() + method.entropy_weight * (mean * mean.log()).sum()


@pytest.mark.parametrize("entropy_weight", [0.0, 0.4])
@pytest.mark.parametrize("held_out", ["train", "auxiliary"])
def test_the_outer_step_descends_the_unrolled_loss(held_out: Any, entropy_weight: float) -> None:
    problem, method = make(held_out=held_out, entropy_weight=entropy_weight)
    train, other, stream = problem.batch(32), problem.batch(32, seed=1), torch.get_rng_state()
    judge = train if held_out == "train" else other
    loss = outer_loss(problem, method, train, judge, lr=0.3, stream=stream)
    expected = torch.autograd.grad(loss, list(method.parameters()))
    before = phi(method)
    torch.set_rng_state(stream)
    method.outer_step(train, other, lr=0.3)
    found = [old - new for old, new in zip(before, phi(method), strict=True)]
    assert float(flatten(expected).norm()) > 1e-4
    assert float((flatten(found) - flatten(expected)).norm() / flatten(expected).norm()) < 1e-9
    entropy = float(method.diagnostics["label_entropy"])
    total = float(method.diagnostics["held_out_loss"]) - entropy_weight * entropy
    assert total == pytest.approx(float(loss.detach()), rel=1e-9)


def test_the_generator_has_weight_decay() -> None:
    (_, plain), (problem, decayed) = make(), make(generator_lr=0.5, generator_weight_decay=0.1)
    before, batch = phi(plain), problem.batch(32)
    for method in (plain, decayed):
        torch.manual_seed(1)
        method.outer_step(batch, batch, lr=0.3)
    for old, step, with_decay in zip(before, phi(plain), phi(decayed), strict=True):
        torch.testing.assert_close(with_decay, old + 0.5 * (step - old) - 0.5 * 0.1 * old)


def test_steps_of_the_generator_lower_the_outer_loss() -> None:
    problem, method = make(generator_lr=0.1)
    train, stream = problem.batch(32), torch.get_rng_state()
    values = []
    for _ in range(4):
        values.append(float(outer_loss(problem, method, train, train, lr=0.3, stream=stream).detach()))
        torch.set_rng_state(stream)
        method.outer_step(train, train, lr=0.3)
    assert values == sorted(values, reverse=True)


def test_the_entropy_alone_spreads_the_labels() -> None:
    problem, method = make(generator_lr=0.5, entropy_weight=1.0)
    batch = problem.batch(64)
    with torch.no_grad():  # collapse them first
        last = [layer for layer in method.generator.modules() if isinstance(layer, nn.Linear)][-1]
        last.bias.copy_(torch.tensor([2.0, 0, 2, 0, 0, 2, 0]))
    method.outer_step(batch, batch, lr=0.0)
    entropy = float(method.diagnostics["label_entropy"])
    for _ in range(10):
        method.outer_step(batch, batch, lr=0.0)
    assert float(method.diagnostics["label_entropy"]) > entropy + 0.1


def test_the_penalty_by_hand() -> None:
    # mean (1/4, 3/4, 0): log 1/4 / 4 + 3 log 3/4 / 4; derivative (1 + log m_c) / 2 where there is mass
    labels = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]], dtype=DOUBLE, requires_grad=True)
    value = negative_entropy(labels)
    assert float(value.detach()) == pytest.approx(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    (found,) = torch.autograd.grad(value, labels)
    row = torch.tensor([(1 + math.log(0.25)) / 2, (1 + math.log(0.75)) / 2, 0], dtype=DOUBLE)
    torch.testing.assert_close(found, row.expand(2, -1))


def test_the_penalty_of_labels_of_points_is_that_of_as_many_samples() -> None:
    labels = torch.rand(4, 5, 3, 2).softmax(1)
    torch.testing.assert_close(negative_entropy(labels), negative_entropy(labels.movedim(1, -1).reshape(-1, 5)))


def test_the_penalty_is_least_where_all_classes_are_used() -> None:
    assert float(negative_entropy(torch.eye(5))) == pytest.approx(-math.log(5))
    assert float(negative_entropy(F.one_hot(torch.zeros(4, dtype=torch.long), 5).float())) == 0


def test_the_papers_outer_step_reads_the_training_batch_alone() -> None:
    results: dict[str, list[list[Tensor]]] = {"train": [], "auxiliary": []}
    for held_out in ("train", "auxiliary"):
        for seed in (1, 2):
            problem, method = make(held_out=held_out, outer_every=7)
            assert (method.held_out, method.outer_every) == (held_out, 7)
            method.outer_step(problem.batch(), problem.batch(seed=seed), lr=0.3)
            results[held_out].append(phi(method))
    assert all(map(torch.equal, *results["train"]))
    assert not all(map(torch.equal, *results["auxiliary"]))


def test_training_minimises_the_sum_of_both_losses_on_the_generated_labels() -> None:
    problem, method = make()
    problem.model.eval()
    batch = problem.batch()
    labels = method.targets(batch).detach()
    method.backward(batch)
    loss = problem.losses(batch, targets=labels).mean(0).sum()
    expected = torch.autograd.grad(loss, list(problem.model.parameters()))
    torch.testing.assert_close(gradients(problem.model), list(expected))
    assert all(parameter.grad is None for parameter in method.parameters())


def test_an_outer_step_draws_nothing_and_leaves_no_gradient() -> None:
    problem, method = make()
    method.generator.backbone = nn.Sequential(method.generator.backbone, nn.Dropout(0.2))
    stream = torch.get_rng_state()
    method.outer_step(problem.batch(), problem.batch(), lr=0.3)
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(parameter.grad is None for parameter in method.parameters())
    assert all(not value.requires_grad and value.dim() == 0 for value in method.diagnostics.values())


def test_a_copy_trains_apart() -> None:
    problem, method = make()
    twin, before = copy.deepcopy(method), phi(method)
    twin.outer_step(problem.batch(), problem.batch(), lr=0.3)
    assert all(map(torch.equal, before, phi(method)))
    assert not all(map(torch.equal, before, phi(twin)))


def test_given_labels_are_declined() -> None:
    assert MAXL.declines(TinyProblem()) == "it generates auxiliary labels, and here these are given"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"entropy_weight": -0.1}, "entropy_weight"),
        ({"outer_every": 0}, "outer_every"),
        ({"held_out": "test"}, "auxiliary, train"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(**settings)
