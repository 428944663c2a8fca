"""The plans that records are of where no command left what it asked for: as far as records tell them."""

from collections.abc import Iterable, Mapping, Sequence

from benchmark.arm import Arm
from benchmark.conditions import RANGES, Conditions
from benchmark.plan import Options, arm_of
from benchmark.plugins import load_method
from benchmark.record import Record
from benchmark.report.budgets import Drawn, asked_by, budgets_of, drawn_from, trials_so_far, with_ranges_of
from benchmark.report.experiment import Experiment, in_order, numbers_of_tasks, options_under, own_seeds, with_values
from benchmark.report.grids import asked_for
from benchmark.report.joining import Key, Variant, members, plans, scoped
from benchmark.spec import is_sample
from benchmark.suite import Suite
from benchmark.values import Values, values_of


def guessed(suite: Suite, conditions: Conditions, records: Sequence[Record]) -> list[Experiment]:
    """Return the plans that records under the same conditions are of, as far as records tell.

    Records differ, method by method, in the values of hyper-parameters. Methods whose values agree where they have the
    same hyper-parameter are of one plan: values that the user gave count for the methods that have a hyper-parameter of
    that name, or for one method alone where the name is something else to another method.

    Args:
        suite: The suite, with the controls that its runs had.
        conditions: What all runs share.
        records: Of known methods in settings of the suite.
    """
    if conditions.search:
        found = _of_budgets(suite, conditions, records)
    else:
        found = _of_budget(suite, conditions, records, None)
    return [each for each in found if not any(_within(each, other) for other in found)]


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
    seeds = max([own_seeds(suite, conditions), *(_last_seed(records))])
    base = options_under(suite, conditions, trials, seeds)
    tasks = numbers_of_tasks(records)
    variants = {
        key: _variants(suite, conditions, base, key, found, n_tasks=tasks[key[0]]) for key, found in by_arm.items()
    }
    variants = {key: scoped(key, found, variants) for key, found in variants.items()}
    return [
        Experiment(conditions, asked, with_values(base, asked), arms)
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
        options = with_values(base, each.asked)
        arm = arm_of(suite, conditions.data, setting, method, options, n_tasks=n_tasks)
        arm = with_ranges_of(arm, each, base.trials or 0)
        unknown += bool(each.ranges)
        found.append(Variant({**each.asked, RANGES: (unknown,)} if each.ranges else each.asked, arm, own))
    return found


def _arms(suite: Suite, variants: Mapping[Key, Sequence[Variant]], asked: Values) -> tuple[Arm, ...]:
    return in_order(suite, (variants[key][number].arm for key, number in members(variants, asked)))
