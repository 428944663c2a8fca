"""The frozen description of one training run; its digest is the run's identity everywhere."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal

PROTOCOL = 2
"""Number of the experimental protocol (CHANGELOG.md); tables refuse to mix numbers."""

SEARCH_SEED = 0
"""Seed of every search run; final runs use 1, 2, ..."""

CONTROLS = ("shuffled", "noise")
"""Control tasks that can be added to a suite (benchmark/controls.py), in the order of their task groups."""

SAMPLE = "SAMPLE-"
"""What the fingerprint of drawn data starts with."""

WEIGHTS = "-weights-"
"""What stands in a fingerprint before the name of first weights that are not the suite's own choice."""

Precision = Literal["float32", "bfloat16"]
AskedPrecision = Literal["auto", "float32", "bfloat16"]
"""`auto` leaves the precision of training steps to suite and device (benchmark/precision.py)."""

Value = float | int | str | bool | None
Phase = Literal["search", "final"]
Sampler = Literal["tpe", "random"]
Pruner = Literal["median"]


@dataclass(frozen=True)
class Search:
    """The search that a run belongs to where a budget of trials takes the place of the grid.

    Attributes:
        sampler: What proposes its trials.
        space: Digest of what it draws from.
        trial: Number of a search run, from 0; None for a final run.
        trials: Number of trials from which a final run's setting was chosen; None for a search run, so that a
            search goes on where a larger budget is given.
        pruner: Rule by which hopeless trials end early (benchmark/pruning.py); None where all are trained in full.
        seed: Seed of the sampler.
    """

    sampler: Sampler
    space: str
    trial: int | None = None
    trials: int | None = None
    pruner: Pruner | None = None
    seed: int = 0

    @property
    def proposer(self) -> str:
        """The sampler in words, with its seed where that is not 0."""
        return f"{self.sampler} (sampler seed {self.seed})" if self.seed else self.sampler

    def to_json(self) -> dict[str, Any]:
        """Return the search as plain JSON values, without what is None and without seed 0."""
        values = {key: value for key, value in asdict(self).items() if value is not None}
        if not self.seed:
            del values["seed"]
        return values


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
        controls: Control tasks added to the suite's own, each once, in the order of `CONTROLS`.
        precision: Precision of training steps; under `auto` the record's environment says which it was.
        search: The search of protocol `equal-budget` that the run belongs to; None under `paper`.
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
    controls: tuple[str, ...] = ()
    precision: AskedPrecision = "auto"
    search: Search | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "controls", ordered(self.controls))

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the spec's canonical JSON."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain JSON values, without `controls`, `precision` and `search` where not asked for."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {"hyper": dict(self.hyper), "controls": list(self.controls)}
        if not self.controls:
            del values["controls"]
        if self.precision == "auto":
            del values["precision"]
        if self.search is None:
            del values["search"]
        else:
            values["search"] = self.search.to_json()
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Spec":
        """Return the spec that `to_json` wrote."""
        search = Search(**values["search"]) if "search" in values else None
        return cls(**{**values, "hyper": tuple(sorted(values["hyper"].items())), "search": search})


def ordered(controls: Iterable[str]) -> tuple[str, ...]:
    """Return the names of controls in the order of `CONTROLS`, each once.

    Raises:
        ValueError: There is no control of that name.
    """
    asked = set(controls)
    if unknown := asked.difference(CONTROLS):
        raise ValueError(f"unknown control {min(unknown)!r}")
    return tuple(name for name in CONTROLS if name in asked)


def called(suite: str, fingerprint: str) -> str:
    """Return a suite's name as results bear it that may be taken apart from their caption.

    It is marked where the data were drawn by the benchmark, or where networks start from weights that are not the
    suite's own choice.
    """
    _, mark, weights = fingerprint.partition(WEIGHTS)
    return " ".join(["SAMPLE"] * is_sample(fingerprint) + [suite] + [f"from weights {weights}"] * bool(mark))


def is_sample(fingerprint: str) -> bool:
    """Return whether the data of that fingerprint were drawn by the benchmark."""
    return fingerprint.startswith(SAMPLE)


def other_weights(fingerprint: str) -> str | None:
    """Return the name of first weights that are not the suite's own choice, if a fingerprint has one."""
    return fingerprint.partition(WEIGHTS)[2] or None
