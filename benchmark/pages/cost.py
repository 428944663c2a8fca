"""The part of a page that says how long the suite's table takes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.markdown import pipe_table
from benchmark.pages.facts import Facts
from benchmark.plan import Arm
from benchmark.plugins import load_method
from benchmark.speed.rows import origins
from benchmark.speed.suite_costs import SuiteCost

HOUR = 3600.0
SUSTAINED_TFLOP = 10.0
"""Rate for which the counted work is also given in hours: round, and no claim about a device."""

SMALL_FLOP = 1e15
"""Work for which hours would say nothing: launching kernels takes longer."""

DEVICES = {"cpu": "CPU", "cuda": "GPU"}


def cost(facts: Facts, costs: Sequence[SuiteCost]) -> str:
    """Return the tables of hours on each kind of device, and the counted work where a GPU was not measured."""
    if not facts.complete:
        command = f"python -m benchmark.run --suite {facts.name} --data-dir DIR --dry-run"
        return f"It depends on the data: `{command}` times some steps of each method and says how long all runs take."
    own = [found for found in costs if found.suite == facts.name]
    return "\n\n".join(
        _measured(facts, {found.method: found for found in own if found.kind == kind}, kind) for kind in DEVICES
    )


def hours(facts: Facts, arms: Sequence[Arm], measured: SuiteCost, *, searched: bool = True) -> float:
    """Return the hours of all runs of one method, one after another.

    Args:
        facts: The suite's numbers.
        arms: The method in the suite's settings.
        measured: Its seconds, which are taken for all settings.
        searched: Whether search runs count; else final runs alone, with as many outer steps as the grid has on average.
    """
    total = 0.0
    holds_out = measured.outer_every > 0 and load_method(measured.method).held_out == "auxiliary"
    for arm in arms:
        sizes = facts.sizes[arm.setting]
        step = measured.step_sec + measured.outer_step_sec * outer_share(arm, measured.outer_every)
        epoch = facts.steps_per_epoch(arm, holds_out=holds_out) * step + sizes.validation * measured.evaluation_sec
        runs = arm.runs if searched else arm.seeds
        total += runs * arm.epochs * epoch + arm.seeds * sizes.test * measured.evaluation_sec
    return total / HOUR


def outer_share(arm: Arm, default: int) -> float:
    """Return the outer steps a training step, on average over an arm's grid.

    Args:
        arm: A method in a setting.
        default: Training steps between two outer steps where no hyper-parameter says it; 0 for single-level methods.
    """
    if not default:
        return 0.0
    values: Any = arm.space.get("outer_every") or (arm.fixed.get("outer_every") or default,)
    return math.fsum(1 / value for value in values) / len(values)


def table_hours(facts: Facts, costs: Sequence[SuiteCost], kind: str) -> float | None:
    """Return the hours of the suite's whole table on one device of a kind; None where a method was not measured."""
    own = {found.method: found for found in costs if (found.suite, found.kind) == (facts.name, kind)}
    arms = _by_method(facts)
    if not arms or not set(arms) <= set(own):
        return None
    return math.fsum(hours(facts, found, own[method]) for method, found in arms.items())


def duration(value: float) -> str:
    """Return hours as text with two digits."""
    if value < 1 / 60:
        return f"{value * HOUR:.2g} s"
    if value < 1:
        return f"{value * 60:.2g} min"
    return f"{value:,.0f} h" if value >= 9.95 else f"{value:.1f} h"


def _by_method(facts: Facts) -> Mapping[str, list[Arm]]:
    arms: dict[str, list[Arm]] = {}
    for arm in facts.arms:
        if not arm.declined:
            arms.setdefault(arm.method, []).append(arm)
    return arms


def _measured(facts: Facts, own: Mapping[str, SuiteCost], kind: str) -> str:
    """Return the table of one kind of device, or what is known without one."""
    command = f"`python -m benchmark.speed suites --suite {facts.name}{' --device cuda' * (kind == 'cuda')}`"
    if not own:
        work = _work(facts) if kind == "cuda" else ""
        return f"On one {DEVICES[kind]}: not measured yet; {command} fills this.{work}"
    rows = []
    for method, arms in _by_method(facts).items():
        row = {"method": f"`{method}`", "runs": str(sum(arm.runs for arm in arms))}
        found = own.get(method)
        if found is None:
            rows.append(row | dict.fromkeys(("s/step", "s/outer step", "time"), "not measured"))
            continue
        outer = f"{found.outer_step_sec:.3g}" if found.outer_step_sec else ""
        taken = duration(hours(facts, arms, found))
        rows.append(row | {"s/step": f"{found.step_sec:.3g}", "s/outer step": outer, "time": taken})
    by_method = _by_method(facts)
    total = math.fsum(hours(facts, arms, own[method]) for method, arms in by_method.items() if method in own)
    share = "in all" if set(by_method) <= set(own) else "for the methods that were measured"
    settings = ", ".join(dict.fromkeys(found.setting for found in own.values()))
    of = "Processor time of steps" if kind == "cpu" else "Steps"
    return (
        f"On one {DEVICES[kind]}, the runs one after another: **{duration(total)}** {share}.\n\n{pipe_table(rows)}\n\n"
        f"{of} of the setting {settings}, measured by {command} on batches of full size, times their number; "
        f"{origins(own.values())}."
    )


def _work(facts: Facts) -> str:
    """Return the counted work of all runs."""
    flop = facts.training_flop()
    if flop < SMALL_FLOP:
        return " The network is so small that a CPU may well be faster."
    needed = flop / (SUSTAINED_TFLOP * 1e12) / HOUR
    return (
        " Counted, not measured: the network's passes forward and back in all runs of the default command are "
        f"{_scaled(flop)}, which at {SUSTAINED_TFLOP:g} TFLOP/s take {duration(needed)}; what methods do beyond one "
        "such pass a step comes on top, and small batches do not fill a GPU."
    )


def _scaled(flop: int) -> str:
    for unit, size in (("EFLOP", 1e18), ("PFLOP", 1e15), ("TFLOP", 1e12), ("GFLOP", 1e9)):
        if flop >= size:
            return f"{flop / size:.3g} {unit}"
    return f"{flop / 1e6:.3g} MFLOP"
