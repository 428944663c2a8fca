"""Hours that each of the paper's tables takes, from the measured seconds of its suites' steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark import suites
from benchmark.arm import Arm
from benchmark.markdown import ABSENT, pipe_table
from benchmark.pages.cost import DEVICES, duration, hours
from benchmark.pages.facts import Facts, facts_of
from benchmark.published import FOLDER
from benchmark.speed.rows import origins
from benchmark.speed.suite_costs import SuiteCost


@dataclass(frozen=True)
class Part:
    """A suite's share of one of the paper's tables.

    Attributes:
        table: What the paper calls the table.
        suite: Name of the suite.
        file: Name of the file of published numbers, which says the settings; empty where none were recovered.
    """

    table: str
    suite: str
    file: str = ""


PARTS = (
    Part("Table 1", "cub", "table1_cub"),
    Part("Table 2", "nyuv2", "table2_nyuv2"),
    *(
        Part("Table 3", suite, "table3_learned_auxiliary")
        for suite in ("cifar10", "cifar100", "svhn", "cub-30shot", "pet", "cars")
    ),
    Part("appendix", "cityscapes"),
)


def hours_of_tables(costs: Sequence[SuiteCost]) -> str:
    """Return the Markdown of a row for each table of the paper, Table 3 by data set, and a caption.

    Args:
        costs: Measured seconds of suites, as `suite_costs.read` returns them.
    """
    kinds = [kind for kind in DEVICES if any(cost.kind == kind for cost in costs)]
    if not kinds:
        return "No suite was measured yet; `python -m benchmark.speed suites` does."
    rows = []
    for part in PARTS:
        facts, settings = facts_of(part.suite), settings_of(part)
        row = {"table": part.table, "suite": f"`{part.suite}`", "settings": ", ".join(settings)}
        for kind in kinds:
            own = {cost.method: cost for cost in costs if (cost.suite, cost.kind) == (part.suite, kind)}
            row |= {f"{DEVICES[kind]}, {name}": text for name, text in cells(facts, settings, own).items()}
        rows.append(row)
    return f"{pipe_table(rows)}\n\n{caption(costs)}"


def one_setting(name: str, costs: Sequence[SuiteCost]) -> str:
    """Return the Markdown of a row for each method: how long its final runs in the setting that was measured take.

    Args:
        name: Name of the suite.
        costs: Its measured seconds on one device.
    """
    if not costs:
        return f"Not measured yet; `python -m benchmark.speed suites --suite {name} --device cuda` does."
    facts, setting = facts_of(name), costs[0].setting
    own = {cost.method: cost for cost in costs}
    every = [arm for arm in facts.arms if arm.setting == setting and not arm.declined]
    arms = [arm for arm in every if arm.method in own]
    those = "each method" if len(arms) == len(every) else f"each of {len(arms)} of {len(every)} methods"
    taken = {arm.method: hours(facts, [arm], own[arm.method], searched=False) for arm in arms}
    total = math.fsum(taken.values())
    rows = [
        {
            "method": f"`{method}`",
            "ms/step": f"{1e3 * own[method].step_sec:.1f}",
            "ms/outer step": f"{1e3 * own[method].outer_step_sec:.0f}" if own[method].outer_step_sec else "",
            "final runs": duration(value),
            "share": f"{100 * value / total:.0f} %",
        }
        for method, value in taken.items()
    ]
    longest = max(taken, key=lambda method: taken[method])
    return (
        f"{pipe_table(rows)}\n\n**{duration(total)}** in all, {duration(total - taken[longest])} without "
        f"`{longest}`: {arms[0].seeds} final runs of {arms[0].epochs} epochs of {those} on `{name}` {setting}, one "
        f"run after another, counted from measured steps and evaluation; {origins(costs)}."
    )


def settings_of(part: Part, folder: Path = FOLDER) -> Sequence[str]:
    """Return the settings of a table that a suite has, in its own order; all of them where the paper's are unknown."""
    known = suites.load(part.suite).settings
    if not part.file:
        return known
    printed = pd.read_csv(folder / f"{part.file}.csv")
    named = set(printed.loc[printed["suite"] == part.suite, "setting"])
    return [setting for setting in known if setting in named]


def cells(facts: Facts, settings: Sequence[str], measured: Mapping[str, SuiteCost]) -> dict[str, str]:
    """Return the time of the final runs alone, and that with the search before them.

    Args:
        facts: The suite's numbers.
        settings: The settings of the table.
        measured: The seconds of its methods on one kind of device, by name; of some of them, perhaps.
    """
    arms: dict[str, list[Arm]] = {}
    for arm in facts.arms:
        if arm.setting in settings and not arm.declined:
            arms.setdefault(arm.method, []).append(arm)
    there = [method for method in arms if method in measured]
    if not there:
        return {"final runs": ABSENT, "with the search": ABSENT}
    part = f" ({len(there)} of {len(arms)} methods)" if len(there) < len(arms) else ""
    return {
        name: duration(math.fsum(hours(facts, arms[each], measured[each], searched=searched) for each in there)) + part
        for name, searched in (("final runs", False), ("with the search", True))
    }


def caption(costs: Sequence[SuiteCost]) -> str:
    """Return what the numbers are."""
    names = {part.suite for part in PARTS}
    machines: dict[str, list[SuiteCost]] = {}
    for cost in costs:
        if cost.suite in names:
            machine = f"{DEVICES[cost.kind]}: {cost.device}, torch {cost.torch}, {cost.threads} thread"
            machines.setdefault(machine, []).append(cost)
    told = []
    for machine, found in machines.items():
        commits = ", ".join(sorted({cost.commit for cost in found}))
        changed = " (+: with changes that were not committed)" if "+" in commits else ""
        once = sum(cost.steps == 1 for cost in found)
        told.append(
            f"{machine}; {once} of {len(found)} kinds of step were timed once, being long; commits {commits}{changed}, "
            f"{max(cost.date for cost in found)}"
        )
    seeds = sorted({arm.seeds for name in names for arm in facts_of(name).arms})
    return (
        "Time of all default methods of the suite in the paper's settings, one run after another on one device: "
        f"{' or '.join(map(str, seeds))} final runs of each method, alone and with the search over its grid before "
        "them. Steps measured by `python -m benchmark.speed suites`, times their number. "
        f"{ABSENT}: not measured. {'. '.join(told)}."
    )
