"""Plans are read from records alone: grids, budgets, lengths, controls and values come back as they were asked for."""

import re
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
from benchmark.plan import Options, departures, make_plan
from benchmark.record import Record
from benchmark.report.absent import Declines, with_absent
from benchmark.report.experiment import Experiment
from benchmark.report.experiments import experiments
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, by_digest
from tests.benchmark.report.campaigns import PLANS, campaign


def identities(arms: Iterable[Arm], records: dict[str, Record]) -> list[object]:
    """Return of each arm what a table depends on: its trials, its choice and its final runs."""
    found = []
    for arm in arms:
        point = choose(arm, records)
        assert point is not None
        found.append((arm.setting, arm.method, arm.trials, [spec.digest for spec in arm.finals(point)]))
    return found


def words_of(text: str) -> list[str]:
    """Return words in some order: in records values that are the suite's own come first."""
    return sorted(re.findall(r"[^\s,;]+", text))


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_comes_back_from_its_records(toy: Toy, plan: dict[str, Any]) -> None:
    arms = make_plan(Options("toy", **plan))
    records = by_digest(campaign(arms))
    (found,) = experiments("toy", records.values())
    assert identities(found.arms, records) == identities(arms, records)
    assert all(is_complete(arm, records) for arm in found.arms)
    assert found.own == (plan in ({}, {"seeds": 5}))
    if "other ranges" not in title(found):  # records have no more than a digest of them
        same = title(replace(found, asked=departures(arms, Options("toy", **plan))))
        assert words_of(same) == words_of(title(found))


def test_a_plan_with_a_pruner_is_filled_with_it(toy: Toy) -> None:
    arms = make_plan(Options("toy", trials=5, sampler="random", pruner="median"))
    records = by_digest(campaign(arms)[:-1])
    pruned = next(r for r in records.values() if r.spec.phase == "search" and r.selected["validation"]["top1"] < 0.5)
    records[pruned.spec.digest] = replace(pruned, status="pruned", reason="a rule")
    (found,) = experiments("toy", records.values())
    assert found.options.pruner == "median"
    assert command_under(found.options, found.arms).endswith(" --sampler random --pruner median")
    assert not is_complete(found.arms[-1], records)


def test_budgets_of_two_draws_are_two_experiments(toy: Toy) -> None:
    plans = [Options("toy", methods=("stl",), trials=5, sampler="random", sampler_seed=seed) for seed in (0, 1)]
    records = by_digest([record for plan in plans for record in campaign(make_plan(plan))])
    found = experiments("toy", records.values())
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
    plan = Options("toy", methods=methods, trials=4, sampler="random", fixed={"lr": "0.1", "weight_decay": "0"})
    small, large = (arm for arm in make_plan(plan) if arm.setting == "few")
    assert (small.trials, large.trials) == (0, 4)
    records = by_digest([*campaign([small]), *campaign([large], finals=ended)])
    (found,) = experiments("toy", records.values())
    assert found.options.trials == 4
    assert [arm.trials for arm in found.arms] == [0, 4]


def test_two_budgets_of_one_method_are_two_plans(toy: Toy) -> None:
    plans = [Options("toy", methods=("stl",), trials=trials, sampler="random") for trials in (3, 5)]
    found = experiments("toy", by_digest(r for plan in plans for r in campaign(make_plan(plan))).values())
    assert [each.options.trials for each in found] == [3, 5]


def test_a_failed_trial_is_one_that_is_never_chosen(toy: Toy) -> None:
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",), trials=5, sampler="random"))
    records = by_digest(campaign([arm]))
    lost = arm.spec(dict.fromkeys(arm.space, 0.02), trial=0)
    assert lost.digest in records
    records[lost.digest] = a_failure(lost)
    (found,) = experiments("toy", records.values())
    assert identities(found.arms, records) == identities([arm], records)


@pytest.mark.parametrize("name", ["selected", "test"])
def test_a_result_without_a_metric_of_the_suite_is_refused_by_name(toy: Toy, name: str) -> None:
    final = a_record(a_spec(phase="final", seed=1))
    edits = {"selected": {"epoch": 1, "validation": {"f1": 1.0}}, "test": {"top2": 0.5}}
    with pytest.raises(
        UserError, match=f"run {final.spec.digest} .* has no {name.replace('selected', 'validation')} top1"
    ):
        experiments("toy", [replace(final, **{name: edits[name]})])


def test_several_plans_of_one_folder_are_tables_of_their_own_with_titles(toy: Toy) -> None:
    plans: list[dict[str, Any]] = [{}, {"epochs": 7}, {"trials": 4, "sampler": "random"}, {"controls": ("noise",)}]
    records = [record for plan in plans for record in campaign(make_plan(Options("toy", **plan)))]
    found = experiments("toy", records)
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


