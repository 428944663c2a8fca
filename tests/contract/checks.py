"""The rules of the interface as plain functions: each raises AssertionError for a method that breaks its rule.

A check takes a method's class and a factory of the problem to check it on, which the method does not decline.
"""

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import get_args

import pytest
import torch

from auxilearn import Method
from auxilearn.method import Need
from tests.contract.loop import Run, gradients, model_state, same, snapshot
from tests.contract.problems import Factory, HandMeans, without_labels
from tests.problems import TinyProblem

Check = Callable[[type[Method], Factory], None]
PLAIN = (bool, int, float, str)


def check_ownership(method_class: type[Method], factory: Factory) -> None:
    """Rule 1: the loop steps the model, the method steps itself and holds nothing of the model."""
    run = Run(method_class, factory).train(1)
    model, method = run.problem.model, run.method
    of_model = {tensor.data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    of_method = [*method.parameters(), *method.buffers()]
    if method.optimizer is not None:
        of_method += [value for group in method.optimizer.param_groups for value in group["params"]]
    assert not any(tensor.data_ptr() in of_model for tensor in of_method), "the method holds the model's tensors"
    weights = [parameter.detach().clone() for parameter in model.parameters()]
    batch = run.problem.batch()
    method.backward(batch)
    assert all(map(torch.equal, weights, model.parameters())), "backward changes the model's parameters"
    before = model_state(model)
    method.step(batch)
    method.end_epoch(torch.ones(run.problem.n_tasks))
    assert same(before, model_state(model)), "step or end_epoch changes the model"


def check_one_forward(method_class: type[Method], factory: Factory) -> None:
    """Rule 2: one training step moves BatchNorm's statistics once, as one plain pass does."""
    run, plain = Run(method_class, factory), factory()
    run.method.backward(run.problem.batch())
    plain.losses(plain.batch())
    for (name, found), expected in zip(run.problem.model.named_buffers(), plain.model.buffers(), strict=True):
        assert torch.equal(found, expected), f"backward moves the buffer {name} other than by one pass"


def check_outer_step(method_class: type[Method], factory: Factory) -> None:
    """Rule 3: an outer step changes the method and nothing else."""
    run = Run(method_class, factory)
    run.method.backward(run.problem.batch())
    for keep_gradients in (True, False):
        if not keep_gradients:
            run.optimizer.zero_grad(set_to_none=True)
        model, parameters = model_state(run.problem.model), snapshot(list(run.method.parameters()))
        state = snapshot(run.method.state_dict())
        run.outer_step()
        assert same(model, model_state(run.problem.model)), "outer_step changes the model"
        if run.method.outer_every:
            assert not same(parameters, list(run.method.parameters())), "outer_step leaves the method as it is"
        else:
            assert same(state, dict(run.method.state_dict())), "outer_step of a single-level method acts"


def check_no_training_gradient(method_class: type[Method], factory: Factory) -> None:
    """Rule 3: the parameters of a bilevel method never receive a gradient of the training loss."""
    run = Run(method_class, factory).train(1)
    if not run.method.outer_every:
        return
    run.method.zero_grad(set_to_none=True)
    before = snapshot(list(run.method.parameters()))
    run.method.backward(run.problem.batch())
    for name, parameter in run.method.named_parameters():
        assert parameter.grad is None or not parameter.grad.any(), f"{name} gets the training loss's gradient"
    run.method.step(run.problem.batch())
    assert same(before, list(run.method.parameters())), "step of a bilevel method changes its parameters"


def check_masked(method_class: type[Method], factory: Factory) -> None:
    """Rule 4: invalid entries count for nothing, so that gradients are those of means over valid ones.

    Methods that combine the losses of a sample before averaging differ from means on full batches already; the
    comparison means nothing for them. A task without any label must leave every method finite.
    """
    tasks, size = factory().task_kinds, factory().size
    precise = partial(TinyProblem, tasks, dtype=torch.float64, batch_norm=True, size=size)
    if method_class.declines(precise()):
        return

    def gradient(*, masked: bool, by_hand: bool, unlabelled: int | None = None) -> list[torch.Tensor]:
        torch.manual_seed(0)
        problem = precise(masked=masked)
        batch = problem.batch() if unlabelled is None else without_labels(problem.batch(), unlabelled)
        method_class(HandMeans(problem) if by_hand else problem).backward(batch)
        return gradients(problem.model)

    def agree(unlabelled: int | None = None, *, masked: bool) -> bool:
        pair = (gradient(masked=masked, by_hand=hand, unlabelled=unlabelled) for hand in (False, True))
        return all(torch.allclose(a, b, rtol=1e-5, atol=1e-8) for a, b in zip(*pair, strict=True))

    if agree(masked=False):
        assert agree(masked=True), "gradients differ from those of the means over valid entries"
        assert all(agree(task, masked=True) for task in range(len(tasks))), "a task without labels counts"
    for task in range(len(tasks)):
        found = gradient(masked=True, by_hand=False, unlabelled=task)
        assert all(value.isfinite().all() for value in found), "a task without labels breaks the gradient"


def check_resume(method_class: type[Method], factory: Factory) -> None:
    """Rule 5: a run stopped at any step and resumed from its file gives the same bits."""
    run, files = Run(method_class, factory), {}
    losses = torch.ones(2, run.problem.n_tasks, *(run.problem.size or ()))
    for stop in (1, 2, 3, 6):
        saved = run.train(stop - run.steps).saved()
        files[stop] = saved, run.method.weights(losses)
    expected = snapshot(run.train(1).state())
    for stop, (file, weights) in files.items():
        # Another seed, so that whatever the state misses starts from other values.
        resumed = Run(method_class, factory, seed=1).load(file)
        assert same(weights, resumed.method.weights(losses)), f"stopped at step {stop}, the weights differ"
        for part, value in resumed.train(7 - stop).state().items():
            assert same(expected[part], value), f"stopped at step {stop} and resumed, the {part} differs"


def check_repeatable(method_class: type[Method], factory: Factory) -> None:
    """Rule 5: a run follows from its seed, and a method neither sets nor freezes the global seed."""
    first, again, other = (Run(method_class, factory, seed=seed).train(3).state() for seed in (0, 0, 1))
    assert same({**first, "random": 0}, {**again, "random": 0}), "two runs with one seed differ"
    assert not same(first["random"], other["random"]), "the method sets the global seed"


def check_declines(method_class: type[Method], factory: Factory) -> None:
    """Rule 6: a method serves a problem or gives one line of reason."""
    reason = method_class.declines(factory())
    if reason is None:
        problem = factory()
        made = method_class(problem)
        if problem.subclasses and made.targets(problem.batch()) is None:
            weights = made.weights(torch.ones(2, problem.n_tasks))
            assert not weights[1:].any(), "auxiliary labels are to be generated: the method neither does nor declines"
        return
    assert isinstance(reason, str), "declines returns neither None nor a reason"
    assert reason.strip(), "declines gives an empty reason"
    assert "\n" not in reason, "the reason does not fit on one line"


def check_hyper_parameters(method_class: type[Method], factory: Factory) -> None:
    """Hyper-parameters are keyword-only, plain, with defaults; the search space names some of them."""
    defaults = hyper_parameters(method_class)
    for name, default in defaults.items():
        assert plain(default), f"the default of {name} is missing or not plain"
    with pytest.raises(TypeError):
        method_class(factory(), no_such_hyper_parameter=1)  # pyright: ignore[reportCallIssue]
    for name, values in method_class.search_space.items():
        assert name in defaults, f"the search space names {name}, which the constructor does not take"
        assert isinstance(values, tuple), f"the values of {name} are not a tuple"
        assert values, f"the search space of {name} is empty"
        for value in values:
            assert type(value) in PLAIN, f"{name}={value!r} is not plain"
            assert of_type(value, defaults[name]), f"{name}={value!r} is not of the default's type"
            method_class(factory(), **{name: value})


def hyper_parameters(method_class: type[Method]) -> dict[str, object]:
    """Return the default of each keyword-only argument; `**settings` are those of the next constructor."""
    defaults: dict[str, object] = {}
    for owner in (owner for owner in method_class.__mro__ if "__init__" in vars(owner)):
        problem, *rest = list(inspect.signature(owner).parameters.values())
        assert problem.name == "problem", f"the first argument of {owner.__name__} is not the problem"
        forwarded = [parameter for parameter in rest if parameter.kind is parameter.VAR_KEYWORD]
        named = [parameter for parameter in rest if parameter not in forwarded]
        if owner is method_class:
            loose = [parameter.name for parameter in named if parameter.kind is not parameter.KEYWORD_ONLY]
            assert not loose, f"not keyword-only: {loose}"
        keywords = (parameter for parameter in named if parameter.kind is parameter.KEYWORD_ONLY)
        defaults = {parameter.name: parameter.default for parameter in keywords} | defaults
        if not forwarded:
            break
    return defaults


def plain(value: object) -> bool:
    """Return whether a default is a plain value or a tuple of them."""
    return value is None or type(value) in PLAIN or (isinstance(value, tuple) and all(map(plain, value)))


def of_type(value: object, default: object) -> bool:
    """Return whether a value is of a default's type; whole numbers do for floats."""
    return default is None or type(value) is type(default) or (type(value), type(default)) == (int, float)


def check_gradient(method_class: type[Method], factory: Factory) -> None:
    """Training reaches the shared parameters and adds to the gradients that are there."""
    run = Run(method_class, factory)
    model, shared = run.problem.model, {id(parameter) for parameter in run.problem.shared_parameters()}
    batch = run.problem.batch()
    losses = run.method.backward(batch)
    assert not losses.requires_grad, "backward returns losses with a graph"
    assert losses.shape[:2] == (len(batch["x"]), run.problem.n_tasks), "backward returns other losses"
    found = gradients(model)
    assert all(value.isfinite().all() for value in found), "a gradient is not finite"
    of_shared = [g for g, p in zip(found, model.parameters(), strict=True) if id(p) in shared]
    assert any(value.any() for value in of_shared), "the shared parameters get no gradient"
    ones = Run(method_class, factory)
    for parameter in ones.problem.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    ones.method.backward(batch)
    for with_ones, alone in zip(gradients(ones.problem.model), found, strict=True):
        torch.testing.assert_close(with_ones, alone + 1, msg="backward overwrites gradients that are there")


def check_weights(method_class: type[Method], factory: Factory) -> None:
    """The weights for the logs are one finite number a task, and reading them changes nothing."""
    run = Run(method_class, factory)
    for _ in range(2):
        losses = run.problem.losses(run.problem.batch(), targets=run.method.targets(run.problem.batch()))
        model, state = model_state(run.problem.model), snapshot(run.method.state_dict())
        weights = run.method.weights(losses.detach())
        assert weights.shape == (run.problem.n_tasks,), f"weights have the shape {tuple(weights.shape)}"
        assert weights.isfinite().all(), f"weights are not finite: {weights}"
        assert not weights.requires_grad, "weights carry a graph"
        assert same(model, model_state(run.problem.model)), "reading the weights changes the model"
        assert same(state, run.method.state_dict()), "reading the weights changes the method"
        run.train(4)


def check_documentation(method_class: type[Method], factory: Factory) -> None:
    """A method says where it is from and where it departs from its source."""
    year = re.compile(r"\b(19|20)\d\d\b")
    assert year.search(method_class.citation), "citation names no year"
    documentation = inspect.cleandoc(vars(method_class).get("__doc__") or "")
    assert year.search(documentation), "the docstring names no source with its year"
    departures = [part for part in documentation.split("\n\n") if re.match(r"Departures:\s+\S", part)]
    assert len(departures) == 1, "the docstring has no paragraph that starts with 'Departures:' and names them, or none"


def check_needs(method_class: type[Method], factory: Factory) -> None:
    """A method names known needs, each once, and held-out data just where an outer step reads the auxiliary set."""
    needs, known = method_class.needs, get_args(Need)
    assert isinstance(needs, tuple), "needs is not a tuple"
    unknown = [need for need in needs if need not in known]
    assert not unknown, f"unknown needs {unknown}; choose from: {', '.join(known)}"
    assert len(set(needs)) == len(needs), "a need is named twice"
    method = method_class(factory())
    held_out = method.outer_every > 0 and method.held_out == "auxiliary"
    assert ("held-out data" in needs) == held_out, f"needs {needs} and the outer steps disagree about held-out data"


CHECKS: tuple[Check, ...] = tuple(value for name, value in list(globals().items()) if name.startswith("check_"))
