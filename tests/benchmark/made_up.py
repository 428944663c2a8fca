"""Committed records as findings read them, made up so that every number can be worked out by hand."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.record import Record, Store
from benchmark.spec import Search, Spec

ABOUT = {"device": "a machine", "torch": "9.9", "commit": "1234567890abcdef"}
WHERE: dict[str, Any] = {"device": "a machine", "torch": "9.9", "threads": "1", "commit": "abc", "date": "2026-01-02"}
"""The origin of a row of measurements."""

ORIGIN = "a machine, torch 9.9, 1 thread, commit abc, 2026-01-02"
"""The same in words."""


def a_run(
    method: str,
    seed: int,
    test: Mapping[str, float],
    *,
    suite: str = "digits",
    setting: str = "5-shot",
    phase: Any = "final",
    hyper: Mapping[str, Any] | None = None,
    weight: Sequence[float] = (1.0, 1.0),
    diagnostics: Mapping[str, float] | None = None,
    status: Any = "ok",
    search: Search | None = None,
) -> Record:
    """Return a run of one epoch."""
    spec = Spec(
        suite,
        setting,
        method,
        hyper=tuple(sorted((hyper or {"lr": 0.1}).items())),
        seed=seed,
        phase=phase,
        epochs=1,
        data="data",
        search=search,
    )
    validation = dict(test)
    row = {"epoch": 1, "lr": 0.1, "loss": [1.0] * len(weight), "weight": list(weight), "validation": validation}
    return Record(
        spec=spec,
        status=status,
        reason="" if status == "ok" else "it was not finite",
        tasks=tuple(f"task {number}" for number in range(len(weight))),
        epochs=[{**row, "diagnostics": dict(diagnostics or {})}],
        selected={"epoch": 1, "validation": validation},
        test=dict(test) if phase == "final" and status == "ok" else {},
        timing={"step_sec": 0.1, "train_sec": 1.0, "evaluation_sec": 0.1, "total_sec": 2.0},
        environment=dict(ABOUT),
        finished="2026-11-25T00:00:00+00:00",
    )


def commit(folder: Path, records: Iterable[Record]) -> Path:
    """Write records to a folder and return it."""
    with Store(folder).writing() as store:
        store.append(*records)
    return folder


def rows(table: str) -> list[dict[str, str]]:
    """Return the rows of the first table of a text by the names of its columns."""
    lines = [line for line in table.split("\n\n")[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]
