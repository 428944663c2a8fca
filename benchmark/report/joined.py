"""The plans of commands, joined where one command can have asked for what several did."""

import dataclasses
from collections.abc import Sequence
from itertools import combinations

from benchmark.arm import Arm, served_first
from benchmark.conditions import Conditions
from benchmark.errors import UserError
from benchmark.plan import arm_of
from benchmark.record import Record
from benchmark.report.commands import Command, same
from benchmark.report.experiment import (
    Experiment,
    in_order,
    numbers_of_tasks,
    options_under,
    own_seeds,
    with_values,
)
from benchmark.suite import Suite
from benchmark.values import Values


def joined(
    suite: Suite, conditions: Conditions, commands: Sequence[Command], records: Sequence[Record]
) -> list[Experiment]:
    """Return the plans of commands under the same conditions, each with all that some command ran of it.

    A method that a command did not name belongs to its plan where another command asked for the very runs that it
    would have made. Commands are one plan where one with the values of both would ask for all that both did, and it is
    not one of several ways to join them; the suite's own is never joined with others. A plan that is a part of another
    one is left out.
    """
    return [
        each
        for trials in dict.fromkeys(command.trials for command in commands)
        for each in _of_budget(suite, conditions, [each for each in commands if each.trials == trials], records)
    ]


def _of_budget(
    suite: Suite, conditions: Conditions, commands: Sequence[Command], records: Sequence[Record]
) -> list[Experiment]:
    ran = _Ran(suite, conditions, commands, records)
    own = Values() if conditions.own(suite) and commands[0].trials is None else None
    plans = _different([ran.whole(command) for command in commands])
    while both := _joined_pair([each for each in plans if each.asked != own], ran):
        first = next(number for number, each in enumerate(plans) if _within(each, both))
        plans[first] = both
        plans = _different([each for each in plans if not _within(each, both)])
    shown = [each for each in plans if each.asked == own or not any(_within(each, other) for other in plans)]
    return [ran.experiment(each) for each in shown]


def _different(plans: Sequence[Command]) -> list[Command]:
    """Return plans without those that have the very arms of an earlier one."""
    return [each for number, each in enumerate(plans) if each.arms not in [other.arms for other in plans[:number]]]


def _joined_pair(plans: Sequence[Command], ran: "_Ran") -> Command | None:
    """Return two plans as one, if there are two that each other plan can be joined with both or with none of.

    Else it would be by chance which of several values of one method stands beside which of another's.
    """
    joint = {pair: ran.both(*(plans[number] for number in pair)) for pair in combinations(range(len(plans)), 2)}

    def fit(one: int, other: int) -> bool:
        return joint[min(one, other), max(one, other)] is not None

    for (one, other), both in joint.items():
        rest = {*range(len(plans))} - {one, other}
        more = both is not None and _within(plans[one], both) and _within(plans[other], both)
        if more and all(fit(one, third) == fit(other, third) for third in rest):
            return both
    return None


def _within(one: Command, other: Command) -> bool:
    """Return whether a plan is a part of another one, and not all of it."""
    return len(one.arms) < len(other.arms) and all(arm in other.arms for arm in one.arms)


class _Ran:
    """What commands with one budget ran: each method in each setting as often as it was asked for differently."""

    def __init__(
        self, suite: Suite, conditions: Conditions, commands: Sequence[Command], records: Sequence[Record]
    ) -> None:
        self._suite, self._conditions = suite, conditions
        self._trials = commands[0].trials
        self._tasks = numbers_of_tasks(records)
        self._base = options_under(suite, conditions, self._trials, own_seeds(suite, conditions))
        self._arms: dict[tuple[str, str], list[Arm]] = {}
        self._under_values: dict[tuple, tuple[Arm, ...]] = {}
        for arm in (arm for command in commands for arm in command.arms):
            those = self._arms.setdefault((arm.setting, arm.method), [])
            twin = next((each for each in those if same(each, arm)), None)
            if twin is None:
                those.append(arm)
            else:
                reason = twin.declined and arm.declined
                merged = dataclasses.replace(arm, seeds=max(arm.seeds, twin.seeds), declined=reason)
                those[those.index(twin)] = merged

    def whole(self, command: Command) -> Command:
        """Return a command with the most final runs that its arms were given, and with other arms that belong to it."""
        mine = {(arm.setting, arm.method): self._find(arm) for arm in command.arms}
        others = [arm for arm in self._under(command.asked) if (arm.setting, arm.method) not in mine]
        arms = [*(arm for arm in mine.values() if arm is not None), *others]
        return dataclasses.replace(command, arms=in_order(self._suite, arms))

    def _find(self, arm: Arm) -> Arm | None:
        return next((each for each in self._arms[arm.setting, arm.method] if same(each, arm)), None)

    def _under(self, asked: Values) -> tuple[Arm, ...]:
        """Return what was run of a command with these values; a method that does not take them has no part in it."""
        key = tuple(sorted(asked.items()))
        if key not in self._under_values:
            given, found = with_values(self._base, asked), []
            for setting, method in self._arms:
                try:
                    n_tasks = self._tasks.get(setting, 2)
                    meant = arm_of(self._suite, self._conditions.data, setting, method, given, n_tasks=n_tasks)
                except UserError:
                    continue
                if (arm := self._find(meant)) is not None:
                    found.append(arm)
            self._under_values[key] = in_order(self._suite, found)
        return self._under_values[key]

    def both(self, one: Command, other: Command) -> Command | None:
        """Return the plan with the values of two, if they agree and it has all that each of the two has."""
        if any(one.asked[name] != other.asked[name] for name in one.asked.keys() & other.asked.keys()):
            return None
        asked = {**one.asked, **other.asked}
        arms = self._under(asked)
        return Command(one.trials, asked, arms) if all(arm in arms for arm in (*one.arms, *other.arms)) else None

    def experiment(self, plan: Command) -> Experiment:
        """Return a plan as a report has it."""
        seeds = max(arm.seeds for arm in plan.arms)
        options = with_values(options_under(self._suite, self._conditions, self._trials, seeds), plan.asked)
        return Experiment(self._conditions, plan.asked, options, served_first(plan.arms))
