from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from auxilearn import split_parameters, task_gradients, task_means
from auxilearn.task_gradients import (
    add_gradients,
    gramian,
    jacobian,
    memberships,
    recorded_outputs,
    without_rounding,
)
from tests.problems import TinyProblem

DOUBLE = torch.float64


def loop(values: Tensor, wanted: list[Any]) -> list[Tensor]:
    """Return the gradient of every value by one backward pass after another."""
    found = [torch.autograd.grad(value, wanted, retain_graph=True) for value in values]
    return [torch.stack(parts) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, {"size": (3, 2)}, {"masked": True, "dropout": 0.4}])
@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_the_jacobian_is_that_of_a_loop_whatever_the_chunks(
    settings: dict[str, Any], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = TinyProblem(("classification", "regression") * 2 + ("regression",), dtype=DOUBLE, **settings)
    shared, _ = split_parameters(problem)
    size = sum(parameter.numel() for parameter in shared)
    monkeypatch.setattr(task_gradients, "CHUNK_BYTES", rows * size * 8)
    batched = []
    plain = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: (batched.append(more), plain(*args, **more))[1])
    values = task_means(problem.losses(problem.batch()))
    found = jacobian(values, shared, size=size)
    assert len(batched) == -(-5 // rows), "as many passes as there are chunks"
    for ours, theirs in zip(found, loop(values, shared), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_chunks_follow_the_bytes_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_gradients, "CHUNK_BYTES", 8 * 10)
    passes = []
    plain = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: (passes.append(1), plain(*args, **more))[1])
    leaf = torch.ones(5, dtype=DOUBLE, requires_grad=True)
    jacobian(leaf * torch.arange(5), [leaf], size=5)
    assert len(passes) == 3, "two rows of five doubles each"


def test_chunks_of_small_gradients_end_at_a_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    plain = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: (passes.append(1), plain(*args, **more))[1])
    leaf = torch.tensor(2.0, requires_grad=True)
    (found,) = jacobian(leaf * torch.arange(101), [leaf], size=1)
    assert len(passes) == -(-101 // task_gradients.CHUNK_ROWS)
    assert torch.equal(found, torch.arange(101.0))


@pytest.mark.parametrize("chunk_bytes", [1, 2**20])
def test_what_no_value_reaches_gets_zeros(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_gradients, "CHUNK_BYTES", chunk_bytes)
    leaf, other = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    values, place = leaf * torch.tensor([2.0, 3.0]), get_gradient_edge(other.exp())
    reached, unreached = jacobian(values, [leaf, other], size=5)
    assert torch.equal(reached, torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
    assert torch.equal(unreached, torch.zeros(2, 3))
    (elsewhere,) = jacobian(values, [place], size=3)
    assert elsewhere.shape == (2, 0)
    assert torch.equal(gramian([elsewhere, reached]), gramian([reached]))


def test_the_jacobian_keeps_the_graph() -> None:
    leaf = torch.ones(2, requires_grad=True)
    values = leaf.square()
    first, second = (jacobian(values, [leaf], size=2) for _ in range(2))
    assert torch.equal(first[0], second[0])


def test_the_gramian_is_that_of_the_gradients() -> None:
    rows = [torch.randn(4, 3, 2), torch.randn(4), torch.randn(4, 5)]
    flat = torch.cat([part.reshape(4, -1) for part in rows], 1).double()
    found = gramian(rows)
    assert found.dtype == DOUBLE
    torch.testing.assert_close(found, flat @ flat.T, rtol=1e-6, atol=1e-6)


def test_the_gramian_is_not_in_the_precision_of_an_autocast() -> None:
    rows = [torch.randn(4, 300)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gramian(rows)
    torch.testing.assert_close(found, (rows[0] @ rows[0].T).double(), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ("tasks", [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]),
        ("groups", [[1, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 1]]),
        ("sum", [[1, 0, 0, 0, 0], [0, 1, 1, 1, 1]]),
    ],
)
def test_the_parts_of_each_partition(partition: Any, expected: list[list[int]]) -> None:
    problem = TinyProblem(("regression",) * 5)
    problem.task_groups = (0, 1, 2, 1, 2)
    assert memberships(problem, partition).tolist() == expected


def test_shared_parameters_and_heads_are_told_apart_and_frozen_ones_left_out() -> None:
    problem = TinyProblem()
    shared, heads = list(problem.shared_parameters()), list(problem.model.get_submodule("heads").parameters())
    assert all(map(torch.equal, split_parameters(problem)[0], shared))
    shared[0].requires_grad_(False)
    heads[0].requires_grad_(False)
    found = split_parameters(problem)
    assert [id(p) for p in found[0]] == [id(p) for p in shared[1:]]
    assert [id(p) for p in found[1]] == [id(p) for p in heads[1:]]


def test_gradients_are_added_not_in_place() -> None:
    fresh, full = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    before = full.grad = torch.ones(2)
    add_gradients([fresh, full], [torch.full((2,), 3.0), torch.full((2,), 4.0)])
    assert torch.equal(fresh.grad, torch.full((2,), 3.0))  # pyright: ignore[reportArgumentType]
    assert torch.equal(full.grad, torch.full((2,), 5.0))
    assert torch.equal(before, torch.ones(2))


def test_outputs_are_recorded_before_an_activation_in_place() -> None:
    layer, inputs = nn.Linear(3, 4), torch.randn(2, 3)
    with recorded_outputs(layer) as outputs:
        value = layer(inputs).relu_().sum() + layer(inputs[:1]).exp_().sum()
    layer(inputs)
    assert [output.size for output in outputs] == [8, 4], "every call in the block, none after it"
    first, second = torch.autograd.grad(value, [output.edge for output in outputs])
    with torch.no_grad():
        torch.testing.assert_close(first, (layer(inputs) > 0).float())
        torch.testing.assert_close(second, layer(inputs[:1]).exp())


def test_recording_ends_with_an_error_too() -> None:
    layer = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="in the block"), recorded_outputs(layer) as outputs:
        raise RuntimeError("in the block")
    layer(torch.zeros(1, 1))
    assert not outputs
    assert get_gradient_edge(layer(torch.zeros(1, 1)))


def test_dependent_gradients_come_out_dependent() -> None:
    gradients = torch.randn(5, 1000)
    gradients[3] = 1e-3 * gradients[0] + 1e-3 * gradients[1]
    gradients[4] = -1e3 * gradients[2]
    rounded = gramian([gradients])
    found = without_rounding(rounded, resolution=5 * torch.finfo(torch.float32).eps)
    norms = rounded.diagonal().sqrt()
    raw, clean = (torch.linalg.eigvalsh(each / norms.outer(norms)) for each in (rounded, found))
    assert raw[:2].abs().max() > 1e-10, "rounding hides the rank, or this tests nothing"
    assert clean[:2].abs().max() < 1e-14
    assert (clean[2:] > 0.1).all()
    assert ((found - rounded) / norms.outer(norms)).abs().max() < 1e-6


def test_independent_gradients_are_left_alone_however_small() -> None:
    gradients = torch.randn(4, 1000) * torch.tensor([[1.0], [1e-6], [1e6], [1e-3]])
    rounded = gramian([gradients])
    assert torch.equal(without_rounding(rounded, resolution=1e-6), rounded)


def test_no_gradient_at_all() -> None:
    assert without_rounding(torch.zeros(0, 0, dtype=DOUBLE), resolution=1e-6).shape == (0, 0)
