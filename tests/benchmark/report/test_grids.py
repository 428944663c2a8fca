"""The grid that was searched is read from the runs of a method: values given, and the order in which they were."""

from dataclasses import replace

from benchmark.report.grids import asked_for, grid_around
from benchmark.suite import Metric
from benchmark.values import Values
from tests.benchmark.helpers import a_record, a_spec

OWN: Values = {"lr": (0.1, 0.01), "weight_decay": (0.0, 0.01)}


def hyper(lr: float, weight_decay: float = 0.0) -> tuple:
    return (("lr", lr), ("weight_decay", weight_decay))


def scores(values: dict[tuple[float, float], float]) -> dict:
    return {hyper(*point): score for point, score in values.items()}


def test_a_grid_around_a_setting_is_one_of_which_it_is_the_best() -> None:
    found = scores({(0.1, 0.0): 0.1, (0.1, 0.01): 0.2, (0.01, 0.0): 0.4, (0.01, 0.01): 0.3})
    assert grid_around(hyper(0.01), OWN, found) == OWN, "the best of all"
    assert grid_around(hyper(0.1, 0.01), OWN, found) == {"lr": (0.1,), "weight_decay": (0.0, 0.01)}
    assert grid_around(hyper(0.7), OWN, found) == {"lr": (0.7,), "weight_decay": (0.0,)}, "nothing was searched"


def test_the_suites_own_grid_comes_before_a_larger_one() -> None:
    found = scores({(lr, decay): lr for lr in (0.1, 0.01, 0.001) for decay in (0.0, 0.01)})
    assert grid_around(hyper(0.1), OWN, found) == OWN


def test_trials_are_counted_too_many_rather_than_too_few() -> None:
    found = scores({(lr, decay): lr for lr in (0.1, 0.01, 0.5) for decay in (0.0, 0.01)})
    assert grid_around(hyper(0.5), OWN, found) == {**OWN, "lr": (0.1, 0.01, 0.5)}


def test_of_equals_the_first_is_chosen_so_that_a_later_one_was_given_first() -> None:
    found = scores({(lr, 0.0): 0.5 for lr in (0.1, 0.01)})
    own = {"lr": (0.1, 0.01), "weight_decay": (0.0,)}
    assert grid_around(hyper(0.1), own, found) == own
    assert grid_around(hyper(0.01), own, found)["lr"] == (0.01, 0.1)


def test_errors_are_better_when_smaller() -> None:
    spec = a_spec()
    records = [a_record(replace(spec, hyper=hyper(lr)), score=lr) for lr in (0.1, 0.01)]
    records.append(a_record(replace(spec, hyper=hyper(0.01), phase="final", seed=1)))
    own = {"lr": (0.1, 0.01), "weight_decay": (0.0,)}
    assert asked_for(own, records, Metric("top1", higher_is_better=False)) == [{}]
    assert asked_for(own, records, Metric("top1")) == [{"lr": (0.01,)}, {}]
