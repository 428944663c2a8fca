"""What was run: each plan that the records of a suite are of."""

from collections.abc import Iterable, Sequence

import baselines
from benchmark.conditions import RANGES, Conditions, conditions_of
from benchmark.errors import UserError
from benchmark.planned import Planned
from benchmark.record import Record
from benchmark.report.commands import behind, commands_of, of_records, unplanned
from benchmark.report.experiment import Experiment, bare_suite
from benchmark.report.guessed import guessed
from benchmark.report.joined import joined
from benchmark.suite import Suite


def experiments(suite_name: str, records: Iterable[Record], planned: Sequence[Planned] = ()) -> list[Experiment]:
    """Return the plans that records of a suite are of, the suite's own first, then by when they were begun.

    They are what commands asked for, joined where one command can have asked for it all. Records that no command is
    known to have asked for, as their folder's `plans.jsonl` is older or gone, are put into plans by what they say
    themselves. No data are read.

    Args:
        suite_name: Name of the suite.
        records: Of one protocol; those of methods that are not in `baselines/`, and of settings that the suite has no
            more, are passed over.
        planned: What commands asked for; those that no record is of are passed over.
    """
    known = baselines.names()
    groups: dict[Conditions, list[Record]] = {}
    for record in records:
        if record.spec.method in known:
            groups.setdefault(conditions_of(record.spec), []).append(record)
    found: list[Experiment] = []
    for conditions, group in groups.items():
        suite = bare_suite(suite_name, conditions)
        mine = [record for record in group if record.spec.setting in suite.settings]
        _check_metrics(suite, mine)
        asked = [plan for plan in planned if plan.suite == suite_name and plan.conditions == conditions]
        found += _of_group(suite, conditions, mine, asked)
    return sorted(found, key=lambda each: not each.own)


def _of_group(
    suite: Suite, conditions: Conditions, records: Sequence[Record], planned: Sequence[Planned]
) -> list[Experiment]:
    commands = commands_of(suite, conditions, planned, records)
    left = unplanned(commands, records)
    others = guessed(suite, conditions, behind(left, records)) if left else []
    if not commands:
        return others
    apart = [each for each in others if RANGES in each.asked]
    read = [of_records(each, left) for each in others if each not in apart]
    commands += [each for each in read if each.arms]
    return joined(suite, conditions, commands, records) + apart


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
