"""AuxiLearn in a training loop: what it changes, what it leaves alone and what survives."""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn.auxilearn import AuxiLearn, Batches
from auxilearn.combiners import Combiner, ConvCombiner, DeepLinearCombiner, LinearCombiner, NonlinearCombiner
from auxilearn.generators import LabelGenerator
from tests.problems import TinyProblem

Make = Callable[..., Combiner]
VARIANTS: dict[str, tuple[Make, dict[str, Any], dict[str, Any]]] = {
    "linear": (LinearCombiner, {"batch_norm": True, "dropout": 0.3}, {}),
    "linear-identity": (LinearCombiner, {"batch_norm": True}, {"solver": "identity"}),
    "deep-linear-adam": (DeepLinearCombiner, {"batch_norm": True}, {"preconditioner": "adam", "mode": "corrected"}),
    "nonlinear-corrected": (NonlinearCombiner, {"batch_norm": True, "masked": True}, {"mode": "corrected"}),
    "nonlinear-images": (NonlinearCombiner, {"size": (3, 4), "masked": True}, {"hessian": "difference"}),
    "nonlinear-cg": (NonlinearCombiner, {"dropout": 0.3}, {"solver": "cg", "damping": 0.1}),
    "linear-nystrom": (LinearCombiner, {"dropout": 0.3}, {"solver": "nystrom", "damping": 0.1}),
    "conv": (ConvCombiner, {"size": (6, 5), "batch_norm": True, "dropout": 0.3}, {"look_ahead": True}),
    "generated": (LinearCombiner, {"subclasses": (2, 3, 2), "batch_norm": True, "dropout": 0.3}, {}),
}


def make(variant: str, **settings: Any) -> tuple[TinyProblem, AuxiLearn]:
    combiner, problem_settings, method_settings = VARIANTS[variant]
    problem = TinyProblem(**problem_settings)
    generator = None
    if problem.subclasses:
        generator = LabelGenerator(nn.Sequential(problem.make_generator(), nn.Dropout(0.2)), problem.subclasses)
    return problem, AuxiLearn(problem, combiner(problem.n_tasks), generator, **(method_settings | settings))


def train(problem: TinyProblem, method: AuxiLearn, steps: range) -> None:
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.05)
    for step in steps:
        torch.manual_seed(step)
        batch = problem.batch(seed=step)
        if step % 2 == 0:
            method.outer_step(batch, problem.batch(seed=1000 + step), lr=0.05)
        optimizer.zero_grad()
        method.backward(batch)
        optimizer.step()
        method.step(batch)


def model_state(problem: TinyProblem) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in problem.model.state_dict().items()}


