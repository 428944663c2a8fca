"""What was run, read from records: each plan that they are of, without the options that it was started with."""

import copy
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import baselines
from benchmark.arm import Arm
from benchmark.conditions import RANGES, Conditions, conditions_of
from benchmark.errors import UserError
from benchmark.hyper import as_text
from benchmark.places import Places
from benchmark.plan import Options, arm_of
from benchmark.plugins import load_method, load_suite
from benchmark.record import Record
from benchmark.report.budgets import Drawn, asked_by, budgets_of, drawn_from, trials_so_far, with_ranges_of
from benchmark.report.grids import asked_for
from benchmark.report.joining import Key, Variant, members, plans, scoped
from benchmark.spec import is_sample, other_weights
from benchmark.suite import Suite
from benchmark.values import Values, values_of


@dataclass(frozen=True)
class Experiment:
    """One plan that records are of.

    Attributes:
        conditions: What all its runs share.
        asked: Hyper-parameters whose values are not the suite's own.
        options: What a command that goes on with it is given.
        arms: Methods in settings, in the order of the suite; those that have records.
    """

    conditions: Conditions
    asked: Values
    options: Options
    arms: tuple[Arm, ...]

    @property
    def own(self) -> bool:
        """Whether it is the suite's own plan: its grid, epochs, tasks, weights and precision."""
        return not self.asked and self.conditions.own(self.arms[0].suite)


def experiments(suite_name: str, records: Iterable[Record]) -> list[Experiment]:
    """Return the plans that records of a suite are of, the suite's own first, then by when they were begun.

    Records differ in what all methods share (data, epochs, controls, precision, budget), and, method by method, in
    the values of hyper-parameters. Methods whose values agree where they have the same hyper-parameter are of one
    plan: values that the user gave count for the methods that have a hyper-parameter of that name, or for one method
    alone where the name is something else to another method. No data are read.

    Args:
        suite_name: Name of the suite.
        records: Of one protocol; those of methods that are not in `baselines/`, and of settings that the suite has no
            more, are passed over.
    """
    known = baselines.names()
    groups: dict[Conditions, list[Record]] = {}
    for record in records:
        if record.spec.method in known:
            groups.setdefault(conditions_of(record.spec), []).append(record)
    found = [each for conditions, group in groups.items() for each in _of_group(suite_name, conditions, group)]
    return sorted(found, key=lambda each: not each.own)


def _of_group(name: str, conditions: Conditions, records: Sequence[Record]) -> list[Experiment]:
    suite = bare_suite(name, conditions)
    records = [record for record in records if record.spec.setting in suite.settings]
    _check_metrics(suite, records)
    found: list[Experiment] = []
    if conditions.search:
        found += _of_budgets(suite, conditions, records)
    else:
        found += _of_budget(suite, conditions, records, None)
    return [each for each in found if not any(_within(each, other) for other in found)]


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


def _of_budgets(suite: Suite, conditions: Conditions, records: Sequence[Record]) -> list[Experiment]:
    """Return the plans of each budget, the smallest first, but for one whose final runs are all of a larger one too.

    More search runs than that are of a search under way, which is the plan where all final runs are its own.
    """
    numbers, so_far = budgets_of(records), trials_so_far(records)
    if so_far > max(numbers, default=-1):
        found = _of_budget(suite, conditions, records, so_far)
        if all(asked_by(_arms_of(found), records, trials) for trials in numbers):
            return found
    found = []
    for trials in reversed(numbers):
        if not asked_by(_arms_of(found), records, trials):
            found = _of_budget(suite, conditions, records, trials) + found
    return found


def _arms_of(plans: Iterable[Experiment]) -> list[Arm]:
    return [arm for plan in plans for arm in plan.arms]


def _within(one: Experiment, other: Experiment) -> bool:
    return one is not other and all(arm in other.arms for arm in one.arms) and len(one.arms) < len(other.arms)


