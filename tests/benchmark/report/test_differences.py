"""Two records of one run: every field of a result counts, what a machine and a day add does not."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from benchmark.record import Record
from benchmark.report.differences import ROUNDING, difference
from tests.benchmark.helpers import a_failure, a_record, a_spec

HERE = {"device": "a machine", "torch": "2.14.0", "threads": 1, "commit": "a"}
ROW = {
    "epoch": 1,
    "lr": 0.1,
    "loss": [1.0, 2.0, 3.0],
    "weight": [1.0, 0.5, None],
    "diagnostics": {"hypergradient_norm": 0.5, "clipped": None},
    "validation": {"top1": 0.5, "top2": 0.75},
}
RECORD = a_record(a_spec(phase="final", seed=1), environment=HERE, epochs=[ROW, {**ROW, "epoch": 2}])

OF_THE_MACHINE = {
    "timing": {"step_sec": 9.0},
    "memory": {"peak_bytes": 7.0},
    "environment": {**HERE, "commit": "b"},
    "finished": "2026-01-01T00:00:00+00:00",
    "attempts": 2,
    "reason": "a worker died",
}


def with_row(epoch: int, **changes: Any) -> Record:
    rows = [dict(row) for row in RECORD.epochs]
    rows[epoch - 1] |= changes
    return replace(RECORD, epochs=rows)


def elsewhere(record: Record) -> Record:
    return replace(record, environment={**HERE, "device": "another machine"})


CONFLICTS: list[tuple[Record, str]] = [
    (replace(RECORD, test={"top1": 0.25, "top2": 0.5}), "test top1 is 0.5 and 0.25"),
    (replace(RECORD, test={"top1": 0.5}), "test top2 is 0.5 and absent"),
    (replace(RECORD, selected={**RECORD.selected, "epoch": 2}), "selected epoch is 1 and 2"),
    (
        replace(RECORD, selected={"epoch": 1, "validation": {"top1": 0.5, "top2": 0.25}}),
        "selected validation top2 is 0.5 and 0.25",
    ),
    (replace(RECORD, status="diverged"), "status is ok and diverged"),
    (with_row(1, loss=[1.0, 2.5, 3.0]), "epoch 1: loss side is 2.0 and 2.5"),
    (with_row(2, weight=[1.0, 0.5, 0.0]), "epoch 2: weight value is None and 0.0"),
    (with_row(2, validation={"top1": 0.5, "top2": 0.5}), "epoch 2: validation top2 is 0.75 and 0.5"),
    (with_row(2, lr=0.2), "epoch 2: lr is 0.1 and 0.2"),
    (
        with_row(1, diagnostics={"hypergradient_norm": 0.6, "clipped": None}),
        "epoch 1: diagnostics hypergradient_norm is 0.5 and 0.6",
    ),
    (replace(RECORD, epochs=RECORD.epochs[:1]), "epoch 2: epoch is 2 and absent"),
    (replace(RECORD, tasks=("main", "side", "other")), "task 3 is value and other"),
]


@pytest.mark.parametrize("place", [lambda record: record, elsewhere], ids=["here", "elsewhere"])
@pytest.mark.parametrize(("other", "text"), CONFLICTS, ids=[text for _, text in CONFLICTS])
def test_a_result_that_differs_is_named(other: Record, text: str, place: Callable[[Record], Record]) -> None:
    assert difference(RECORD, place(other)) == text


@pytest.mark.parametrize("name", OF_THE_MACHINE)
def test_what_a_machine_and_a_day_add_may_differ(name: str) -> None:
    other = replace(RECORD, **{name: OF_THE_MACHINE[name]})
    assert getattr(other, name) != getattr(RECORD, name)
    assert difference(RECORD, other) == ""


def test_every_field_of_a_record_is_either_compared_or_of_the_machine() -> None:
    compared = {"test", "selected", "status", "tasks", "epochs"}
    assert {field.name for field in fields(Record)} == {"spec", *compared, *OF_THE_MACHINE}


@pytest.mark.parametrize("name", ["device", "torch", "threads"])
def test_rounding_counts_on_one_kind_of_machine_alone(name: str) -> None:
    near = with_row(2, loss=[1.0, 2.0 * (1 + ROUNDING / 2), 3.0])
    assert difference(RECORD, near).startswith("epoch 2: loss side is 2.0 and 2.00001")
    assert difference(RECORD, replace(near, environment={**HERE, name: "other"})) == ""
    far = with_row(2, loss=[1.0, 2.0 * (1 + ROUNDING * 2), 3.0])
    assert difference(RECORD, replace(far, environment={**HERE, name: "other"})).startswith("epoch 2: loss side")


def test_one_sample_more_of_ten_thousand_is_no_rounding() -> None:
    other = replace(RECORD, test={"top1": 0.5001, "top2": 0.5})
    assert difference(RECORD, elsewhere(other)) == "test top1 is 0.5 and 0.5001"


def test_a_failure_is_in_conflict_with_nothing() -> None:
    failure = a_failure(RECORD.spec)
    assert difference(failure, RECORD) == difference(RECORD, failure) == ""
