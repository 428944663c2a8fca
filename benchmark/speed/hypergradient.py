"""What an outer step of AuxiLearn costs, in time, memory and accuracy, against a step of equal weighting."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import torch
from torch import Tensor

import baselines
from auxilearn import AuxiLearn
from auxilearn.hypergradient import hypergradient
from auxilearn.precision import without_tf32
from benchmark.data import Batch
from benchmark.markdown import markdown
from benchmark.problem import SupervisedProblem
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.peak import peaks
from benchmark.speed.timing import origin, ratio, seconds_in_turns
from benchmark.speed.work import Work, outer_step, training_step
from benchmark.speed.workload import make_batch, make_problem
from benchmark.terminal import console

FILE = Path("speed") / "hypergradient.csv"
"""Where in the folder of results the costs are."""

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


@dataclass(frozen=True)
class OuterStep(rows.Row):
    """What one way of an outer step costs on one machine; ratios are to a step of equal weighting.

    Attributes:
        auxiliaries: Number of auxiliary tasks.
        variant: Which way, of `VARIANTS`.
        time: Of an outer step.
        epoch: Time of `OUTER_EVERY` steps of `auxilearn-nonlinear` with one outer step.
        peak_memory: Of an outer step; None where it is not measured.
        error: Of the hypergradient, relative to the same rule in float64 with exact products; None if not measured.
        turns: Number of turns.
    """

    called: ClassVar[str] = "costs of outer steps"

    auxiliaries: int
    variant: str
    time: float | None
    epoch: float | None
    peak_memory: float | None
    error: float | None
    turns: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What is measured."""
        return self.device, self.auxiliaries, list(VARIANTS).index(self.variant)


def report(auxiliaries: Sequence[int], *, repeats: int, device: str, path: Path) -> None:
    """Measure, put the costs into a file and print a table for the numbers of auxiliary tasks.

    Args:
        auxiliaries: Numbers of auxiliary tasks.
        repeats: Turns.
        device: A device as of the command line.
        path: The file; costs of other machines and numbers of tasks stay in it.
    """
    where = torch.device(check_device(device))
    rows.read(path, OuterStep)  # a file of something else is refused before the work
    torch.set_num_threads(1)
    out = console()
    found: list[OuterStep] = []
    for count in auxiliaries:
        with without_tf32():
            measured = _measured(count, repeats=repeats, device=where, with_error=count == auxiliaries[0])
        rows.add(path, measured, OuterStep)
        found += measured
        out.print(f"measured {count} auxiliary tasks", style="dim")
    out.print(f"{markdown(table(found))}\n\n{caption(found)}\nWritten to {path}.", soft_wrap=True)


def table(found: Sequence[OuterStep]) -> pd.DataFrame:
    """Return a row for each way and number of tasks."""
    return pd.DataFrame(
        {
            "auxiliaries": [str(row.auxiliaries) for row in found],
            "outer step": [row.variant for row in found],
            "time": [f"{row.time:.2f}" for row in found],
            "epoch": [f"{row.epoch:.3f}" for row in found],
            "peak memory": ["" if row.peak_memory is None else f"{row.peak_memory:.2f}" for row in found],
            "error": ["" if row.error is None else f"{row.error:.1e}" for row in found],
        }
    )


def caption(found: Sequence[OuterStep]) -> str:
    """Return what the numbers are and where they come from."""
    first = found[0]
    return (
        f"Ratios to a step of equal weighting, medians of {first.turns} turns; ResNet-18, 64 px, batch 16. An epoch is "
        f"{OUTER_EVERY} steps of `auxilearn-nonlinear` with one outer step, against as many of `equal`. Error: "
        f"relative to the same rule in float64 with exact products. {first.origin}."
    )


def _measured(count: int, *, repeats: int, device: torch.device, with_error: bool) -> list[OuterStep]:
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
    ratios = {name: ratio(seconds, name, REFERENCE) for name in VARIANTS}
    return [
        OuterStep(
            auxiliaries=count,
            variant=name,
            time=round(ratios[name], 2),
            epoch=round(step + ratios[name] / OUTER_EVERY, 3),
            peak_memory=round(most[name] / most[REFERENCE], 2) if name in most else None,
            error=float(f"{_error(problem, settings, batch, held_out):.1e}") if with_error else None,
            turns=repeats,
            **origin(device),
        )
        for name, settings in VARIANTS.items()
    ]


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
