"""Records that were edited by hand are refused in one line that says where."""

import json
import math
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.record import Store
from tests.benchmark.helpers import a_record, a_spec

ROW = a_record().epochs[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "great"),
        ("selected", {}),
        ("selected", {"epoch": 1, "validation": {"score": "abc"}}),
        ("test", {}),
        ("test", {"score": None}),
        ("test", {"top1": True}),
        ("test", {"top1": math.nan}),
        ("test", {"top1": 10**400}),
        ("timing", {}),
        ("timing", {"step_sec": math.inf}),
        ("timing", {"step_sec": True}),
        ("timing", {"step_sec": 1.0, "train_sec": None}),
        ("memory", None),
        ("memory", {"peak_bytes": "1 GiB"}),
        ("memory", {"peak_bytes": None}),
        ("tasks", []),
        ("tasks", ["main"]),
        ("tasks", None),
        ("finished", None),
        ("finished", 2026),
        ("attempts", 0),
        ("attempts", 1.5),
        ("attempts", True),
        ("attempts", None),
        ("epochs", []),
        ("epochs", None),
        ("epochs", [ROW | {"validation": None}]),
        ("epochs", [ROW | {"validation": {"top1": None, "top2": 0.5}}]),
        ("epochs", [ROW | {"validation": {"top2": 0.5}}]),
        ("epochs", [ROW, {key: ROW[key] for key in ROW if key != "validation"}]),
        ("epochs", [ROW | {"loss": None}]),
        ("epochs", [ROW | {"weight": None}]),
        ("epochs", [ROW | {"loss": [1.0, 2.0]}]),
        ("epochs", [ROW | {"weight": [1.0, 0.5, 0.25, 0.0]}]),
        ("epochs", [ROW | {"weight": [1.0, 0.5, "0"]}]),
    ],
)
def test_edited_results_are_refused(key: str, value: object, tmp_path: Path) -> None:
    with Store(tmp_path).writing() as store:
        store.append(a_record(a_spec(phase="final")))
    line = json.loads(store.path.read_text())
    store.path.write_text(json.dumps({**line, key: value}) + "\n")
    with pytest.raises(UserError, match=r"records\.jsonl, line 1: not a record") as told:
        Store(tmp_path).read()
    assert "\n" not in str(told.value)
