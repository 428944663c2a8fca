"""What was run: each plan that commands asked for and that records of a suite are of."""

from collections.abc import Iterable, Sequence

import baselines
from benchmark.arm import Arm
from benchmark.campaign import belongs, choose
from benchmark.conditions import Conditions, conditions_of
from benchmark.errors import UserError
from benchmark.planned import Planned
from benchmark.record import Record
from benchmark.report.commands import Command, commands_of
from benchmark.report.experiment import Experiment, bare_suite
from benchmark.report.joined import joined
from benchmark.space import Point
from benchmark.suite import Suite


def experiments(suite_name: str, records: Iterable[Record], planned: Sequence[Planned]) -> list[Experiment]:
    """Return the plans that records of a suite are of, the suite's own first, then by when they were begun.

    They are what commands asked for, joined where one command can have asked for it all. No data are read.

    Args:
        suite_name: Name of the suite.
        records: Of one protocol; those of methods that are not in `baselines/`, of settings that the suite has no more,
            and those that no command asked for, see `unasked`, are passed over.
        planned: What commands asked for; those that no record is of are passed over.
    """
    found: list[Experiment] = []
    for conditions, group in _by_conditions(records).items():
        suite = bare_suite(suite_name, conditions)
        mine = [record for record in group if record.spec.setting in suite.settings]
        _check_metrics(suite, mine)
        commands = _commands_of(suite, conditions, mine, planned)
        found += joined(suite, conditions, commands, mine)
    return sorted(found, key=lambda each: not each.own)


def unasked(suite_name: str, records: Iterable[Record], planned: Sequence[Planned]) -> list[Record]:
    """Return the records that no command asks for as the code is now: no table has them.

    Search runs are those of a command up to its budget, final runs those at the point that its search chose, once it
    did. Records of methods that are not in `baselines/` and of settings that the suite has no more are passed over.
    """
    left: list[Record] = []
    for conditions, group in _by_conditions(records).items():
        suite = bare_suite(suite_name, conditions)
        group = [record for record in group if record.spec.setting in suite.settings]
        commands = _commands_of(suite, conditions, group, planned)
        arms = [arm for command in commands for arm in command.arms]
        by_digest = {record.spec.digest: record for record in group}
        chosen = [(arm, choose(arm, by_digest)) for arm in arms]
        left += [record for record in group if not any(_asked_for(record, *each) for each in chosen)]
    return left


def _asked_for(record: Record, arm: Arm, point: Point | None) -> bool:
    spec = record.spec
    if not belongs(arm, record):
        return False
    if spec.phase == "search":
        return spec.search is None or spec.search.trial is None or spec.search.trial < arm.trials
    return point is None or point.items() <= dict(spec.hyper).items()


def _by_conditions(records: Iterable[Record]) -> dict[Conditions, list[Record]]:
    """Return the records of methods in `baselines/` by what the runs of one plan share."""
    known, groups = baselines.names(), dict[Conditions, list[Record]]()
    for record in records:
        if record.spec.method in known:
            groups.setdefault(conditions_of(record.spec), []).append(record)
    return groups


def _commands_of(
    suite: Suite, conditions: Conditions, records: Sequence[Record], planned: Iterable[Planned]
) -> list[Command]:
    asked = [plan for plan in planned if plan.suite == suite.name and plan.conditions == conditions]
    return commands_of(suite, conditions, asked, records)


def _check_metrics(suite: Suite, records: Iterable[Record]) -> None:
    """Refuse results without a metric that tables read.

    Raises:
        UserError: There is one; its text names run and metric.
    """
    for record in records:
        spec = record.spec
        reached = record.selected.get("validation", {}) if record.status in ("ok", "pruned") else None
        lack = [] if reached is None or suite.selection.name in reached else [f"validation {suite.selection.name}"]
        if record.status == "ok" and spec.phase == "final":
            lack += [f"test {metric.name}" for metric in suite.metrics if metric.name not in record.test]
        if lack:
            what = f"{spec.suite}, {spec.setting}, {spec.method}, {spec.phase} run of seed {spec.seed}"
            raise UserError(f"run {spec.digest} ({what}) has no {lack[0]}; mend or remove its line of records.jsonl")
