"""Methods of a suite's table that have no record: missing, or declined, which a suite without data can say."""

import dataclasses
from collections.abc import Sequence

import baselines
from benchmark.arm import Arm
from benchmark.controls import extend
from benchmark.plan import arm_of
from benchmark.plugins import load_method
from benchmark.problem import SupervisedProblem
from benchmark.report.experiment import Experiment
from benchmark.spec import SEARCH_SEED
from benchmark.stand_in import full_size


def with_absent(experiment: Experiment) -> tuple[Arm, ...]:
    """Return the arms of the suite's own plan, and in each of its settings those of methods without records there.

    These are the suite's default methods of the setting, and other methods that have records in another one. Where
    every method that serves a setting has records, all were asked for, and those that decline stand there too. Of other
    plans the methods with records are all that is known. Nothing is added where commands left what they asked for.
    """
    if experiment.known or not experiment.own:
        return experiment.arms
    suite = experiment.arms[0].suite
    settings = [setting for setting in suite.settings if any(arm.setting == setting for arm in experiment.arms)]
    arms = []
    asked_for = {arm.method for arm in experiment.arms} - set(suite.default_methods)
    for setting in settings:
        mine = {arm.method: arm for arm in experiment.arms if arm.setting == setting}
        others = [name for name in baselines.names() if name not in mine]
        reasons = Declines(suite.name, setting, suite.controls)
        all_asked_for = len(mine) > 1 and all(reasons.of(name) is not None for name in others)
        shown = [*suite.methods_of(setting), *mine, *sorted(asked_for), *(others if all_asked_for else ())]
        for name in dict.fromkeys(shown):
            arm = mine.get(name) or absent_arm(experiment, setting, name)
            arms.append(arm if name in mine else dataclasses.replace(arm, declined=reasons.of(name)))
    return tuple(arms)


def absent_arm(experiment: Experiment, setting: str, method: str) -> Arm:
    """Return the arm of a method that has no record, under the same options."""
    first = experiment.arms[0]
    n_tasks = 2  # of weight in a search with a budget alone, which is never the suite's own plan
    return arm_of(first.suite, first.data, setting, method, experiment.options, n_tasks=n_tasks)


class Declines:
    """Why methods decline a setting, asked of a network of its real size without data."""

    def __init__(self, suite: str, setting: str, controls: Sequence[str] = ()) -> None:
        self._suite, self._setting, self._controls = suite, setting, controls
        self._problem: SupervisedProblem | None = None
        self._known = True

    def of(self, method: str) -> str | None:
        """Return why a method declines; None if it does not, or where nobody but the user has such data."""
        if self._problem is None and self._known:
            suite = full_size(self._suite)
            self._known = suite is not None
            if suite is not None:
                self._problem = extend(suite, self._controls).problem(self._setting, SEARCH_SEED)
        return load_method(method).declines(self._problem) if self._problem is not None else None
