"""The frozen description of one training run; its digest is the run's identity everywhere."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

PROTOCOL = 1
"""Number of the experimental protocol (CHANGELOG.md); tables refuse to mix numbers."""

SEARCH_SEED = 0
"""Seed of every search run; final runs use 1, 2, ..."""

Value = float | int | str | bool | None
Phase = Literal["search", "final"]


@dataclass(frozen=True)
class Spec:
    """One run: everything that decides its result.

    Attributes:
        suite: Name of the suite.
        setting: Name of the suite's setting, such as `5-shot`.
        method: Name of the method.
        hyper: All hyper-parameters, the optimiser's and the method's, sorted by name.
        seed: Seed of split, initialisation and batch order.
        phase: `search` runs never touch the test set; `final` runs evaluate it once.
        epochs: Length of training in epochs.
        data: Fingerprint of the suite's data.
        protocol: Protocol number.
    """

    suite: str
    setting: str
    method: str
    hyper: tuple[tuple[str, Value], ...]
    seed: int
    phase: Phase
    epochs: int
    data: str
    protocol: int = PROTOCOL

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the spec's canonical JSON."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain JSON values."""
        return {**asdict(self), "hyper": dict(self.hyper)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Spec":
        """Return the spec that `to_json` wrote."""
        return cls(**{**values, "hyper": tuple(sorted(values["hyper"].items()))})
