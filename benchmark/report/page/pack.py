"""What a page carries compressed: JSON that is safe inside a script element, deflate in base64, exact float32."""

import base64
import json
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

BUDGET = 7_900_000
"""Bytes of a page, at most; records that do not fit are left out and named."""

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_json(value: Any) -> str:
    """Return JSON that no HTML parser takes for markup wherever it stands in a script element.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, escape in _UNSAFE.items():
        text = text.replace(letter, escape)
    return text


def deflate(text: str) -> str:
    """Return `text` as base64 of its zlib stream, which browsers call `deflate`."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def packed_record(line: bytes) -> str:
    """Return a line of records compressed, with losses and weights that are float32 written as such, without loss."""
    values = json.loads(line)
    for row in values["epochs"]:
        row |= {key: _as_float32(row[key]) for key in ("loss", "weight") if key in row}
    return deflate(json.dumps(values, allow_nan=False, separators=(",", ":")))


def packed_records(lines: Iterable[tuple[str, bytes]], room: int) -> dict[str, str]:
    """Return as many records by digest, compressed, as fit into `room` bytes of JSON.

    Args:
        lines: Digests and lines, those that matter most first.
        room: Bytes.
    """
    found: dict[str, str] = {}
    for digest, line in lines:
        text = packed_record(line)
        room -= len(text) + len(digest) + len('"":"",')
        if room < 0:
            break
        found[digest] = text
    return found


def _as_float32(values: Any) -> Any:
    """Return numbers that are all exactly float32 as `{"f32": [...]}`, each in its shortest digits; others as are.

    Networks compute in float32, which has 9 digits where the float64 of the same value has 17.
    """
    if not isinstance(values, list) or not all(value is None or isinstance(value, float) for value in values):
        return values
    numbers = np.array([0.0 if value is None else value for value in values])
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    if not (single == numbers).all():
        return values
    return {
        "f32": [None if value is None else float(str(number)) for value, number in zip(values, single, strict=True)]
    }
