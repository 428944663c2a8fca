"""The variants of methods, their groups, and torchjd used directly."""

from typing import Any

import pytest
import torch
from torch import Tensor

import baselines
from auxilearn import Method, split_parameters
from benchmark.speed import direct, workload
from benchmark.speed.variants import GROUPS, Variant, variants_of
from benchmark.speed.work import training_step

CPU = torch.device("cpu")


def labels(name: str, auxiliaries: int, *, everything: bool) -> list[str]:
    return [variant.label for variant in variants_of(name, auxiliaries, everything=everything)]


@pytest.mark.parametrize("everything", [False, True])
def test_variants_start_with_the_defaults(everything: bool) -> None:
    assert labels("equal", 312, everything=everything) == [""]
    assert labels("gcs", 2, everything=everything)[0] == ""
    assert labels("pcgrad", 2, everything=everything)[0] == ""


def test_gradient_weightings_take_groups_of_two_or_more_tasks() -> None:
    assert GROUPS == 28
    assert labels("pcgrad", 55, everything=False) == [""]
    assert labels("pcgrad", 56, everything=False) == ["", "28 groups"]
    assert labels("gcs", 312, everything=False) == [""]


def test_on_request_other_settings_and_torchjd_are_measured_too() -> None:
    assert labels("gcs", 2, everything=True) == ["", "variant=weighted", "gate=sum"]
    shared = ["space=representation", "partition=sum"]
    few = ["", *shared, "torchjd mtl_backward", "torchjd autogram"]
    many = ["", "28 groups", *shared, "torchjd mtl_backward, 28 groups", "torchjd autogram, 28 groups"]
    assert labels("pcgrad", 12, everything=True) == few
    assert labels("pcgrad", 312, everything=True) == many


def test_settings_reach_the_method() -> None:
    problem = workload.make_problem(3, CPU)
    method = Variant("gcs", (("gate", "sum"), ("variant", "weighted"))).build(problem)
    assert (method.gate, method.variant) == ("sum", "weighted")  # type: ignore[attr-defined]


def test_a_method_starts_alike_whatever_was_drawn_before_and_draws_nothing() -> None:
    problem = workload.make_problem(3, CPU)
    built = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        built.append(Variant("auxilearn-nonlinear").build(problem))
        drawn = torch.rand(1)
        torch.manual_seed(seed)
        assert torch.equal(drawn, torch.rand(1))
    for first, second in zip(*(method.parameters() for method in built), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("auxiliaries", [56, 312])
def test_groups_are_of_nearly_one_size_and_leave_the_main_task_alone(auxiliaries: int) -> None:
    first, *others = workload.make_problem(auxiliaries, CPU, groups=GROUPS).task_groups
    assert first == 0
    assert others == sorted(others)
    sizes = [others.count(number) for number in range(1, GROUPS + 1)]
    assert sum(sizes) == auxiliaries
    assert max(sizes) - min(sizes) <= 1
    assert workload.make_problem(auxiliaries, CPU).task_groups == tuple(range(auxiliaries + 1))


def gradients(method: Method) -> tuple[list[Tensor], list[Tensor]]:
    """Return the gradients on shared parameters and on heads."""
    torch.manual_seed(5)
    method.backward(workload.make_batch(2, 1, CPU))
    parts = split_parameters(method.problem)
    found = [[p.grad.clone() for p in part if p.grad is not None] for part in parts]
    assert [len(part) for part in found] == [len(part) for part in parts]
    return found[0], found[1]


def problem_in_two_groups() -> Any:
    torch.manual_seed(0)
    problem = workload.make_problem(2, CPU, groups=1)
    assert problem.task_groups == (0, 1, 1)
    return problem


@pytest.mark.parametrize("interface", direct.INTERFACES)
@pytest.mark.parametrize("name", ["pcgrad", "imtl-g"])
def test_torchjd_finds_our_gradient(name: str, interface: str) -> None:
    ours, heads = gradients(Variant(name).build(problem_in_two_groups()))
    theirs, their_heads = gradients(Variant(name, interface=interface).build(problem_in_two_groups()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    if interface == "mtl_backward":  # autogram weighs the heads, too
        for a, b in zip(heads, their_heads, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("interface", direct.INTERFACES)
@pytest.mark.parametrize("name", direct.AGGREGATORS)
def test_torchjd_serves_every_method_that_it_is_compared_with(name: str, interface: str) -> None:
    assert name in baselines.names()
    method = Variant(name, interface=interface).build(workload.make_problem(2, CPU))
    shared, heads = gradients(method)
    assert all(gradient.isfinite().all() for gradient in (*shared, *heads))
    step = training_step(method, workload.make_batch(2, 1, CPU))
    step()
    step()
