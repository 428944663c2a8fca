"""Records that were edited by hand are refused in one line that says where."""

import hashlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.errors import UserError
from benchmark.record import Record, Store
from benchmark.spec import Search
from tests.benchmark.helpers import a_failure, a_record, a_spec

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
        ("test", {"top1": int(sys.float_info.max) + 1}),
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


SEARCH = {"sampler": "random", "space": "abc", "trial": 3}


@pytest.mark.parametrize(
    "edit",
    [
        *({"seed": value} for value in (0, False, True, -1, 1.5, 1.0, "1", [1], {}, "1\x1b[31m", "1 --storage x")),
        *({"trial": value} for value in (-5, "3", 1.5, True, None)),
        {"trials": 5},
        *({"sampler": value} for value in ("bogus", None, ["tpe"])),
        *({"pruner": value} for value in ("bogus", ["median"])),
        *({"space": value} for value in (5, "a\nb", None)),
    ],
)
def test_edited_searches_are_refused(edit: dict[str, Any], tmp_path: Path) -> None:
    record = a_record(a_spec())
    line = record.to_json()
    for search in (SEARCH, SEARCH | edit):
        spec = line["spec"] | {"search": search}
        canonical = json.dumps(spec, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()[:16]
        (tmp_path / "records.jsonl").write_text(json.dumps({**line, "spec": spec, "digest": digest}) + "\n")
        if search == SEARCH:
            Store(tmp_path).read()
    with pytest.raises(UserError, match=r"records\.jsonl, line 1: not a record") as told:
        Store(tmp_path).read()
    assert "\n" not in str(told.value)
    assert "\x1b" not in str(told.value)


def test_numbers_of_other_libraries_are_numbers() -> None:
    record = replace(a_record(a_spec(phase="final"), test=0.5), test={"top1": np.float64(0.5)})
    assert Record.from_json(record.to_json()).test == {"top1": 0.5}


def test_a_run_without_a_result_needs_no_epochs(tmp_path: Path) -> None:
    values = a_failure(a_spec(), "it broke").to_json()
    del values["epochs"]
    store = Store(tmp_path)
    store.path.write_text(json.dumps(values) + "\n")
    store.read(failed=True)
    (record,) = store.records.values()
    assert list(record.epochs) == record.to_json()["epochs"] == []


def test_a_final_run_has_no_trial(tmp_path: Path) -> None:
    search = Search("random", "abc", trials=5)
    for each, good in ((search, True), (replace(search, trial=1), False), (replace(search, trials=None), False)):
        record = a_record(a_spec(phase="final", search=each))
        (tmp_path / "records.jsonl").write_text(json.dumps(record.to_json()) + "\n")
        if good:
            Store(tmp_path).read()
        else:
            with pytest.raises(UserError, match="a search run has the number of its trial"):
                Store(tmp_path).read()
