"""results/README.md, what one H100 showed."""

from typing import Any

import pytest

from benchmark.findings.runs import RESULTS
from benchmark.pages.cost import hours
from benchmark.pages.facts import facts_of
from benchmark.speed import images, suite_costs
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.prose.page import section

SAID = section("How long the paper's tables take")
NAME = "cub"
HOUR_AIMED_AT = 1.0


def costs(name: str = NAME) -> dict[str, suite_costs.SuiteCost]:
    """Return the measured seconds of a suite's methods on the GPU."""
    found = read(RESULTS / suite_costs.FILE, suite_costs.SuiteCost)
    return {cost.method: cost for cost in found if (cost.suite, cost.kind) == (name, "cuda")}


def taken() -> dict[str, float]:
    """Return the hours of the final runs of each method in the setting that was measured."""
    facts, own = facts_of(NAME), costs()
    arms = [arm for arm in facts.arms if not arm.declined and arm.setting == own[arm.method].setting]
    return {arm.method: hours(facts, [arm], own[arm.method], searched=False) for arm in arms}


def test_the_hour_is_not_reached() -> None:
    found = taken()
    arms = facts_of(NAME).arms
    assert {(arm.epochs, arm.seeds) for arm in arms} == {(100, 3)}
    assert set(found) == {arm.method for arm in arms if not arm.declined}
    assert sum(found.values()) - found["gradnorm"] > HOUR_AIMED_AT
    assert (
        "within an hour on one H100, 100 epochs and three seeds, is what this suite aims at. It is not reached" in SAID
    )


def test_what_costs_the_time() -> None:
    own, found = costs(), taken()
    assert found["gradnorm"] > sum(found.values()) / 2
    tasks = sum(len(group.names) for group in facts_of(NAME).suite.groups_of(own["gradnorm"].setting))
    assert f"`gradnorm` made a backward pass of its own for each of {tasks} tasks in every step" in SAID
    learned = [cost for cost in own.values() if cost.outer_every]
    assert all(2 * cost.step_sec < cost.mean_step_sec for cost in learned)
    assert "Outer steps, in float32, take most of what AuxiLearn's combiners take" in SAID
    others = sum(hour for name, hour in found.items() if name != "gradnorm")
    rates = {row.what: row.value for row in read(RESULTS / images.FILE, Measurement)}
    shorter = rates["images/s, harness, batch 64, bfloat16"]
    assert others * (64 / shorter) / own["equal"].step_sec > HOUR_AIMED_AT
    assert "Counted with the shorter step the other methods would still need more than an hour" in SAID


def test_steps_wait_for_the_processor() -> None:
    found = {row.what: row.value for row in read(RESULTS / images.FILE, Measurement)}
    times = {batch: batch / found[f"images/s, harness, batch {batch}, bfloat16"] for batch in (64, 256)}
    assert times[256] / times[64] == pytest.approx(1.5, abs=0.05)
    assert "four times the pictures take one and a half times as long" in SAID
    assert round(1 / found["share of the limit, harness, batch 64, bfloat16"]) == 16
    assert "a batch of 64 gets a sixteenth of what a large matrix product does" in SAID
    assert found["ratio of harness to bare loop, batch 64, bfloat16"] == pytest.approx(0.9, abs=0.02)
    assert "The bare PyTorch loop is a tenth faster" in SAID
    alone, together = (round(1e3 * seconds) for seconds in (costs()["equal"].step_sec, times[64]))
    assert f"takes {alone} ms here and {together} ms where twenty were timed together" in SAID


def test_how_long_the_unfinished_runs_need() -> None:
    facts, own = facts_of("cifar10"), costs("cifar10")
    (setting,) = {cost.setting for cost in own.values()}
    seconds = 0.0
    for name in ("stl", "maxl-f", "auxilearn"):
        (arm,) = (each for each in facts.arms if (each.method, each.setting) == (name, setting))
        every: Any = arm.space.get("outer_every", (1,))
        step = own[name].step_sec + own[name].outer_step_sec / max(every)
        epoch = facts.steps_per_epoch(arm, holds_out=name == "auxilearn") * step
        seconds += 2 * arm.epochs * (epoch + facts.sizes[setting].validation * own[name].evaluation_sec)
    assert f"the six need {seconds / 60:.0f} minutes by the measured steps" in SAID
