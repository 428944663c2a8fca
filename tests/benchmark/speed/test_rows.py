"""Files of measurements: what several processes add at once, and whose rows a page shows."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.speed import rows
from benchmark.speed.costs import Cost
from tests.benchmark.made_up import WHERE


def test_what_is_added_at_once_is_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = tmp_path / "speed/methods.csv", rows.read

    def slow(*words: Any) -> list[Cost]:
        found = read(*words)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(rows, "read", slow)
    costs = [Cost(number, "gcs", "", **WHERE) for number in range(8)]
    with ThreadPoolExecutor(len(costs)) as pool:
        list(pool.map(lambda cost: rows.add(path, [cost], Cost), costs))
    assert read(path, Cost) == costs


def test_the_newest_are_those_of_the_machine_that_measured_last() -> None:
    old = [Cost(number, "gcs", "", **{**WHERE, "date": "2026-01-09"}) for number in (2, 12)]
    there = [replace(cost, device="another machine") for cost in old]
    assert rows.newest([*old, replace(there[0], date="2026-01-10"), there[1]]) == [
        replace(there[0], date="2026-01-10"),
        there[1],
    ]
