"""Which values each hyper-parameter of a method has on a suite: fixed, a grid, or ranges."""

from collections.abc import Collection, Mapping

from auxilearn import Method
from benchmark.hyper import hyper_parameters, parse, suite_defaults
from benchmark.space import Domain, Range, Space, TaskWeights, domain
from benchmark.spec import Value
from benchmark.suite import Suite
from benchmark.train import OPTIMIZER_HYPER

FEW_TASKS = 8
"""Tasks up to which a search with a budget gives each auxiliary a weight of its own: tens of trials say little about
more weights than that."""

Values = dict[str, tuple[Value, ...]]


def values_of(suite: Suite, name: str, method: type[Method], *, sample: bool) -> Values:
    """Return the values of each hyper-parameter; later sources win: constructor, search space, suite."""
    own = hyper_parameters(method)
    values: Values = {key: (value,) for key, value in own.items()}
    values |= method.search_space
    values |= {key: _tuple(value) for key, value in suite_defaults(suite.defaults, name).items() if key in own}
    values |= suite.grid
    return {key: found[:1] for key, found in values.items()} if sample else values


def given_values(
    name: str, method: type[Method], known: Collection[str], asked: Mapping[str, tuple[str, ...]]
) -> Values:
    """Return the values of known hyper-parameters that the user gives a method as text."""
    examples = {**hyper_parameters(method), **dict.fromkeys(OPTIMIZER_HYPER, 0.0)}
    values: Values = {}
    for full, texts in sorted(asked.items(), key=lambda item: "." in item[0]):  # the more special ones win
        scope, _, key = full.rpartition(".")
        if key in known and scope in ("", name):
            values[key] = tuple(dict.fromkeys(parse(key, text, examples[key]) for text in texts))
    return values


def in_ranges(values: Values, given: Collection[str], method: type[Method], n_tasks: int) -> dict[str, Domain]:
    """Return what a search with a budget has in place of a grid: ranges, and choices of the values given.

    A number that all auxiliary tasks share becomes one a task where they are few and the user gives neither.
    """
    space: dict[str, Domain] = {key: found if key in given else domain(found) for key, found in values.items()}
    for shared, each in method.one_a_task.items():
        found = space[shared]
        if isinstance(found, Range) and each not in given and len(values[each]) == 1 and 2 <= n_tasks <= FEW_TASKS:
            space[each] = TaskWeights(found, n_tasks - 1)
            space[shared] = (hyper_parameters(method)[shared],)
    return space


def searched(values: Mapping[str, Domain]) -> Space:
    """Return the hyper-parameters with more than one value to try."""
    return {key: found for key, found in values.items() if not isinstance(found, tuple) or len(found) > 1}


def fixed(values: Mapping[str, Domain]) -> dict[str, Value]:
    """Return the hyper-parameters with one value."""
    return {key: found[0] for key, found in values.items() if isinstance(found, tuple) and len(found) == 1}


def _tuple(value: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)
