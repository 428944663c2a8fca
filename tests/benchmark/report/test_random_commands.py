"""Whatever commands are given: each is shown whole, nothing that none asked for, and no final run is lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.campaign import choose
from benchmark.plan import make_plan
from benchmark.report.experiments import experiments, unasked
from tests.benchmark.helpers import Toy, by_digest
from tests.benchmark.report.campaigns import after, asked, bare, finished

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.sampled_from([("0.3",), ("0.1",), ("0.3", "0.1"), ("0.1", "0.01")]),
        "gradnorm.lr": st.sampled_from([("0.5",), ("0.1", "0.01")]),
        "alpha": st.sampled_from([("0.5",), ("1.5",)]),
        "gradnorm.alpha": st.sampled_from([("0.5",), ("0.7", "0.9")]),
        "temperature": st.just(("3",)),
    },
)


COMMANDS = st.fixed_dictionaries(
    {
        "methods": st.lists(st.sampled_from(["stl", "equal", "dwa"]), unique=True).map(lambda it: (*it, "gradnorm")),
        "settings": st.sampled_from([("few",), ("many",), ("few", "many")]),
        "seeds": st.sampled_from([1, 3]),
        "grid": VALUES,
    },
    optional={"epochs": st.just(7), "trials": st.just(3), "sampler": st.just("random")},
)


def reach(one: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> bool:
    """Return whether all of one are among the other."""
    return all(each in other for each in one)


def allowed(command: dict[str, Any]) -> dict[str, Any]:
    """Return a command that is not refused, as every value is of one of its methods."""
    if "temperature" in command["grid"] and "dwa" not in command["methods"]:
        command = {**command, "methods": (*command["methods"], "dwa")}
    return {"sampler": "tpe", **command} if "trials" in command else {**command, "sampler": "tpe"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(commands=st.lists(COMMANDS, min_size=1, max_size=4))
def test_each_command_is_shown_whole_and_nothing_that_none_asked_for(toy: Toy, commands: list[dict[str, Any]]) -> None:
    plans = list(map(allowed, commands))
    arms = [bare(asked(plan)[0]) for plan in plans]
    found, _ = after(*plans)
    shown = [bare(each.arms) for each in found]
    assert all(any(reach(mine, plan) for plan in shown) for mine in arms)
    assert all(reach(plan, [arm for mine in arms for arm in mine]) for plan in shown)
    for each, plan in zip(found, shown, strict=True):
        names = tuple(dict.fromkeys(arm.method for arm in each.arms))
        assert reach(plan, bare(make_plan(replace(each.options, methods=names)))), "one command asks for all of it"
        others = [other for other in shown if other is not plan]
        assert each.own or not any(reach(plan, other) for other in others)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(commands=st.lists(st.tuples(COMMANDS, st.booleans()), min_size=1, max_size=3))
def test_records_whose_command_is_not_known_change_no_table_and_are_told(
    toy: Toy, commands: list[tuple[dict[str, Any], bool]]
) -> None:
    made = [(*asked(allowed(command)), known) for command, known in commands]
    records = by_digest(record for arms, _, _ in made for record in finished(arms))
    mine = by_digest(record for arms, _, known in made if known for record in finished(arms))
    lines = [planned for _, planned, known in made if known]
    found, alone = (experiments("toy", some.values(), lines) for some in (records, mine))
    assert [bare(each.arms) for each in found] == [bare(each.arms) for each in alone]
    shown = {spec.digest for each in found for arm in each.arms for spec in arm.finals(choose(arm, records) or {})}
    told = {record.spec.digest for record in unasked("toy", records.values(), lines)}
    finals = {digest for digest, record in records.items() if record.spec.phase == "final"}
    assert shown == mine.keys() & finals
    assert finals - shown == told & finals
    assert told == records.keys() - mine.keys()