def test_a_method_without_the_hyper_parameter_is_in_both_plans(toy: Toy) -> None:
    plans = [Options("toy", methods=("stl", "dwa")), Options("toy", methods=("dwa",), fixed={"temperature": "3"})]
    own, other = experiments("toy", [record for plan in plans for record in campaign(make_plan(plan))])
    assert own.own
    assert other.asked == {"temperature": (3.0,)}
    assert [arm.method for arm in other.arms] == [arm.method for arm in own.arms] == ["stl", "dwa"] * 2
    assert other.options.fixed == {"temperature": "3.0"}


def test_values_of_one_method_stand_with_its_name_where_the_name_is_something_else_to_another(toy: Toy) -> None:
    for fixed, asked in (
        ({"gradnorm.learning_rate": "0.5"}, {"gradnorm.learning_rate": (0.5,)}),
        ({"learning_rate": "0.5"}, {"learning_rate": (0.5,)}),
        ({"gradnorm.lr": "0.5", "uncertainty.lr": "0.5", "stl.lr": "0.5"}, {"lr": (0.5,)}),
    ):
        options = Options("toy", methods=("stl", "gradnorm", "uncertainty"), fixed=fixed)
        (found,) = experiments("toy", campaign(make_plan(options)))
        assert found.asked == asked
        assert [arm.method for arm in found.arms] == ["stl", "gradnorm", "uncertainty"] * 2


def test_one_rate_of_the_optimiser_for_a_single_method_is_a_plan_of_its_own(toy: Toy) -> None:
    options = Options("toy", methods=("stl", "equal"), fixed={"equal.lr": "0.5"})
    found = experiments("toy", campaign(make_plan(options)))
    assert [[arm.method for arm in each.arms] for each in found] == [["stl"] * 2, ["equal"] * 2]


def test_two_grids_of_one_method_do_not_mix(toy: Toy) -> None:
    plans = [Options("toy", methods=("equal",)), Options("toy", methods=("equal",), grid={"lr": ("0.5", "0.4")})]
    records = by_digest(record for plan in plans for record in campaign(make_plan(plan)))
    own, other = experiments("toy", records.values())
    assert identities(own.arms, records) == identities(make_plan(plans[0]), records)
    assert identities(other.arms, records) == identities(make_plan(plans[1]), records)


def test_a_search_under_way_is_of_the_suites_own_grid(toy: Toy) -> None:
    arms = make_plan(Options("toy", methods=("stl",), settings=("few",)))
    (found,) = experiments("toy", campaign(arms, finals=False)[:2])
    assert found.own
    assert found.arms[0].trials == arms[0].trials
    assert not is_complete(found.arms[0], by_digest(campaign(arms, finals=False)[:2]))


@pytest.mark.parametrize(
    ("ran", "shown"),
    [
        (("stl", "equal"), {"stl", "equal", "gcs", "maxl"}),
        (("stl", "gcs"), {"stl", "equal", "gcs"}),
        (("stl",), {"stl", "equal"}),
    ],
)
def test_methods_that_decline_are_named_where_all_others_have_records(
    ran: tuple[str, ...], shown: set[str], toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    declining = ("gcs", "maxl")
    monkeypatch.setattr("baselines.names", lambda: [*toy.default_methods, *declining])
    monkeypatch.setattr(Declines, "of", lambda _, method: "it does" if method in declining else None)
    (found,) = experiments("toy", campaign(make_plan(Options("toy", methods=ran))))
    arms = with_absent(found)
    assert {arm.method for arm in arms if arm.setting == "few"} == shown
    assert {arm.method for arm in arms if arm.declined} == shown - {*ran, *toy.default_methods}


def test_a_method_with_records_in_one_setting_is_missing_in_the_others(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Declines, "of", lambda *_: None)
    arms = make_plan(Options("toy", methods=("stl", "equal", "rlw")))
    (found,) = experiments("toy", campaign([arm for arm in arms if (arm.method, arm.setting) != ("rlw", "many")]))
    assert {(arm.method, arm.setting) for arm in with_absent(found)} == {(arm.method, arm.setting) for arm in arms}


def test_no_data_are_read(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    records = campaign(make_plan(Options("toy", controls=("noise",))))

    def refuse(*_: object) -> None:
        raise AssertionError("the report read data")

    for name in ("fingerprint", "data", "model", "groups_of"):
        monkeypatch.setattr(Toy, name, refuse)
    assert len(experiments("toy", records)) == 1


def test_records_of_methods_that_are_gone_are_passed_over(toy: Toy) -> None:
    assert not experiments("toy", [a_record(a_spec(method="gone"))])
