"""Per-task gradients against a loop over the tasks, and their weighted sum against the sum by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn import task_means
from tests.auxilearn.per_part import (
    PROBLEMS,
    TASKS,
    Recorded,
    loop,
    part_losses,
    representation_rows,
    shared_gradient,
    trained,
    weights_by_hand,
)
from tests.problems import TinyModel, TinyProblem


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_inner_products_and_direction_are_those_of_a_loop(name: str, space: str) -> None:
    method, problem = trained(PROBLEMS[name], space=space)
    plain = PROBLEMS[name]()
    values = part_losses(plain, plain.batch())
    rows = loop(values, plain.shared_parameters())
    compared = rows if space == "parameters" else representation_rows(plain, plain.batch())
    expected = compared.double() @ compared.double().T
    (parts,) = method.seen
    assert parts.gramian.dtype == parts.losses.dtype == torch.float64
    torch.testing.assert_close(parts.gramian, expected, rtol=1e-5, atol=1e-6 * float(expected.max()))
    torch.testing.assert_close(parts.losses, values.detach().double())
    weights = weights_by_hand(expected)
    assert (weights < 0).any()
    torch.testing.assert_close(shared_gradient(problem), weights.float() @ rows, rtol=1e-4, atol=1e-5)
    by_task = weights[torch.tensor(plain.task_groups)].float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), by_task, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("space", ["parameters", "representation"])
@pytest.mark.parametrize("name", ["dropout", "grouped", "in place"])
def test_each_head_follows_its_own_task_alone(name: str, space: str) -> None:
    _, problem = trained(PROBLEMS[name], space=space)
    plain = PROBLEMS[name]()
    torch.manual_seed(7)
    means = task_means(plain.losses(plain.batch()))
    heads = [list(head.parameters()) for head in plain.model.get_submodule("heads").children()]
    found = [list(head.parameters()) for head in problem.model.get_submodule("heads").children()]
    for mean, ours, theirs in zip(means, found, heads, strict=True):
        expected = torch.autograd.grad(mean, theirs, retain_graph=True)
        for parameter, gradient in zip(ours, expected, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(parameter.grad, gradient)


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_gradients_add_to_those_that_are_there(space: str) -> None:
    _, once = trained(PROBLEMS["batch norm"], space=space)
    problem = PROBLEMS["batch norm"]()
    for parameter in problem.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    Recorded(problem, space=space).backward(problem.batch())
    for twice, alone in zip(problem.model.parameters(), once.model.parameters(), strict=True):
        assert twice.grad is not None
        assert alone.grad is not None
        torch.testing.assert_close(twice.grad, alone.grad + 1)


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_frozen_parameters_stay_without_gradient_and_out_of_the_inner_products(space: str) -> None:
    problem = PROBLEMS["vectors"]()
    trunk, *others = problem.shared_parameters()
    head = next(problem.model.get_submodule("heads").parameters())
    for parameter in (trunk, head):
        parameter.requires_grad_(False)
    method = Recorded(problem, space=space)
    method.backward(problem.batch())
    assert trunk.grad is None
    assert head.grad is None
    assert all(p.grad is not None for p in problem.model.parameters() if p not in {trunk, head})
    if space == "parameters":
        rows = loop(part_losses(problem, problem.batch()), others)
        torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_autocast_reaches_the_losses_alone(space: str) -> None:
    problem, plain = PROBLEMS["vectors"](), PROBLEMS["vectors"]()
    method = Recorded(problem, space=space)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        method.backward(problem.batch())
        values = part_losses(plain, plain.batch())
    rows = loop(values, plain.shared_parameters())
    if space == "parameters":
        torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-4, atol=1e-5)
    weights = weights_by_hand(method.seen[0].gramian).float()
    tolerance = 1e-5 if space == "parameters" else 1e-2  # one backward pass through layers in bfloat16
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=tolerance, atol=tolerance)


def test_a_last_shared_layer_that_is_called_twice_counts_with_both_outputs() -> None:
    class Again(TinyModel):
        """Two passes through the last shared layer, of which the second matters to the first head alone."""

        def forward(self, x: Tensor) -> list[Tensor]:
            hidden = torch.tanh(self.last_shared(self.trunk(x)))
            main, *others = self.heads
            return [main(self.last_shared(hidden)), *(head(hidden) for head in others)]

    problem = TinyProblem(TASKS)
    problem.model.__class__ = Again
    method = Recorded(problem, space="representation")
    method.backward(problem.batch())
    outputs: list[Tensor] = []

    def note(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        outputs.append(output)

    handle = problem.last_shared_layer.register_forward_hook(note)
    values = part_losses(problem, problem.batch())
    handle.remove()
    rows = loop(values, outputs)
    torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-5, atol=1e-6)
    expected = weights_by_hand(method.seen[0].gramian).float() @ loop(values, problem.shared_parameters())
    torch.testing.assert_close(shared_gradient(problem), expected, rtol=1e-4, atol=1e-5)


def test_on_the_parameters_nothing_is_asked_of_the_last_shared_layer() -> None:
    problem = PROBLEMS["vectors"]()
    for parameter in (*problem.model.get_submodule("trunk").parameters(), *problem.last_shared_layer.parameters()):
        parameter.requires_grad_(False)
    extra = nn.Parameter(torch.zeros(()))
    problem.model.register_parameter("extra", extra)
    problem.shared_parameters = lambda: [extra]  # pyright: ignore[reportAttributeAccessIssue]
    plain = problem.losses
    problem.losses = lambda *args, **more: plain(*args, **more) * (1 + extra)  # pyright: ignore[reportAttributeAccessIssue]
    method = Recorded(problem)
    losses = method.backward(problem.batch())
    assert extra.grad is not None
    torch.testing.assert_close(extra.grad, weights_by_hand(method.seen[0].gramian).float() @ task_means(losses))
