"""One plan that records are of."""

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import baselines
from benchmark.arm import Arm
from benchmark.conditions import Conditions
from benchmark.hyper import as_text
from benchmark.places import Places
from benchmark.plan import Options
from benchmark.plugins import load_method, load_suite
from benchmark.record import Record
from benchmark.spec import is_sample, other_weights
from benchmark.suite import Suite
from benchmark.values import Values


@dataclass(frozen=True)
class Experiment:
    """One plan that records are of.

    Attributes:
        conditions: What all its runs share.
        asked: Hyper-parameters whose values are not the suite's own.
        options: What a command that goes on with it is given.
        arms: Methods in settings, in the order of the suite, those that decline all of them last.
    """

    conditions: Conditions
    asked: Values
    options: Options
    arms: tuple[Arm, ...]

    @property
    def own(self) -> bool:
        """Whether it is the suite's own plan: its grid, epochs, tasks, weights and precision."""
        return not self.asked and self.conditions.own(self.arms[0].suite)


def bare_suite(name: str, conditions: Conditions) -> Suite:
    """Return a suite that says what it is and has no data, with the controls that its runs had."""
    suite = copy.copy(load_suite(name, Places(sample=is_sample(conditions.data))))
    suite.controls = conditions.controls
    return suite


def options_under(suite: Suite, conditions: Conditions, trials: int | None, seeds: int) -> Options:
    """Return the options, but for values of hyper-parameters, of a command whose runs share these conditions."""
    sample, search = is_sample(conditions.data), conditions.search
    return Options(
        suite=suite.name,
        controls=conditions.controls,
        seeds=None if seeds == own_seeds(suite, conditions) else seeds,
        epochs=None if conditions.epochs == conditions.own_epochs(suite) else conditions.epochs,
        precision=conditions.precision,
        places=Places(sample=sample, weights=other_weights(conditions.data)),
        trials=trials,
        sampler=search.sampler if search else "tpe",
        sampler_seed=search.seed if search else 0,
        pruner=search and search.pruner,
    )


def own_seeds(suite: Suite, conditions: Conditions) -> int:
    """Return how many final runs the suite has on such data."""
    return 1 if is_sample(conditions.data) else suite.final_seeds


def options_for(experiment: Experiment, arms: Sequence[Arm]) -> Options:
    """Return the options of a command that makes missing runs of some arms: with as many final runs as they have."""
    seeds = max(arm.seeds for arm in arms)
    own = own_seeds(arms[0].suite, experiment.conditions)
    return dataclasses.replace(experiment.options, seeds=None if seeds == own else seeds)


def with_values(options: Options, asked: Values) -> Options:
    """Return options with the values of hyper-parameters as a command line has them."""
    texts = {name: tuple(map(as_text, values)) for name, values in asked.items()}
    return dataclasses.replace(
        options,
        fixed={name: values[0] for name, values in texts.items() if len(values) == 1},
        grid={name: values for name, values in texts.items() if len(values) > 1},
    )


def in_order(suite: Suite, arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Return arms setting by setting in the order of the suite, its default methods first."""
    order, settings = [*suite.default_methods, *baselines.names()], list(suite.settings)
    return tuple(sorted(arms, key=lambda arm: (settings.index(arm.setting), order.index(arm.method))))


def numbers_of_tasks(records: Iterable[Record]) -> dict[str, int]:
    """Return how many tasks each setting has; 2 where no run tells."""
    found: dict[str, int] = {}
    for record in records:
        setting = record.spec.setting
        found[setting] = max(found.get(setting, 2), _number_of_tasks(record))
    return found


def _number_of_tasks(record: Record) -> int:
    """Return how many tasks a run had: those of its result, else those that its weights are of; 0 if neither tells."""
    if record.tasks:
        return len(record.tasks)
    weights = load_method(record.spec.method).one_a_task.values()
    return max((str(value).count("/") + 1 for name, value in record.spec.hyper if name in weights), default=0)
