"""The plans that commands began, joined where one command can have asked for what several did."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import baselines
from benchmark.arm import Arm
from benchmark.campaign import belongs
from benchmark.conditions import Conditions
from benchmark.errors import UserError
from benchmark.plan import arm_of, departures
from benchmark.planned import Planned
from benchmark.plugins import is_usable
from benchmark.record import Record
from benchmark.report.absent import Declines
from benchmark.report.experiment import Experiment, in_order, numbers_of_tasks, options_under, own_seeds, with_values
from benchmark.suite import Suite
from benchmark.values import Values

Key = tuple[str, str]
"""Setting and method."""


@dataclass(frozen=True)
class Command:
    """What one command asked for, or several that asked for values which agree.

    Attributes:
        trials: Its budget; None for whole grids.
        asked: Hyper-parameters whose values are not the suite's own.
        arms: What it runs.
    """

    trials: int | None
    asked: Values
    arms: tuple[Arm, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> "Command":
        """Return the command that asks for an experiment."""
        return cls(experiment.options.trials, experiment.asked, experiment.arms)


def commands_of(
    suite: Suite, conditions: Conditions, planned: Iterable[Planned], records: Sequence[Record]
) -> list[Command]:
    """Return what commands asked for, as the code is now; those that no record is of, and wrong values, are left out.

    Of a search that a larger budget went on with before its final runs the larger one is left.

    Args:
        suite: The suite, with the controls that its runs had.
        conditions: What all runs share.
        planned: What commands under these conditions left.
        records: All under these conditions.
    """
    tasks, found = numbers_of_tasks(records), list[Command]()
    for plan in planned:
        given = dataclasses.replace(options_under(suite, conditions, plan.trials, plan.seeds), grid=plan.values)
        keys = [(setting, name) for setting, names in plan.methods.items() for name in names]
        try:
            arms = [
                arm_of(suite, conditions.data, setting, name, given, n_tasks=tasks.get(setting, 2))
                for setting, name in keys
                if setting in suite.settings and name in baselines.names() and is_usable(name)
            ]
            command = Command(plan.trials, departures(arms, given), tuple(arms))
        except UserError:  # a value that the code, as it is now, does not take
            continue
        if _recorded(command, records):
            found.append(command)
    largest = max((command.trials for command in found if command.trials is not None), default=None)
    return [each for each in found if each.trials == largest or _recorded(each, records, phase="final")]


def _recorded(command: Command, records: Iterable[Record], *, phase: str = "") -> bool:
    """Return whether a record, of a phase if one is given, is of a command."""
    return any(belongs(arm, each) for arm in command.arms for each in records if phase in ("", each.spec.phase))


def unplanned(commands: Sequence[Command], records: Sequence[Record]) -> list[Record]:
    """Return the records of each method in each setting that has some which no command asked for."""
    seeds = max((record.spec.seed for record in records), default=1)
    arms = [dataclasses.replace(arm, seeds=max(seeds, 1)) for command in commands for arm in command.arms]
    keys = {(each.spec.setting, each.spec.method) for each in records if not any(belongs(arm, each) for arm in arms)}
    return [record for record in records if (record.spec.setting, record.spec.method) in keys]


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
    plans = [Command(each.trials, each.asked, ran.under(each.asked)) for each in commands]
    plans = [each for number, each in enumerate(plans) if each.arms not in [other.arms for other in plans[:number]]]
    own = Values() if conditions.own(suite) and commands[0].trials is None else None
    while both := _joined_pair([each for each in plans if each.asked != own], ran):
        first = next(number for number, each in enumerate(plans) if _within(each, both))
        plans[first] = both
        plans = [each for each in plans if not _within(each, both)]
    whole = [each for each in plans if each.asked == own or not any(_within(each, other) for other in plans)]
    return [ran.experiment(each) for each in whole]


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
        self._suite, self._conditions, self._records = suite, conditions, records
        self._trials = commands[0].trials
        self._tasks = numbers_of_tasks(records)
        self._base = options_under(suite, conditions, self._trials, own_seeds(suite, conditions))
        self._arms: dict[Key, list[Arm]] = {}
        for arm in (arm for command in commands for arm in command.arms):
            same = self._arms.setdefault((arm.setting, arm.method), [])
            twin = next((each for each in same if dataclasses.replace(each, seeds=arm.seeds) == arm), None)
            if twin is None:
                same.append(arm)
            elif twin.seeds < arm.seeds:
                same[same.index(twin)] = arm

    def under(self, asked: Values) -> tuple[Arm, ...]:
        """Return what was run of a command with these values, with the most seeds that were asked for."""
        given, found = with_values(self._base, asked), []
        for (setting, method), arms in self._arms.items():
            n_tasks = self._tasks.get(setting, 2)
            meant = arm_of(self._suite, self._conditions.data, setting, method, given, n_tasks=n_tasks)
            found += [arm for arm in arms if dataclasses.replace(meant, seeds=arm.seeds) == arm]
        return in_order(self._suite, found)

    def both(self, one: Command, other: Command) -> Command | None:
        """Return the plan with the values of two, if they agree and it has all that each of the two has."""
        if any(one.asked[name] != other.asked[name] for name in one.asked.keys() & other.asked.keys()):
            return None
        asked = {**one.asked, **other.asked}
        arms = self.under(asked)
        return Command(one.trials, asked, arms) if all(arm in arms for arm in (*one.arms, *other.arms)) else None

    def experiment(self, plan: Command) -> Experiment:
        """Return a plan as a report has it."""
        seeds = max(arm.seeds for arm in plan.arms)
        options = with_values(options_under(self._suite, self._conditions, self._trials, seeds), plan.asked)
        arms = tuple(map(self._with_reason, plan.arms))
        return Experiment(self._conditions, plan.asked, options, arms, known=True)

    def _with_reason(self, arm: Arm) -> Arm:
        """Return an arm without records with the reason if its method declines."""
        if any(belongs(arm, record) for record in self._records):
            return arm
        return dataclasses.replace(
            arm, declined=Declines(arm.suite.name, arm.setting, arm.suite.controls).of(arm.method)
        )
