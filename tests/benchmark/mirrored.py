"""Records mirrored as a command does, and what files of W&B hold: LevelDB-log frames of protobuf records."""

import contextlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from wandb.proto import wandb_internal_pb2 as pb

from benchmark.record import Record
from benchmark.tracking import Mirror, Mode

BLOCK, FIRST = 32768, (1, 4)  # 1 is a full record, 2 the first part of one, 3 a middle, 4 the last


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the records of a LevelDB log after the 7 bytes of W&B's own header."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        room = BLOCK - at % BLOCK
        if room < 7:
            at += room
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in FIRST:
            yield whole
            whole = b""


def messages(path: Path) -> Iterator[Any]:
    """Yield the protobuf records of a file of W&B."""
    for frame in frames(path.read_bytes()):
        record: Any = getattr(pb, "Record")()  # noqa: B009
        record.ParseFromString(frame)
        yield record


def tells(path: Path, word: str) -> bool:
    """Return whether a file has this word: a short one only among others, for in checksums it is there by chance."""
    if len(word) > 6:
        return word.encode() in path.read_bytes()
    text = "\n".join(map(str, messages(path))) if path.suffix == ".wandb" else path.read_text()
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def read(path: Path) -> dict[str, Any]:
    """Return the run, its config, its history by step and its summary."""
    found: dict[str, Any] = {"config": {}, "history": {}, "summary": {}}
    for record in messages(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found["run"] = record.run
            found["config"] = {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "history":
            row = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            found["history"][record.history.step.num] = row
        elif kind == "summary":
            pairs = ((item.key or "/".join(item.nested_key), item.value_json) for item in record.summary.update)
            found["summary"] |= {key: json.loads(value) for key, value in pairs}
    return found


def mirror(folder: Path, *records: Record, mode: Mode = "offline") -> None:
    """Mirror as a command does: what is recorded first, then what it adds."""
    with Mirror(folder, mode) as given:
        given.catch_up(records[:1])
        for record in records[1:]:
            given.add(record)


def files(folder: Path) -> list[Path]:
    """Return the files of W&B below a folder."""
    return sorted(folder.rglob("*.wandb"))


def ids(folder: Path) -> list[str]:
    """Return the ids of the runs that have a whole file, to its record of the end."""
    found = []
    for path in files(folder):
        kinds = []
        with contextlib.suppress(DecodeError):  # of a frame that was cut off
            kinds.extend(record.WhichOneof("record_type") for record in messages(path))
        if "exit" in kinds:
            found.append(read(path)["run"].run_id)
    return sorted(found)
