"""The report of one suite: a table for each plan that its records are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.arm import Arm
from benchmark.conditions import title_of
from benchmark.errors import UserError
from benchmark.fill import Fill, fill_in_report
from benchmark.planned import Planned
from benchmark.record import Record
from benchmark.report.experiment import Experiment, options_for
from benchmark.report.experiments import experiments
from benchmark.spec import called
from benchmark.statistics import SEED
from benchmark.tables.data import Results
from benchmark.tables.gather import gather

OWN_PLAN = "the suite's own plan"
"""How a suite's own plan is called beside others."""


@dataclass(frozen=True)
class Plan:
    """A table and the arms behind it."""

    results: Results
    arms: Sequence[Arm]


def suite_results(
    suite: str,
    records: Mapping[str, Record],
    *,
    planned: Sequence[Planned],
    references: Sequence[str] = (),
    seed: int = SEED,
    results_dir: Path,
) -> list[Results]:
    """Return the results of each plan that a suite's records are of, see `plans_of`."""
    found = plans_of(suite, records, planned=planned, references=references, seed=seed, results_dir=results_dir)
    return [plan.results for plan in found]


def plans_of(
    suite: str,
    records: Mapping[str, Record],
    *,
    planned: Sequence[Planned],
    references: Sequence[str] = (),
    seed: int = SEED,
    results_dir: Path,
) -> list[Plan]:
    """Return each plan that a suite's records are of, the suite's own first.

    Args:
        suite: Name of the suite.
        records: By digest; all of that suite, of one protocol, drawn data or not.
        planned: What commands asked for.
        references: Methods that all others are compared with; none for the default ones.
        seed: Of the bootstrap.
        results_dir: Where commands that fill missing cells write.
    """
    found = experiments(suite, records.values(), planned)
    several = _several_data(found)
    return [
        Plan(
            of_experiment(
                each, records, references=references, seed=seed, results_dir=results_dir, several_data=several
            ),
            each.arms,
        )
        for each in found
    ]


def names_of(plans: Sequence[Experiment]) -> list[str]:
    """Return what each plan of a suite is called, as the titles of their tables have it."""
    titles = [_title(plan, several_data=_several_data(plans)) for plan in plans]
    return [title.partition(": ")[2] or OWN_PLAN for title in titles]


def _several_data(plans: Sequence[Experiment]) -> bool:
    return len({plan.conditions.data for plan in plans}) > 1


def _title(plan: Experiment, *, several_data: bool) -> str:
    first = plan.arms[0]
    name, trials = called(first.suite.name, first.data), plan.options.trials
    return title_of(name, plan.conditions, first.suite, asked=plan.asked, trials=trials, several_data=several_data)


def of_experiment(
    experiment: Experiment,
    records: Mapping[str, Record],
    *,
    references: Sequence[str],
    seed: int,
    results_dir: Path,
    several_data: bool,
) -> Results:
    """Return the results of one plan."""
    title = _title(experiment, several_data=several_data)

    def command(*arms: Arm) -> Fill:
        return fill_in_report(options_for(experiment, arms), arms, results=results_dir, references=references)

    return gather(experiment.arms, records, title=title, command=command, references=references, seed=seed)


def own_results(
    suite: str, records: Mapping[str, Record], *, planned: Sequence[Planned], seed: int = SEED, results_dir: Path
) -> Results:
    """Return the results of a suite's own plan alone; of several data, of those with the most methods.

    Raises:
        UserError: Records are of other plans only.
    """
    own = [each for each in experiments(suite, records.values(), planned) if each.own]
    if not own:
        raise UserError(
            f"suite {suite!r} has no run under its own plan; python -m benchmark.run --suite {suite} makes them"
        )
    most = max(own, key=lambda each: len(each.arms))
    return of_experiment(most, records, references=(), seed=seed, results_dir=results_dir, several_data=len(own) > 1)
