"""Rows of epochs, kept as the text that is on disk, and values as JSON takes them."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any


class Rows(Sequence[dict[str, Any]]):
    """Rows of epochs as the text that is on disk: a third of their memory, and values only for those who look.

    Args:
        line: The JSON of their record, with the rows as `epochs`.
        length: How many they are.
    """

    def __init__(self, line: bytes, length: int) -> None:
        self._line = line
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        return json.loads(self._line).get("epochs", [])

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | Rows) else NotImplemented


def finite(value: Any) -> Any:
    """Return `value` with each float that is not finite replaced by None."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