def _of_budget(suite: Suite, conditions: Conditions, records: Sequence[Record], trials: int | None) -> list[Experiment]:
    by_arm: dict[Key, list[Record]] = {}
    for record in records:
        by_arm.setdefault((record.spec.setting, record.spec.method), []).append(record)
    seeds = max([suite.final_seeds if not is_sample(conditions.data) else 1, *(_last_seed(records))])
    base = _options(suite, conditions, trials, seeds)
    tasks = {setting: 2 for setting, _ in by_arm}  # of runs that all failed it is not known how many there were
    for record in records:
        tasks[record.spec.setting] = max(tasks[record.spec.setting], len(record.tasks))
    variants = {
        key: _variants(suite, conditions, base, key, found, n_tasks=tasks[key[0]]) for key, found in by_arm.items()
    }
    variants = {key: scoped(key, found, variants) for key, found in variants.items()}
    return [
        Experiment(conditions, asked, _with_values(base, asked, arms), arms)
        for asked in plans(variants)
        if (arms := _arms(suite, variants, asked))
    ]


def _last_seed(records: Iterable[Record]) -> list[int]:
    return [record.spec.seed for record in records if record.spec.phase == "final"]


def _variants(
    suite: Suite, conditions: Conditions, base: Options, key: Key, records: Sequence[Record], *, n_tasks: int
) -> list[Variant]:
    setting, method = key
    own = values_of(suite, method, load_method(method), sample=is_sample(conditions.data))
    if base.trials is None:
        drawn = [Drawn(asked) for asked in asked_for(own, records, suite.selection)]
    else:
        drawn = drawn_from(own, method, records, n_tasks)
    found, unknown = [], 0
    for each in drawn:
        options = _with_values(base, each.asked, ())
        arm = arm_of(suite, conditions.data, setting, method, options, n_tasks=n_tasks)
        arm = with_ranges_of(arm, each, base.trials or 0)
        unknown += bool(each.ranges)
        found.append(Variant({**each.asked, RANGES: (unknown,)} if each.ranges else each.asked, arm, own))
    return found


def _arms(suite: Suite, variants: Mapping[Key, Sequence[Variant]], asked: Values) -> tuple[Arm, ...]:
    order = [*suite.default_methods, *baselines.names()]
    settings = list(suite.settings)
    placed = sorted(members(variants, asked), key=lambda each: (settings.index(each[0][0]), order.index(each[0][1])))
    return tuple(variants[key][number].arm for key, number in placed)


def bare_suite(name: str, conditions: Conditions) -> Suite:
    """Return a suite that says what it is and has no data, with the controls that its runs had."""
    suite = copy.copy(load_suite(name, Places(sample=is_sample(conditions.data))))
    suite.controls = conditions.controls
    return suite


def _options(suite: Suite, conditions: Conditions, trials: int | None, seeds: int) -> Options:
    sample, search = is_sample(conditions.data), conditions.search
    own_seeds = 1 if sample else suite.final_seeds
    return Options(
        suite=suite.name,
        controls=conditions.controls,
        seeds=None if seeds == own_seeds else seeds,
        epochs=None if conditions.epochs == conditions.own_epochs(suite) else conditions.epochs,
        precision=conditions.precision,
        places=Places(sample=sample, weights=other_weights(conditions.data)),
        trials=trials,
        sampler=search.sampler if search else "tpe",
        sampler_seed=search.seed if search else 0,
        pruner=search and search.pruner,
    )


def _with_values(options: Options, asked: Values, arms: Sequence[Arm]) -> Options:
    """Return options with the values of hyper-parameters as a command line has them."""
    texts = {name: tuple(map(as_text, values)) for name, values in asked.items() if name != RANGES}
    return dataclasses.replace(
        options,
        fixed={name: values[0] for name, values in texts.items() if len(values) == 1},
        grid={name: values for name, values in texts.items() if len(values) > 1},
    )
