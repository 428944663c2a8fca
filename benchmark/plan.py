"""From options to arms: which method is tuned over which grid in which setting."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import baselines
from auxilearn import Method
from benchmark import suites
from benchmark.arm import Arm
from benchmark.controls import extend
from benchmark.errors import UserError, meant, unknown
from benchmark.failures import reason_of, text_of
from benchmark.hyper import hyper_parameters
from benchmark.places import Places
from benchmark.plugins import blaming, load_method, load_suite
from benchmark.problem import build_method
from benchmark.space import digest, size
from benchmark.spec import CONTROLS, SEARCH_SEED, AskedPrecision, Pruner, Sampler, Search, Value, is_sample
from benchmark.suite import Suite
from benchmark.text import is_plain, plain
from benchmark.train import OPTIMIZER_HYPER
from benchmark.values import Values, fixed, given_values, in_ranges, searched, values_of


@dataclass(frozen=True)
class Options:
    """What the user asked for; None and empty mean the suite's default.

    Attributes:
        suite: Name of the suite.
        settings: Its settings to run.
        methods: Methods to run; `all` for every one.
        controls: Control tasks to add to the suite's own.
        seeds: Number of final runs.
        epochs: Length of training.
        precision: Precision of training steps.
        fixed: Hyper-parameters given one value, as text.
        grid: Hyper-parameters given the values to search, as text.
        places: Where the suite's data are; on drawn samples nothing is searched and training is short.
        trials: Number of trials of every method, drawn from ranges; None for whole grids.
        sampler: What proposes the trials.
        sampler_seed: Its seed.
        pruner: Rule by which hopeless trials end early; None for none.
    """

    suite: str
    settings: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    seeds: int | None = None
    epochs: int | None = None
    precision: AskedPrecision = "auto"
    fixed: Mapping[str, str] = field(default_factory=dict)
    grid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    trials: int | None = None
    sampler: Sampler = "tpe"
    sampler_seed: int = 0
    pruner: Pruner | None = None

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Values given to hyper-parameters, as text, whether fixed or to be searched."""
        return {**self.grid, **{name: (text,) for name, text in self.fixed.items()}}


def make_plan(options: Options) -> list[Arm]:
    """Return the arms of a command, method by method within each setting.

    Raises:
        UserError: A name or value is not allowed.
    """
    arms = list_arms(options)
    if options.fixed or options.grid:
        for arm in arms:
            check_values(arm, arm.points())
    return arms


def list_arms(options: Options) -> list[Arm]:
    """Return the arms of a command without trying whether its methods take the values given.

    Raises:
        UserError: A name is not allowed.
    """
    if options.suite not in suites.names():
        raise unknown("suite", options.suite, suites.names())
    for control in options.controls:
        if control not in CONTROLS:
            raise unknown("control", control, CONTROLS)
    suite = load_suite(options.suite, options.places)
    if options.places.sample and not suite.datasets:
        raise UserError(
            f"suite {suite.name!r} reads no files and has no --sample; --epochs and --seeds make it shorter"
        )
    with blaming("suite", options.suite):
        suite.check_weights()
        return arms_of(extend(suite, options.controls), options)


def arms_of(suite: Suite, options: Options) -> list[Arm]:
    """Return the arms of a command on a suite that is at hand, see `list_arms`."""
    for setting in options.settings:
        if setting not in suite.settings:
            raise unknown("setting", setting, suite.settings)
        if lack := suite.lacks(setting):
            raise UserError(f"the setting {setting!r} of suite {suite.name!r} {lack}")
    methods = {name: load_method(name) for name in _method_names(options, suite)}
    check_names(options, suite, methods)
    data = suite.fingerprint()
    arms = []
    for setting in dict.fromkeys(options.settings or served(suite)):
        _check_text([suite.name, setting, *methods, *(metric.name for metric in suite.metrics)])
        problem = suite.problem(setting, SEARCH_SEED)
        _check_text(problem.task_names)
        for name, method in methods.items():
            if not options.methods and name not in suite.methods_of(setting):
                continue
            with blaming("method", name):
                declined = _reason(method.declines(problem))
            arm = arm_of(suite, data, setting, name, options, n_tasks=problem.n_tasks)
            arms.append(dataclasses.replace(arm, declined=declined))
    return arms


def _reason(declined: object) -> str | None:
    """Return why a method declines, as one visible line."""
    if declined is not None and not isinstance(declined, str):
        raise TypeError(f"declines returned {type(declined).__name__}, neither text nor None")
    return None if declined is None else plain(declined)


def _check_text(names: Iterable[str]) -> None:
    """Refuse names that would change what is around them, on a terminal or in a file."""
    for name in names:
        if not is_plain(name):
            raise UserError(f"the name {name!r} is not one line of visible text; rename it")


