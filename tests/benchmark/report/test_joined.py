"""A report shows what commands asked for: each of them whole, nothing that none asked for, joined where one can be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.campaign import is_complete
from benchmark.fill import command_under
from benchmark.plan import Options, departures, make_plan
from benchmark.published import COLUMNS
from benchmark.report.experiments import experiments
from benchmark.report.paper import paper_tables
from benchmark.report.reading import Found
from benchmark.report.suites import names_of, plans_of
from tests.benchmark.helpers import Toy, by_digest
from tests.benchmark.report.campaigns import PLANS, after, asked, bare, campaign, finished


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_command_comes_back_as_it_was(toy: Toy, plan: dict[str, Any]) -> None:
    (found,), records = after(plan)
    arms, _ = asked(plan)
    assert bare(found.arms) == bare(arms)
    assert [arm.seeds for arm in found.arms] == [arm.seeds for arm in arms]
    assert found.asked == departures(arms, Options("toy", **plan))
    assert found.own == (plan in ({}, {"seeds": 5}))
    again = replace(found.options, methods=tuple(dict.fromkeys(arm.method for arm in arms)))
    assert bare(make_plan(again)) == bare(arms)
    assert all(is_complete(arm, records) for arm in found.arms)


def test_fewer_final_runs_than_the_suite_has_are_not_missing(toy: Toy) -> None:
    plans = [{"methods": ("stl",), "seeds": 1}, {"methods": ("equal",), "seeds": 5}]
    (found,), records = after(*plans)
    assert {arm.method: arm.seeds for arm in found.arms} == {"stl": 1, "equal": 5}
    commands = [asked(plan)[1] for plan in plans]
    (table,) = plans_of("toy", records, planned=commands, results_dir=Path("some"))
    assert {row.state for row in table.results.rows} == {"measured"}
    assert "final runs with new seeds (1 of stl; 5 of equal)" in table.results.caption


def test_a_cell_is_filled_with_the_number_of_runs_that_its_command_had(toy: Toy) -> None:
    plans = [{"methods": ("stl",), "seeds": 1}, {"methods": ("equal",), "seeds": 5}]
    commands = [asked(plan) for plan in plans]
    records = by_digest(campaign(commands[0][0]) + campaign(commands[1][0])[:-1])
    (table,) = plans_of("toy", records, planned=[each for _, each in commands], results_dir=Path("some"))
    (note,) = table.results.notes
    assert "1 of 5 final runs missing" in note.text
    assert note.command == (
        "python -m benchmark.run --suite toy --settings many --methods equal --seeds=5 --results-dir=some"
    )


def test_the_most_final_runs_count_that_any_command_had(toy: Toy) -> None:
    (found,), _ = after({"methods": ("stl",), "seeds": 3}, {"methods": ("stl", "equal")})
    assert {arm.method: arm.seeds for arm in found.arms} == {"stl": 3, "equal": 2}
    assert found.options.seeds == 3


def test_one_rate_for_a_single_method_is_a_part_of_its_plan(toy: Toy) -> None:
    (found,), _ = after({"methods": ("stl", "equal"), "fixed": {"lr": "0.3", "equal.lr": "0.1"}})
    assert found.asked == {"lr": (0.3,), "equal.lr": (0.1,)}
    assert [arm.method for arm in found.arms] == ["stl", "equal"] * 2
    assert command_under(found.options, found.arms).endswith(" --set=lr=0.3 --set=equal.lr=0.1")


def test_a_method_given_the_suites_own_values_beside_others_keeps_them(toy: Toy) -> None:
    (found,), _ = after({"methods": ("stl", "equal"), "fixed": {"lr": "0.3"}, "grid": {"equal.lr": ("0.1", "0.01")}})
    assert {arm.method: arm.space.get("lr") for arm in found.arms} == {"stl": None, "equal": (0.1, 0.01)}


def test_the_suites_own_plan_stays_beside_one_that_has_all_of_it(toy: Toy) -> None:
    (own, other), _ = after({"methods": ("stl", "equal")}, {"methods": ("gradnorm",), "fixed": {"alpha": "0.5"}})
    assert own.own
    assert [arm.method for arm in own.arms] == ["stl", "equal"] * 2
    assert other.asked == {"alpha": (0.5,)}
    assert [arm.method for arm in other.arms] == ["stl", "equal", "gradnorm"] * 2


RATE = {"lr": "0.3"}


ONE_VALUE_EACH: list[dict[str, Any]] = [
    {"methods": ("stl", "equal"), "fixed": RATE},
    {"methods": ("dwa",), "fixed": {**RATE, "dwa.temperature": "3"}},
    {"methods": ("gradnorm",), "fixed": {**RATE, "gradnorm.alpha": "0.5"}},
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_commands_whose_values_agree_are_one_plan(toy: Toy, order: tuple[int, ...]) -> None:
    found, _ = after(*(ONE_VALUE_EACH[number] for number in order))
    assert [{arm.method for arm in each.arms} for each in found] == [{"stl", "equal", "dwa", "gradnorm"}]
    assert found[0].asked == {"lr": (0.3,), "dwa.temperature": (3.0,), "gradnorm.alpha": (0.5,)}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (3, 1, 2, 0)])
def test_commands_that_could_be_joined_in_several_ways_are_not(toy: Toy, order: tuple[int, ...]) -> None:
    plans = [*ONE_VALUE_EACH, {"methods": ("dwa",), "fixed": {**RATE, "dwa.temperature": "5"}}]
    found, _ = after(*(plans[number] for number in order))
    shown = {names_of([each])[0]: {arm.method for arm in each.arms} for each in found}
    assert shown == {
        "with lr 0.3, dwa.temperature 3.0": {"stl", "equal", "dwa"},
        "with lr 0.3, dwa.temperature 5.0": {"stl", "equal", "dwa"},
        "with lr 0.3, gradnorm.alpha 0.5": {"stl", "equal", "gradnorm"},
    }


def test_grids_that_share_points_stay_apart(toy: Toy) -> None:
    plans: list[dict[str, Any]] = [
        {"methods": ("stl",), "grid": {"lr": ("0.3", "0.2")}},
        {"methods": ("stl",), "grid": {"lr": ("0.2", "0.1")}},
        {"methods": ("stl",), "fixed": {"lr": "0.2"}},
    ]
    found, records = after(*plans)
    assert [each.asked["lr"] for each in found] == [(0.3, 0.2), (0.2, 0.1), (0.2,)]
    assert all(is_complete(arm, records) for each in found for arm in each.arms)


def test_the_order_of_a_grid_is_kept_as_it_says_which_of_equals_is_chosen(toy: Toy) -> None:
    (found,), _ = after({"methods": ("stl",), "grid": {"lr": ("0.01", "0.1")}})
    assert found.arms[0].space["lr"] == (0.01, 0.1)


@pytest.mark.parametrize("ended", [True, False])
def test_a_budget_that_a_larger_one_went_on_with_is_shown_where_it_came_to_its_end(toy: Toy, ended: bool) -> None:
    small, large = (asked({"methods": ("stl",), "trials": trials, "sampler": "random"}) for trials in (3, 5))
    records = by_digest([*campaign(small[0], finals=ended), *campaign(large[0])])
    found = experiments("toy", records.values(), [small[1], large[1]])
    assert [each.options.trials for each in found] == ([3, 5] if ended else [5])


def test_a_search_under_way_is_no_part_of_a_larger_one_of_another_method(toy: Toy) -> None:
    large = asked({"methods": ("equal",), "trials": 5, "sampler": "random"})
    small = asked({"methods": ("stl",), "trials": 3, "sampler": "random", "seeds": 1})
    records = by_digest([*finished(large[0]), *[r for r in finished(small[0]) if r.spec.phase == "search"][:2]])
    found = experiments("toy", records.values(), [large[1], small[1]])
    assert [each.options.trials for each in found] == [5, 3]


def test_a_budget_is_filled_as_it_was_asked_for(toy: Toy) -> None:
    fixed = {"lr": "0.1", "weight_decay": "0"}
    (found,), _ = after({"methods": ("stl", "dwa"), "trials": 4, "sampler": "random", "fixed": fixed})
    small = [arm for arm in found.arms if arm.method == "stl"]
    assert [arm.trials for arm in small] == [0, 0]
    assert " --protocol equal-budget --trials 4 " in command_under(found.options, small)


def test_the_suites_own_weight_of_single_tasks_is_no_range(toy: Toy) -> None:
    values = {"lr": "0.3", "weight_decay": "0", "task_weights": "equal"}
    (found,), _ = after({"methods": ("scalarization",), "trials": 2, "sampler": "random", "fixed": values})
    assert found.asked["task_weights"] == ("equal",)


def test_a_value_that_other_methods_cannot_take_is_not_theirs(toy: Toy) -> None:
    one: dict[str, Any] = {"methods": ("auxilearn-linear",), "grid": {"alpha": ("none", "0.5")}}
    found, _ = after(one, {"methods": ("gradnorm",)})
    assert [{arm.method for arm in each.arms} for each in found] == [{"gradnorm"}, {"auxilearn-linear"}]


def test_joined_plans_that_are_the_same_are_shown_once(toy: Toy) -> None:
    found, _ = after(
        {"methods": ("stl", "equal", "dwa"), "fixed": {**RATE, "dwa.temperature": "3"}},
        {"methods": ("gradnorm",), "fixed": {**RATE, "gradnorm.alpha": "0.5"}},
        {"methods": ("stl", "equal", "dwa", "gradnorm"), "fixed": {**RATE, "temperature": "3", "alpha": "0.5"}},
    )
    assert [len(each.arms) for each in found] == [8]


def test_values_of_a_budget_that_are_the_suites_own_are_no_range(toy: Toy) -> None:
    (found,), records = after({"methods": ("stl",), "trials": 3, "sampler": "random", "grid": {"lr": ("0.1", "0.01")}})
    assert found.asked == {"lr": (0.1, 0.01)}
    assert not found.own
    assert all(is_complete(arm, records) for arm in found.arms)


def test_a_command_without_records_is_passed_over_and_a_part_of_one_is_missing(toy: Toy) -> None:
    begun, never = asked({}), asked({"epochs": 7})
    records = by_digest(campaign([arm for arm in begun[0] if arm.method == "stl" and arm.setting == "few"])[:1])
    (found,) = experiments("toy", records.values(), [begun[1], never[1]])
    assert bare(found.arms) == bare(begun[0])


def test_methods_that_nobody_asked_for_are_not_missing(toy: Toy) -> None:
    (found,), _ = after({"methods": ("stl",), "settings": ("few",)})
    assert [(arm.method, arm.setting) for arm in found.arms] == [("stl", "few")]


def test_a_method_that_declined_says_why(toy: Toy) -> None:
    arms, planned = asked({"methods": ("stl", "maxl"), "settings": ("few",)})
    reason = arms[1].declined
    assert reason
    (found,) = experiments("toy", campaign(arms[:1]), [planned])
    assert [arm.declined for arm in found.arms] == [None, reason]


def test_no_data_are_read(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    arms, planned = asked({"controls": ("noise",), "fixed": {"lr": "0.3"}})

    def refuse(*_: object) -> None:
        raise AssertionError("the report read data")

    for name in ("fingerprint", "data", "model", "groups_of"):
        monkeypatch.setattr(Toy, name, refuse)
    assert len(experiments("toy", campaign(arms), [planned])) == 1


def test_the_papers_tables_ask_for_the_final_runs_that_the_suite_has(toy: Toy, tmp_path: Path) -> None:
    arms, planned = asked({"methods": ("stl",), "seeds": 1})
    lines = [f"toy,{setting},{method},top1,50,1,3" for setting in toy.settings for method in toy.default_methods]
    (tmp_path / "table.csv").write_text("\n".join([",".join(COLUMNS), *lines]))
    found = {"toy": Found(by_digest(finished(arms)), [planned])}
    options: dict[str, Any] = {"seed": 0, "results_dir": Path("some"), "sample": False, "folder": tmp_path}
    (table,) = paper_tables(found, **options)
    assert {(row.method, row.state) for row in table.results[0].rows} == {("stl", "partial"), ("equal", "missing")}
    assert {note.text.partition(";")[0] for note in table.notes} == {
        "1 of 2 final runs missing",
        "2 of 2 final runs missing",
    }
    assert not any("--seeds" in note.command for note in table.notes), "the suite's own number"
