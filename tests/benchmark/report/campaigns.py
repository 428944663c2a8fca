"""Options of commands of many kinds, and the records that they leave, without any training."""

from collections.abc import Iterable
from typing import Any

from benchmark.arm import Arm
from benchmark.campaign import choose
from benchmark.plan import Options, make_plan
from benchmark.planned import Planned
from benchmark.record import Record
from benchmark.report.experiment import Experiment
from benchmark.report.experiments import experiments
from tests.benchmark.helpers import a_record, by_digest


def campaign(arms: Iterable[Arm], *, best: int = 2, finals: bool = True) -> list[Record]:
    """Return the records of a plan in which a point of each grid, or a trial, wins."""
    found: list[Record] = []
    for arm in arms:
        if arm.search is not None:
            points: list[dict[str, Any]] = [dict.fromkeys(arm.space, 0.02 * (n + 1)) for n in range(arm.trials)]
            specs = [arm.spec(point, trial=n) for n, point in enumerate(points)]
        else:
            points = arm.points() if arm.space else []
            specs = [arm.spec(point) for point in points]
        winner = min(best, max(len(points) - 1, 0))
        found += [a_record(spec, score=0.9 if n == winner else 0.1 * n / 10) for n, spec in enumerate(specs)]
        if finals:
            found += [a_record(spec, test=0.5) for spec in arm.finals(points[winner] if points else {})]
    return found


PLANS = {
    "the suite's own": {},
    "a shorter grid": {"fixed": {"lr": "0.01"}},
    "a longer grid": {"grid": {"lr": ("0.3", "0.2", "0.01")}},
    "nothing searched": {"fixed": {"lr": "1", "weight_decay": "0"}},
    "more seeds": {"seeds": 5},
    "other epochs": {"epochs": 7},
    "controls": {"controls": ("shuffled",)},
    "another precision": {"precision": "float32"},
    "a budget": {"trials": 5, "sampler": "random"},
    "a budget with a pruner": {"trials": 5, "sampler": "random", "pruner": "median"},
    "a budget of another draw": {"trials": 5, "sampler": "random", "sampler_seed": 2},
    "a budget that some methods exhaust": {
        "methods": ("stl", "equal", "dwa"),
        "trials": 9,
        "sampler": "random",
        "fixed": {"lr": "0.1", "weight_decay": "0"},
    },
    "a budget, one rate fixed": {"trials": 5, "sampler": "random", "fixed": {"lr": "0.5"}},
    "a budget, other ranges": {"trials": 3, "grid": {"lr": ("0.5", "0.001")}},
    "a value of one method": {"methods": ("stl", "equal", "dwa"), "fixed": {"temperature": "3"}},
    "a value of one method whose name is something else to another": {
        "methods": ("stl", "gradnorm", "uncertainty"),
        "fixed": {"gradnorm.learning_rate": "0.5"},
    },
    "a value of all that have it": {
        "methods": ("stl", "gradnorm", "uncertainty"),
        "fixed": {"learning_rate": "0.5"},
    },
}


def asked(plan: dict[str, Any]) -> tuple[list[Arm], Planned]:
    """Return the arms of a command, and what it leaves."""
    options = Options("toy", **plan)
    arms = make_plan(options)
    return arms, Planned.of(options, arms)


def left_by(*commands: Options) -> list[Planned]:
    """Return what commands leave beside their records."""
    return [Planned.of(options, make_plan(options)) for options in commands]


def finished(arms: Iterable[Arm]) -> list[Record]:
    """Return the records of a plan whose scores are those of the runs, whoever asks for them."""
    found: dict[str, Record] = {}
    for arm in arms:
        if arm.search is not None:
            points: list[dict[str, Any]] = [dict.fromkeys(arm.space, 0.02 * (n + 1)) for n in range(arm.trials)]
            specs = [arm.spec(point, trial=n) for n, point in enumerate(points)]
        else:
            specs = list(map(arm.spec, arm.points())) if arm.space else []
        found |= by_digest(a_record(spec, score=int(spec.digest[:6], 16) / 0xFFFFFF) for spec in specs)
        point = choose(arm, found)
        assert point is not None
        found |= by_digest(a_record(spec, test=0.5) for spec in arm.finals(point))
    return list(found.values())


def after(*plans: dict[str, Any]) -> tuple[list[Experiment], dict[str, Record]]:
    """Return what a report shows after commands that came to their end, and all records."""
    commands = [asked(plan) for plan in plans]
    records = by_digest(record for arms, _ in commands for record in finished(arms))
    return experiments("toy", records.values(), [planned for _, planned in commands]), records


def bare(arms: Iterable[Arm]) -> list[dict[str, Any]]:
    """Return what arms are but for the suite's object and their number of final runs."""
    return [{**vars(arm), "suite": arm.suite.name, "seeds": 0} for arm in arms]
