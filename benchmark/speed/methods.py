"""What a step of each method costs, in time and memory, against a step of equal weighting."""

import statistics
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from auxilearn import Method
from auxilearn.precision import without_tf32
from benchmark.markdown import markdown
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.costs import Cost
from benchmark.speed.peak import Peak, peaks
from benchmark.speed.timing import LONG, origin, provenance, ratios_in_turns
from benchmark.speed.variants import GROUPS, Variant, variants_of
from benchmark.speed.work import Work, outer_step, training_step
from benchmark.speed.workload import make_batch, make_problem
from benchmark.terminal import console

REFERENCE = Variant("equal")


def report(
    auxiliaries: Sequence[int], *, methods: Sequence[str], repeats: int, device: str, everything: bool, path: Path
) -> None:
    """Measure methods, put their costs into a file and print a table of them.

    Args:
        auxiliaries: Numbers of auxiliary tasks.
        methods: Names of methods.
        repeats: Turns in which a cheap variant is timed.
        device: A device as of the command line.
        everything: Whether to measure settings beside the defaults, and torchjd used directly.
        path: The file; costs of other variants stay in it.
    """
    where = torch.device(check_device(device))
    torch.set_num_threads(1)
    out = console()
    measured: list[Cost] = []
    plan = {
        count: [variant for name in methods for variant in variants_of(name, count, everything=everything)]
        for count in auxiliaries
    }
    with without_tf32(), peaks(str(where)) as peak:
        for count, variants in plan.items():
            bench = Bench(count, repeats=repeats, device=where, peak=peak)
            for variant in variants:
                cost = bench.cost(variant)
                measured.append(cost)
                out.print(f"{count} auxiliaries, {_name(cost)}: {_ratio(cost.step)}", style="dim", soft_wrap=True)
            rows.add(path, measured, Cost)
    out.print(markdown(_table(measured)), soft_wrap=True)
    for reason, refused in _notes(measured).items():
        out.print(f"– {', '.join(refused)}: {reason}", soft_wrap=True)
    out.print(f"\n{caption(repeats)} {provenance(where)}\nWritten to {path}.", soft_wrap=True)


def caption(repeats: int) -> str:
    """Return what the numbers are."""
    return (
        "Ratios to a step of equal weighting timed in turns with it; ResNet-18, 64 px, batch 16. Medians of "
        f"{repeats} turns up to a ratio of {LONG:g}, above of fewer in proportion, at least one. "
        "Mean step: with its share of an outer step. Peak memory: of a step and an outer step, beyond model, "
        f"gradients and optimiser. {GROUPS} groups: the auxiliaries of a group count as one task."
    )


class Bench:
    """Measures variants of methods with one number of auxiliary tasks.

    Args:
        auxiliaries: Number of auxiliary tasks.
        repeats: Turns in which a cheap variant is timed.
        device: Where to measure.
        peak: Measures peak memory.
    """

    def __init__(self, auxiliaries: int, *, repeats: int, device: torch.device, peak: Peak) -> None:
        self.auxiliaries, self.repeats, self.device, self.peak = auxiliaries, repeats, device, peak
        self.reference_step = training_step(_method(REFERENCE, auxiliaries, device), make_batch(auxiliaries, 1, device))
        self.reference_bytes = self._bytes(REFERENCE)

    def cost(self, variant: Variant) -> Cost:
        """Return what a variant costs, or why it cannot be measured."""
        cost = partial(Cost, self.auxiliaries, variant.method, variant.label, **origin(self.device))
        try:
            method = _method(variant, self.auxiliaries, self.device)
        except ValueError as error:
            return cost(note=" ".join(str(error).split()))
        batch, held_out = (make_batch(self.auxiliaries, seed, self.device) for seed in (1, 2))
        steps = self._ratios(training_step(method, batch))
        step, outer = statistics.median(steps), None
        if method.outer_every:
            outer = statistics.median(self._ratios(outer_step(method, batch, held_out)))
        return cost(
            step=round(step, 4),
            outer_step=outer and round(outer, 4),
            outer_every=method.outer_every,
            mean_step=round(step + (outer / method.outer_every if outer else 0), 4),
            peak_memory=round(self._bytes(variant) / self.reference_bytes, 4),
            turns=len(steps),
        )

    def _ratios(self, work: Work) -> list[float]:
        return ratios_in_turns(work, self.reference_step, repeats=self.repeats, device=self.device)

    def _bytes(self, variant: Variant) -> int:
        return self.peak(partial(_whole_step, variant, self.auxiliaries, str(self.device)))


def _method(variant: Variant, auxiliaries: int, device: torch.device) -> Method:
    torch.manual_seed(0)
    problem = make_problem(auxiliaries, device, groups=GROUPS if variant.grouped else None)
    return variant.build(problem).to(device)


def _whole_step(variant: Variant, auxiliaries: int, device: str) -> Work:
    """Return a training step and, of a bilevel method, an outer step before it."""
    where = torch.device(device)
    method = _method(variant, auxiliaries, where)
    batch, held_out = (make_batch(auxiliaries, seed, where) for seed in (1, 2))
    train = training_step(method, batch, keep_gradients=True)
    update = outer_step(method, batch, held_out) if method.outer_every else lambda: None
    return lambda: (update(), train())


def _table(costs: Iterable[Cost]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "auxiliaries": str(cost.auxiliaries),
            "method": cost.method,
            "variant": cost.variant,
            "step": _ratio(cost.step),
            "outer step": _ratio(cost.outer_step) if cost.outer_every else "",
            "every": str(cost.outer_every or ""),
            "mean step": _ratio(cost.mean_step),
            "peak memory": _ratio(cost.peak_memory),
        }
        for cost in costs
    )


def _notes(costs: Iterable[Cost]) -> dict[str, list[str]]:
    """Return why variants could not be measured, and which ones, by reason."""
    notes: dict[str, list[str]] = {}
    for cost in costs:
        if cost.note:
            notes.setdefault(cost.note, []).append(f"{_name(cost)} with {cost.auxiliaries}")
    return notes


def _name(cost: Cost) -> str:
    return f"{cost.method} ({cost.variant})" if cost.variant else cost.method


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
