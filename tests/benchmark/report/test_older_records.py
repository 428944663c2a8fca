"""Records that no command is known to have asked for stand beside those of commands, and none hides another."""

from dataclasses import replace

from benchmark.campaign import choose, is_complete
from benchmark.report.experiments import experiments
from tests.benchmark.helpers import Toy, by_digest
from tests.benchmark.report.campaigns import after, asked, bare, campaign, finished


def test_records_without_a_command_are_read_as_before(toy: Toy) -> None:
    found, _ = after({}, {"epochs": 7}, known=False)
    assert [each.known for each in found] == [False] * 2


def test_a_command_goes_on_with_records_that_have_none(toy: Toy) -> None:
    old, new = asked({"methods": ("stl",)}), asked({"methods": ("equal",)})
    records = by_digest([*campaign(old[0]), *campaign(new[0])])
    (found,) = experiments("toy", records.values(), [new[1]])
    assert found.own
    assert not found.known
    assert [arm.method for arm in found.arms] == ["stl", "equal"] * 2
    assert {arm.seeds for arm in found.arms} == {2}


def test_a_shorter_command_hides_no_run_of_an_older_one(toy: Toy) -> None:
    old, new = asked({"methods": ("stl", "equal"), "seeds": 5}), asked({"methods": ("stl",), "seeds": 1})
    records = by_digest(finished(old[0]))
    (found,) = experiments("toy", records.values(), [new[1]])
    assert {arm.seeds for arm in found.arms} == {5}
    assert all(is_complete(arm, records) for arm in found.arms)


def test_older_records_are_in_no_table_of_a_command_that_did_not_make_them(toy: Toy) -> None:
    fixed = {"weight_decay": "0.01", "lr": "0.3"}
    old, new = (
        asked({"methods": ("stl", "equal"), "seeds": 5}),
        asked({"methods": ("stl",), "seeds": 1, "fixed": fixed}),
    )
    records = by_digest([*finished(old[0]), *finished(new[0])])
    own, other = experiments("toy", records.values(), [new[1]])
    assert own.own
    assert {arm.seeds for arm in own.arms} == {5}
    assert [(arm.method, arm.seeds) for arm in other.arms] == [("stl", 1)] * 2
    assert other.known
    assert all(is_complete(arm, records) for each in (own, other) for arm in each.arms)


def test_older_final_runs_at_another_point_of_a_grid_are_shown(toy: Toy) -> None:
    new = asked({"methods": ("stl",), "settings": ("few",)})
    records = by_digest(finished(new[0]))
    chosen = choose(new[0][0], records)
    point = next(each for each in new[0][0].points() if each != chosen)
    texts = {name: str(value) for name, value in point.items()}
    old = finished(asked({"methods": ("stl",), "settings": ("few",), "fixed": texts})[0])
    records = by_digest([*old, *records.values()])
    own, other = experiments("toy", records.values(), [new[1]])
    assert own.known
    (arm,) = other.arms
    assert arm.finals(choose(arm, records) or {}) == [record.spec for record in old]


def test_a_value_that_the_method_no_longer_takes_loses_no_record(toy: Toy) -> None:
    arms, planned = asked({"methods": ("dwa",), "fixed": {"temperature": "3"}})
    wrong = replace(planned, values={"temperature": ("warm",)})
    (found,) = experiments("toy", campaign(arms), [wrong])
    assert found.asked == {"temperature": (3.0,)}
    assert not found.known


def test_a_method_or_setting_that_is_gone_is_passed_over(toy: Toy) -> None:
    arms, planned = asked({"methods": ("stl",), "settings": ("few",)})
    methods = {"few": ("gone", "stl"), "never": ("stl",)}
    (found,) = experiments("toy", campaign(arms), [replace(planned, methods=methods)])
    assert bare(found.arms) == bare(arms)


def test_what_other_suites_were_asked_is_not_ours(toy: Toy) -> None:
    arms, planned = asked({"methods": ("stl",)})
    (found,) = experiments("toy", campaign(arms), [replace(planned, suite="another")])
    assert not found.known
