"""Runs as the page lists them, the searches they belong to, and where they come from."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.arm import Arm
from benchmark.campaign import choose, search_records
from benchmark.record import Record
from benchmark.report.page.source import Line
from benchmark.tables.sheet import MIB


def run(record: Record, line: Line | None, names: Mapping[Path, Path], *, counts: bool) -> dict[str, Any]:
    """Return a run as a line of the list of runs.

    Args:
        record: The run's.
        line: Where it stands.
        names: How the page names files.
        counts: Whether the table or a search behind it uses the run.
    """
    spec = record.spec
    peak = record.memory.get("peak_bytes")
    return {
        "digest": spec.digest,
        "method": spec.method,
        "setting": spec.setting,
        "phase": spec.phase,
        "seed": spec.seed,
        "hyper": hyper(record),
        "status": record.status,
        "reason": record.reason,
        "epoch": record.selected.get("epoch"),
        "validation": record.selected.get("validation", {}),
        "test": record.test,
        "step_sec": record.timing.get("step_sec"),
        "peak_mib": None if peak is None else peak / MIB,
        "finished": record.finished,
        "counts": counts,
        "file": str(names[line.path]) if line else None,
        "line": line.number if line else None,
    }


def hyper(record: Record) -> dict[str, str]:
    """Return the hyper-parameters of a run as text by name."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in record.spec.hyper}


def search(arm: Arm, records: Mapping[str, Record], index: Mapping[str, int]) -> dict[str, Any]:
    """Return the search of an arm: the place of each trial in the list of runs, -1 for a missing one, and the choice.

    Args:
        arm: One that does not decline.
        records: Records by digest.
        index: Places in the list of runs, by digest.
    """
    found = search_records(arm, records)
    point = choose(arm, records)
    at_point = [bool(point) and r is not None and point.items() <= dict(r.spec.hyper).items() for r in found]
    return {
        "setting": arm.setting,
        "method": arm.method,
        "trials": [-1 if record is None else index[record.spec.digest] for record in found],
        "chosen": at_point.index(True) if True in at_point else -1,
    }


def provenance(records: Sequence[Record], protocol: int) -> list[dict[str, Any]]:
    """Return commits, versions, machines and dates of runs, each value with the number of runs that have it."""
    facts: list[dict[str, Any]] = [{"label": "protocol", "values": [str(protocol)]}]
    facts += _fact("runs", [f"{record.spec.phase}, {record.status}" for record in records])
    facts += _fact("data", [record.spec.data for record in records])
    for name in dict.fromkeys(name for record in records for name in record.environment):
        facts += _fact(name, [str(r.environment[name]) for r in records if name in r.environment])
    days = sorted(record.finished for record in records if record.finished)
    return [*facts, {"label": "finished", "values": [f"{days[0]} to {days[-1]}"]}] if days else facts


def _fact(label: str, values: Iterable[str]) -> list[dict[str, Any]]:
    found = Counter(values)
    texts = [f"{value} ({count} {'run' if count == 1 else 'runs'})" for value, count in found.items()]
    return [{"label": label, "values": texts}] if found else []