def phi(method: AuxiLearn) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in method.parameters()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_outer_step_changes_phi_and_nothing_else(variant: str) -> None:
    problem, method = make(variant)
    train(problem, method, range(3))
    before, phi_before = model_state(problem), phi(method)
    gradients = [None if p.grad is None else p.grad.clone() for p in problem.model.parameters()]
    stream = torch.get_rng_state()
    method.outer_step(problem.batch(seed=3), problem.batch(seed=4), lr=0.1)
    assert all(torch.equal(value, before[name]) for name, value in problem.model.state_dict().items())
    for parameter, gradient in zip(problem.model.parameters(), gradients, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        assert gradient is None or (parameter.grad is not None and torch.equal(parameter.grad, gradient))
    assert torch.equal(torch.get_rng_state(), stream)
    assert not same(phi(method), phi_before)
    assert all(p.grad is None for p in method.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_phi_is_constant_in_training(variant: str) -> None:
    problem, method = make(variant)
    before = phi(method)
    method.backward(problem.batch())
    method.step(problem.batch())
    assert all(parameter.grad is None for parameter in method.parameters())
    assert same(phi(method), before)
    assert any(bool((p.grad != 0).any()) for p in problem.model.parameters() if p.grad is not None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_training_gradient_is_that_of_the_combined_loss(variant: str) -> None:
    problem, method = make(variant)
    problem.model.eval()  # so that two passes agree
    method.eval()
    batch = problem.batch()
    method.backward(batch)
    found = [torch.zeros_like(p) if p.grad is None else p.grad for p in problem.model.parameters()]
    loss = method.combine(problem.losses(batch, targets=method.targets(batch)))
    expected = torch.autograd.grad(loss, list(problem.model.parameters()), materialize_grads=True)
    torch.testing.assert_close(found, list(expected))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_gives_the_same_bits(variant: str) -> None:
    problem, method = make(variant)
    train(problem, method, range(5))
    file = io.BytesIO()
    torch.save({"model": problem.model.state_dict(), "method": method.state_dict()}, file)
    train(problem, method, range(5, 10))
    torch.manual_seed(99)
    again, resumed = make(variant)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    again.model.load_state_dict(state["model"])
    resumed.load_state_dict(state["method"])
    train(again, resumed, range(5, 10))
    assert same(phi(resumed), phi(method))
    assert same(list(again.model.state_dict().values()), list(problem.model.state_dict().values()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_copy_trains_alike_and_apart(variant: str) -> None:
    problem, method = make(variant)
    train(problem, method, range(3))
    twin = copy.deepcopy(method)
    before = phi(method)
    assert isinstance(twin.problem, TinyProblem)
    train(twin.problem, twin, range(3, 6))
    assert same(phi(method), before)
    train(problem, method, range(3, 6))
    assert same(phi(twin), phi(method))


def test_frozen_parameters_stay_out() -> None:
    problem, method = make("nonlinear-corrected")
    for parameter in problem.model.get_submodule("trunk").parameters():
        parameter.requires_grad_(False)
    before = model_state(problem)
    train(problem, method, range(4))
    moved = {name for name, value in problem.model.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith("trunk") and "running" not in name and "num_" not in name for name in moved)
    assert any(name.startswith("heads") for name in moved)
    # unfrozen in mid-run, the running estimates, which have another length, start again
    for parameter in problem.model.parameters():
        parameter.requires_grad_(True)
    train(problem, method, range(4, 8))
    assert bool(method.diagnostics["hypergradient_norm"].isfinite())


def test_a_parameter_that_no_loss_touches_changes_nothing() -> None:
    plain, method = make("nonlinear-corrected")
    torch.manual_seed(0)
    extended, other = make("nonlinear-corrected")
    other.load_state_dict(method.state_dict())
    extended.model.register_parameter("unused", nn.Parameter(torch.ones(3)))
    for problem, learner in ((plain, method), (extended, other)):
        learner.outer_step(problem.batch(), problem.batch(seed=1), lr=0.1)
    for ours, theirs in zip(method.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_dropout_is_the_same_in_every_pass_of_an_outer_step() -> None:
    norms = []
    for seed in (5, 6):
        problem, method = make("linear", mode="corrected", terms=40, damping=20.0, hessian="difference")
        torch.manual_seed(seed)
        method.outer_step(problem.batch(), problem.batch(seed=1), lr=0.1)
        # a difference of two gradients with other masks would be huge, and stop the series
        assert float(method.diagnostics["residual"]) < 1e-3
        norms.append(method.diagnostics["hypergradient_norm"])
    assert not torch.equal(*norms)


def test_gradients_accumulate_over_batches() -> None:
    problem, method = make("linear-identity")
    total = [torch.zeros_like(p) for p in problem.model.parameters()]
    for seed in (0, 1):
        problem.model.zero_grad()
        method.backward(problem.batch(seed=seed))
        total = [t + p.grad for t, p in zip(total, problem.model.parameters(), strict=True) if p.grad is not None]
    problem.model.zero_grad()
    for seed in (0, 1):
        method.backward(problem.batch(seed=seed))
    torch.testing.assert_close([p.grad for p in problem.model.parameters()], total)


def test_several_batches_make_one_outer_step() -> None:
    # three copies of a batch are that batch; a different third one is not
    results = []
    for held_out_seeds in ((1,), (1, 1, 1), (1, 1, 2)):
        torch.manual_seed(0)
        problem, method = make("nonlinear-images", hessian="exact")
        held_out = Batches(problem.batch(seed=seed) for seed in held_out_seeds)
        method.outer_step(Batches([problem.batch()] * 2), held_out, lr=0.1)
        results.append(torch.cat([p.flatten() for p in phi(method)]))
    torch.testing.assert_close(results[0], results[1])
    assert not torch.allclose(results[0], results[2])


@pytest.mark.parametrize("variant", VARIANTS)
def test_under_bfloat16_autocast_the_outer_step_stays_in_float32(variant: str) -> None:
    found = []
    for autocast in (False, True):
        torch.manual_seed(0)
        problem, method = make(variant)
        batch, held_out = problem.batch(), problem.batch(seed=1)
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            method.outer_step(batch, held_out, lr=0.1)
            losses = method.backward(batch)
        assert bool(losses.isfinite().all())
        found.append(torch.cat([p.flatten() for p in phi(method)]))
    assert torch.equal(found[0], found[1])


def test_losses_are_combined_in_float32_under_autocast() -> None:
    problem = TinyProblem()
    method = AuxiLearn(problem, NonlinearCombiner(3))
    losses = torch.rand(6, 3)
    expected, weights = method.combine(losses), method.sample_weights(losses)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(method.combine(losses), expected)
        assert torch.equal(method.sample_weights(losses), weights)


def test_diagnostics_are_scalars_without_a_graph() -> None:
    problem, method = make("conv", mode="corrected")
    method.outer_step(problem.batch(), problem.batch(seed=1), lr=0.05)
    assert set(method.diagnostics) == {
        "hypergradient_norm", "clipped", "residual", "stopped", "cosine_to_identity", "largest_eigenvalue",
        "held_out_loss", "held_out_loss_after",
    }  # fmt: skip
    assert all(value.dim() == 0 and not value.requires_grad for value in method.diagnostics.values())
    assert float(method.diagnostics["held_out_loss_after"]) < float(method.diagnostics["held_out_loss"])


@pytest.mark.parametrize("variant", ["linear", "nonlinear-images", "conv"])
def test_sample_weights_explain_the_weights(variant: str) -> None:
    problem, method = make(variant)
    losses = problem.losses(problem.batch()).detach()
    weights = method.sample_weights(losses)
    assert weights.shape == losses.shape
    torch.testing.assert_close(weights.transpose(0, 1).flatten(1).mean(1), method.weights(losses))


def test_a_variant_that_combines_to_no_scalar_is_told_by_name_wherever_it_is_asked() -> None:
    class Vector(AuxiLearn):
        def combine(self, losses: Tensor) -> Tensor:
            return losses.mean(0)

    problem = TinyProblem()
    method = Vector(problem, LinearCombiner(problem.n_tasks))
    batch, other = problem.batch(), problem.batch(seed=1)
    asks = (
        lambda: method.outer_step(batch, other, lr=0.1),
        lambda: method.backward(batch),
        lambda: method.weights(problem.losses(batch)),
    )
    for ask in asks:
        with pytest.raises(TypeError, match=r"combine of Vector returned shape \(\d,\), not a scalar tensor"):
            ask()
