"""Plans of one folder stay apart: their trials, choices and final runs are those of their commands."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from benchmark import budget
from benchmark.arm import Arm
from benchmark.campaign import choose, is_complete
from benchmark.conditions import title_of
from benchmark.errors import UserError
from benchmark.fill import command_under
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.report.experiment import Experiment
from benchmark.report.experiments import experiments, unasked
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, by_digest
from tests.benchmark.report.campaigns import campaign, left_by


def identities(arms: Iterable[Arm], records: dict[str, Record]) -> list[object]:
    """Return of each arm what a table depends on: its trials, its choice and its final runs."""
    found = []
    for arm in arms:
        point = choose(arm, records)
        assert point is not None
        found.append((arm.setting, arm.method, arm.trials, [spec.digest for spec in arm.finals(point)]))
    return found


def test_a_plan_with_a_pruner_is_filled_with_it(toy: Toy) -> None:
    plan = Options("toy", trials=5, sampler="random", pruner="median")
    arms = make_plan(plan)
    records = by_digest(campaign(arms)[:-1])
    pruned = next(r for r in records.values() if r.spec.phase == "search" and r.selected["validation"]["top1"] < 0.5)
    records[pruned.spec.digest] = replace(pruned, status="pruned", reason="a rule")
    (found,) = experiments("toy", records.values(), left_by(plan))
    assert found.options.pruner == "median"
    assert command_under(found.options, found.arms).endswith(" --sampler random --pruner median")
    assert not is_complete(found.arms[-1], records)


def test_budgets_of_two_draws_are_two_experiments(toy: Toy) -> None:
    plans = [Options("toy", methods=("stl",), trials=5, sampler="random", sampler_seed=seed) for seed in (0, 1)]
    records = by_digest([record for plan in plans for record in campaign(make_plan(plan))])
    found = experiments("toy", records.values(), left_by(*plans))
    assert [title(each).partition(": ")[2] for each in found] == [
        "equal-budget of 5 trials by random",
        "equal-budget of 5 trials by random (sampler seed 1)",
    ]
    for each, plan in zip(found, plans, strict=True):
        assert identities(each.arms, records) == identities(make_plan(plan), records)
    assert command_under(found[1].options, found[1].arms).endswith(" --trials 5 --sampler random --sampler-seed 1")
    assert "by the sampler random (sampler seed 1))" in budget.phrase(found[1].arms)
    assert "--sampler-seed" not in command_under(found[0].options, found[0].arms)


@pytest.mark.parametrize("ended", [True, False])
def test_methods_that_exhaust_a_budget_make_none_of_their_own(toy: Toy, ended: bool) -> None:
    methods = ("stl", "dwa")
    values = {"lr": "0.1", "weight_decay": "0"}
    plan = Options("toy", settings=("few",), methods=methods, trials=4, sampler="random", fixed=values)
    small, large = make_plan(plan)
    assert (small.trials, large.trials) == (0, 4)
    records = by_digest([*campaign([small]), *campaign([large], finals=ended)])
    (found,) = experiments("toy", records.values(), left_by(plan))
    assert found.options.trials == 4
    assert [arm.trials for arm in found.arms] == [0, 4]


def test_two_budgets_of_one_method_are_two_plans(toy: Toy) -> None:
    plans = [Options("toy", methods=("stl",), trials=trials, sampler="random") for trials in (3, 5)]
    records = by_digest(r for plan in plans for r in campaign(make_plan(plan)))
    found = experiments("toy", records.values(), left_by(*plans))
    assert [each.options.trials for each in found] == [3, 5]


def test_a_failed_trial_is_one_that_is_never_chosen(toy: Toy) -> None:
    plan = Options("toy", settings=("few",), methods=("stl",), trials=5, sampler="random")
    (arm,) = make_plan(plan)
    records = by_digest(campaign([arm]))
    lost = arm.spec(dict.fromkeys(arm.space, 0.02), trial=0)
    assert lost.digest in records
    records[lost.digest] = a_failure(lost)
    (found,) = experiments("toy", records.values(), left_by(plan))
    assert identities(found.arms, records) == identities([arm], records)


@pytest.mark.parametrize("name", ["selected", "test"])
def test_a_result_without_a_metric_of_the_suite_is_refused_by_name(toy: Toy, name: str) -> None:
    final = a_record(a_spec(phase="final", seed=1))
    edits = {"selected": {"epoch": 1, "validation": {"f1": 1.0}}, "test": {"top2": 0.5}}
    with pytest.raises(
        UserError, match=f"run {final.spec.digest} .* has no {name.replace('selected', 'validation')} top1"
    ):
        experiments("toy", [replace(final, **{name: edits[name]})], [])


def test_several_plans_of_one_folder_are_tables_of_their_own_with_titles(toy: Toy) -> None:
    asked: list[dict[str, Any]] = [{}, {"epochs": 7}, {"trials": 4, "sampler": "random"}, {"controls": ("noise",)}]
    plans = [Options("toy", **plan) for plan in asked]
    records = [record for plan in plans for record in campaign(make_plan(plan))]
    found = experiments("toy", records, left_by(*plans))
    assert len(found) == 4
    assert [title(each) for each in found] == [
        "Results of suite toy",
        "Results of suite toy: 7 epochs, the suite's own are 3",
        "Results of suite toy: equal-budget of 4 trials by random",
        "Results of suite toy: with the control noise",
    ]


def title(found: Experiment) -> str:
    suite = found.arms[0].suite
    trials = found.options.trials
    return title_of("toy", found.conditions, suite, asked=found.asked, trials=trials, several_data=False)


def test_a_search_under_way_has_its_whole_grid(toy: Toy) -> None:
    plan = Options("toy", methods=("stl",), settings=("few",))
    arms = make_plan(plan)
    begun = campaign(arms, finals=False)[:2]
    (found,) = experiments("toy", begun, left_by(plan))
    assert found.own
    assert found.arms[0].trials == arms[0].trials
    assert not is_complete(found.arms[0], by_digest(begun))


def test_records_that_no_command_asked_for_are_in_no_table_and_are_told(toy: Toy) -> None:
    mine, theirs = Options("toy", methods=("stl",)), Options("toy", methods=("stl",), grid={"lr": ("0.1", "0.7")})
    records = campaign(make_plan(mine)), campaign(make_plan(theirs))
    everything = by_digest([*records[0], *records[1]])
    (found,) = experiments("toy", everything.values(), left_by(mine))
    assert identities(found.arms, everything) == identities(make_plan(mine), everything)
    left = {record.spec.digest for record in unasked("toy", everything.values(), left_by(mine))}
    assert left == by_digest(records[1]).keys() - by_digest(records[0]).keys()
    assert not unasked("toy", everything.values(), left_by(mine, theirs))
    assert unasked("toy", everything.values(), []) == list(everything.values())
    assert not experiments("toy", everything.values(), [])


def test_what_was_left_for_another_suite_or_setting_or_with_values_that_are_gone_counts_for_nothing(toy: Toy) -> None:
    plan = Options("toy", methods=("stl",), settings=("few",))
    records, (line,) = campaign(make_plan(plan)), left_by(plan)
    for other in (
        replace(line, suite="another"),
        replace(line, methods={"gone": ("stl",)}),
        replace(line, methods={"few": ("gone",)}),
        replace(line, values={"lr": ("a word",)}),
        replace(line, values={"gone": ("1",)}),
        replace(line, values={"stl.gone": ("1",)}),
    ):
        assert not experiments("toy", records, [other])
        assert unasked("toy", records, [other]) == records
    (found,) = experiments("toy", records, [replace(line, methods={"few": ("gone", "stl"), "gone": ("stl",)})])
    assert [(arm.setting, arm.method) for arm in found.arms] == [("few", "stl")]


def test_records_of_methods_that_are_gone_are_passed_over(toy: Toy) -> None:
    gone = [a_record(a_spec(method="gone"))]
    assert not experiments("toy", gone, [])
    assert not unasked("toy", gone, [])
