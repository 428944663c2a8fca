"""What commands asked for, from what they left beside the records."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import baselines
from benchmark.arm import Arm
from benchmark.campaign import belongs
from benchmark.conditions import Conditions
from benchmark.errors import UserError
from benchmark.plan import arm_of, check_names, departures
from benchmark.planned import Planned
from benchmark.plugins import fault_of, load_method
from benchmark.record import Record
from benchmark.report.experiment import numbers_of_tasks, options_under
from benchmark.suite import Suite
from benchmark.values import Values


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


def same(one: Arm, other: Arm) -> bool:
    """Return whether two arms are the same but for their number of final runs and why they decline."""
    return dataclasses.replace(one, seeds=other.seeds, declined=other.declined) == other


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
        asked = {name for names in plan.methods.values() for name in names}
        methods = {name: load_method(name) for name in baselines.names() if name in asked and not fault_of(name)}
        arms = []
        try:
            if methods.keys() == asked:  # else those that are gone may have had what is given
                check_names(given, suite, methods)
            for setting, name in ((setting, name) for setting, names in plan.methods.items() for name in names):
                if setting in suite.settings and name in methods:
                    n_tasks = tasks.get(setting, 2)
                    arm = arm_of(suite, conditions.data, setting, name, given, n_tasks=n_tasks)
                    reason = plan.declined.get(setting, {}).get(name)
                    arms.append(dataclasses.replace(arm, declined=reason))
            command = Command(plan.trials, departures(arms, given), tuple(arms))
        except UserError:  # a value that the code, as it is now, does not take
            continue
        if any(belongs(arm, record) for arm in arms for record in records):
            found.append(command)
    return [each for each in found if not any(_went_on(other, each, records) for other in found)]


def _went_on(large: Command, small: Command, records: Sequence[Record]) -> bool:
    """Return whether one command took all searches of another further, of which none had come to final runs."""
    if large.trials is None or small.trials is None or large.trials <= small.trials:
        return False
    searches = [arm for arm in small.arms if arm.trials == small.trials]
    finals = [record for record in records if record.spec.phase == "final"]
    begun = any(belongs(arm, record) for arm in searches for record in finals)
    return bool(searches) and not begun and all(any(_further(other, arm) for other in large.arms) for arm in small.arms)


def _further(large: Arm, small: Arm) -> bool:
    """Return whether one arm is another one, with as many trials or more."""
    return same(dataclasses.replace(large, search=small.search), small)
