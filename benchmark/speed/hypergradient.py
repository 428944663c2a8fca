"""What an outer step of AuxiLearn costs, in time, memory and accuracy, against a step of equal weighting."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import baselines
from auxilearn import AuxiLearn
from auxilearn.hypergradient import hypergradient
from benchmark.data import Batch
from benchmark.problem import SupervisedProblem
from benchmark.session import check_device
from benchmark.speed.peak import peaks
from benchmark.speed.timing import provenance, ratio, seconds_in_turns
from benchmark.speed.work import Work, outer_step, training_step
from benchmark.speed.workload import make_batch, make_problem
from benchmark.table import markdown
from benchmark.terminal import console

OUTER_EVERY = 20
VARIANTS: Mapping[str, dict[str, Any]] = {
    "identity": {"solver": "identity"},
    "paper, J = 3": {"mode": "paper"},
    "paper, J = 3, difference": {"mode": "paper", "hessian": "difference"},
    "corrected, J = 3": {"mode": "corrected"},
    "corrected, J = 3, difference": {"mode": "corrected", "hessian": "difference"},
}
REFERENCE = "equal step"
MEASURED_FOR_MEMORY = (REFERENCE, "identity", "paper, J = 3")


def report(auxiliaries: Sequence[int], *, repeats: int, device: str) -> None:
    """Print a table for the numbers of auxiliary tasks."""
    where = torch.device(check_device(device))
    torch.set_num_threads(1)
    out = console()
    rows = []
    for count in auxiliaries:
        rows += _rows(count, repeats=repeats, device=where, with_error=count == auxiliaries[0])
        out.print(f"measured {count} auxiliary tasks", style="dim")
    out.print(markdown(pd.DataFrame(rows)), soft_wrap=True)
    out.print(
        f"\nRatios to a step of equal weighting, medians of {repeats} turns; ResNet-18, 64 px, batch 16. An epoch is "
        f"{OUTER_EVERY} steps of auxilearn-nonlinear with one outer step, against as many of equal. Error, for "
        f"{auxiliaries[0]} auxiliaries: relative to the same rule in float64 with exact products. {provenance(where)}",
        soft_wrap=True,
    )


def _rows(count: int, *, repeats: int, device: torch.device, with_error: bool) -> list[dict[str, object]]:
    """Return the measurements of one number of auxiliary tasks; the error, which takes longest, on request."""
    torch.manual_seed(0)
    problem = make_problem(count, device)
    batch, held_out = (make_batch(count, seed, device) for seed in (1, 2))
    methods = {name: _auxilearn(problem, device, settings) for name, settings in VARIANTS.items()}
    work: dict[str, Callable[[], object]] = {REFERENCE: training_step(baselines.load("equal")(problem), batch)}
    work["auxilearn step"] = training_step(methods["identity"], batch)
    work |= {name: outer_step(method, batch, held_out) for name, method in methods.items()}
    seconds = seconds_in_turns(work, repeats=repeats, device=device)
    step = ratio(seconds, "auxilearn step", REFERENCE)
    with peaks(str(device)) as peak:
        most = {name: peak(partial(_measured_for_memory, name, count, str(device))) for name in MEASURED_FOR_MEMORY}
    rows = []
    for name, settings in VARIANTS.items():
        found = ratio(seconds, name, REFERENCE)
        memory = f"{most[name] / most[REFERENCE]:.2f}" if name in most else ""
        rows.append(
            {
                "auxiliaries": str(count),
                "outer step": name,
                "time": f"{found:.2f}",
                "epoch": f"{step + found / OUTER_EVERY:.3f}",
                "peak memory": memory,
                "error": f"{_error(problem, settings, batch, held_out):.1e}" if with_error else "",
            }
        )
    return rows


def _measured_for_memory(name: str, count: int, device: str) -> Work:
    """Return an outer step of a variant, or a step of the reference, after a training step."""
    where = torch.device(device)
    problem = make_problem(count, where)
    batch, held_out = (make_batch(count, seed, where) for seed in (1, 2))
    train = training_step(baselines.load("equal")(problem), batch, keep_gradients=True)
    train()
    return train if name == REFERENCE else outer_step(_auxilearn(problem, where, VARIANTS[name]), batch, held_out)


def _auxilearn(problem: SupervisedProblem, device: torch.device, settings: dict[str, Any]) -> AuxiLearn:
    hyper: dict[str, Any] = {"outer_every": OUTER_EVERY, **settings}
    method = baselines.load("auxilearn-nonlinear")(problem, **hyper).to(device)
    if not isinstance(method, AuxiLearn):
        raise TypeError("auxilearn-nonlinear is not an AuxiLearn")
    return method


def _error(problem: SupervisedProblem, settings: dict[str, Any], batch: Batch, held_out: Batch) -> float:
    """Return the relative error of the hypergradient in float32 to that in float64 with exact products."""
    found = _hypergradient(problem, settings, batch, held_out, torch.float32)
    exact = _hypergradient(problem, {**settings, "hessian": "exact"}, batch, held_out, torch.float64)
    return float((found.double() - exact).norm() / exact.norm())


def _hypergradient(
    problem: SupervisedProblem, settings: dict[str, Any], batch: Batch, held_out: Batch, dtype: torch.dtype
) -> Tensor:
    """Return the hypergradient of the nonlinear combiner's parameters, flat, computed in `dtype`."""
    problem = copy.deepcopy(problem)
    problem.model.to(dtype)
    torch.manual_seed(3)
    method = _auxilearn(problem, next(problem.model.parameters()).device, settings)
    method.combiner.to(dtype)
    found = hypergradient(
        [lambda params: method.combine(problem.losses(_cast(batch, dtype), params))],
        [lambda params: problem.losses(_cast(held_out, dtype), params)[:, 0].mean()],
        {name: value.detach() for name, value in problem.model.named_parameters()},
        list(method.combiner.parameters()),
        solve=None if method.inverse_hessian.is_identity else method.inverse_hessian,
        hessian=method.hessian,
    )
    return torch.cat([part.flatten() for part in found.gradients])


def _cast(batch: Batch, dtype: torch.dtype) -> Batch:
    classes, attributes = batch.targets
    return Batch(batch.inputs.to(dtype), (classes, attributes.to(dtype)))