def served(suite: Suite) -> list[str]:
    """Return the settings for which the suite's data lack nothing.

    Raises:
        UserError: There is none.
    """
    lacks = {setting: suite.lacks(setting) for setting in suite.settings}
    if all(lacks.values()):
        reasons = "; ".join(f"{setting!r} {lack}" for setting, lack in lacks.items())
        raise UserError(f"no setting of suite {suite.name!r} can be served: {reasons}")
    return [setting for setting, lack in lacks.items() if not lack]


def _method_names(options: Options, suite: Suite) -> Sequence[str]:
    known = baselines.names()
    for name in options.methods:
        if name not in (*known, "all"):
            raise unknown("method", name, [*known, "all"])
    if "all" in options.methods:
        first = [name for name in suite.default_methods if name in known]
        return first + [name for name in known if name not in first]
    settings = options.settings or served(suite)
    defaults = [name for name in suite.default_methods if any(name in suite.methods_of(s) for s in settings)]
    return tuple(dict.fromkeys(options.methods)) or defaults


def check_names(options: Options, suite: Suite, methods: Mapping[str, type[Method]]) -> None:
    """Refuse values of hyper-parameters that none of the methods has.

    Raises:
        UserError: There are some.
    """
    allowed = sorted({*suite.grid, *(name for method in methods.values() for name in hyper_parameters(method))})
    for name in (*options.fixed, *options.grid):
        method, dot, bare = name.rpartition(".")
        if dot and method not in methods:
            near = meant(method, methods)
            raise UserError(f"{name!r} names no method that runs{near}; these are: {', '.join(methods)}")
        own = sorted({*suite.grid, *hyper_parameters(methods[method])}) if dot else allowed
        if bare not in own:
            raise unknown("hyper-parameter", bare, own, of=method or "the methods that run")
    twice = sorted(set(options.fixed) & set(options.grid))
    if twice:
        raise UserError(f"--set and --grid both name {twice[0]!r}; use one of them")


def arm_of(suite: Suite, data: str, setting: str, name: str, options: Options, *, n_tasks: int) -> Arm:
    """Return the arm of one method under options, without reading data; what the user gives wins.

    Args:
        suite: The suite, with the controls that were asked for.
        data: Fingerprint of its data.
        setting: Name of the setting.
        name: Name of the method.
        options: What was asked for.
        n_tasks: Number of tasks, which ranges of weights depend on.

    Raises:
        UserError: A value cannot be read.
    """
    method = load_method(name)
    sample = is_sample(data)
    values = values_of(suite, name, method, sample=sample)
    given = given_values(name, method, values, options.values)
    values |= given
    domains = values if options.trials is None else in_ranges(values, given, method, n_tasks)
    space = searched(domains)
    search = None
    if options.trials is not None:
        trials = int(min(options.trials, size(space))) if space else 0
        search = Search(options.sampler, digest(space), trials=trials, pruner=options.pruner, seed=options.sampler_seed)
    return Arm(
        suite=suite,
        data=data,
        setting=setting,
        method=name,
        space=space,
        fixed=fixed(domains),
        epochs=options.epochs or (min(suite.sample_epochs, suite.epochs) if sample else suite.epochs),
        seeds=options.seeds or (1 if sample else suite.final_seeds),
        precision=options.precision,
        search=search,
    )


def departures(arms: Iterable[Arm], options: Options) -> Values:
    """Return the values given to hyper-parameters that are not the suite's own, by name or `method.name` as given.

    Under a budget several values never are, nor are weights of single tasks: ranges take the place of the suite's own.
    Values given to one method that are its own count where others are given to all.
    """
    found, kept = Values(), Values()
    for arm in arms:
        method = load_method(arm.method)
        own = values_of(arm.suite, arm.method, method, sample=is_sample(arm.data))
        for name, values in given_values(arm.method, method, own, options.values).items():
            special = f"{arm.method}.{name}"
            drawn = options.trials is not None and (len(values) > 1 or name in method.one_a_task.values())
            if values != own[name] or drawn:
                found[special if special in options.values else name] = values
            elif special in options.values:
                kept[special] = values
    return found | {special: values for special, values in kept.items() if special.partition(".")[2] in found}


def check_values(arm: Arm, points: Sequence[Mapping[str, Value]]) -> None:
    """Build optimiser and method at points of the grid, so that a bad value is told before any training.

    Raises:
        UserError: They cannot be built; its text says why.
    """
    if arm.declined:
        return
    problem = arm.suite.problem(arm.setting, SEARCH_SEED)
    for point in points:
        hyper: dict[str, Any] = dict(arm.spec(point).hyper)
        rates = {name: hyper.pop(name) for name in OPTIMIZER_HYPER}
        with blaming("method", arm.method):
            try:
                arm.suite.optimizer(problem.model, **rates)
                build_method(arm.method, problem, hyper, seed=0)
            except ValueError as error:
                raise UserError(f"{arm.method}: {text_of(error) or reason_of(error)}") from error
